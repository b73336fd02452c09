"""Holds a run of the S3 compatibility suite against the baseline, test by test.

Usage: s3-tests.py RESULTS.json VALID.txt [BASELINE.toml]
RESULTS.json: what the suite's runner wrote, `tests` with `id` and `outcome`. VALID.txt: the tests that AWS passes, an
id a line (text behind a tab is left out). BASELINE.toml: tests that fail here, with the reason. A new failure, a test of
the baseline that passes, and an id that the run does not know each end it with 1: never a count against a count.
"""

import json
import pathlib
import sys
import tomllib

BASELINE = pathlib.Path(__file__).resolve().parent.parent / "fixtures/s3-tests/baseline.toml"


def ids(path):
    lines = pathlib.Path(path).read_text().splitlines()
    return [line.split("\t")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    results = {test["id"]: test["outcome"] for test in json.loads(pathlib.Path(sys.argv[1]).read_text())["tests"]}
    valid = ids(sys.argv[2])
    baseline = tomllib.loads(pathlib.Path(sys.argv[3] if len(sys.argv) == 4 else BASELINE).read_text())
    failing = {test: group["reason"] for group in baseline["fails"] for test in group["tests"]}

    def name(test):
        return test.split("::", 1)[1]

    wrong = [f"not in the run: {test}" for test in valid if test not in results]
    wrong += [f"of the baseline, not among the valid tests: {test}" for test in failing if test not in map(name, valid)]
    passed = 0
    for test in valid:
        outcome, reason = results.get(test), failing.get(name(test))
        passed += outcome == "passed"
        if outcome == "passed" and reason:
            wrong.append(f"passes, take it out of the baseline: {name(test)}")
        if outcome not in (None, "passed") and not reason:
            wrong.append(f"new failure ({outcome}): {name(test)}")
    print("\n".join(wrong))
    print(f"{passed} of {len(valid)} tests pass; {len(failing)} are known to fail")
    sys.exit(1 if wrong or not valid else 0)


main()
