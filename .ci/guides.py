"""Runs what the guide for Python tests tells its reader to write.

Usage: guides.py FOLDER, where FOLDER holds the built `bucketproof-emulator`. Everything stays on loopback.

Each block of emulator/docs/python-tests.md that follows a line which names a file becomes that file; then pytest runs.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-emulator"
GUIDE = pathlib.Path(__file__).resolve().parent.parent / "emulator/docs/python-tests.md"
FILE = re.compile(r"^`(tests/[\w.]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)

with tempfile.TemporaryDirectory() as folder:
    written = FILE.findall(GUIDE.read_text())
    if [name for name, _ in written] != ["tests/scenario.toml", "tests/conftest.py", "tests/test_export.py"]:
        sys.exit(f"the guide names other files: {[name for name, _ in written]}")
    pathlib.Path(folder, "tests").mkdir()
    for name, text in written:
        pathlib.Path(folder, name).write_text(text)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], cwd=folder,
                          env=os.environ | {"BUCKETPROOF": str(PROGRAM)}, check=False)
sys.exit(done.returncode)
