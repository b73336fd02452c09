"""Measures what 1 % changed rows of an hour cost, by CPU time of the connector's whole process and by bytes that it uploads.

Usage: tails.py FOLDER [--rows 1000000] [--directory DIR]

FOLDER holds the built programs. The hour is changed in four ways, each a sync of its own: rows added everywhere, for which the
whole hour is rewritten; rows changed everywhere and rows changed at its end, which copy what does not change; and rows changed
everywhere again, with a tail. Ends with 1 if the tail costs more than a twentieth of the rewrite's CPU time or uploads more
than a tenth of its bytes. Everything stays on loopback.
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
from datetime import timedelta

import memory


def line(number, rows, version, fraction=0.0):
    at = memory.START + timedelta(seconds=(number + fraction) * 3600 / rows)
    text = memory.message(number + int(fraction * 1_000_000_000), at)
    updated = memory.text_of(at + timedelta(hours=version))
    return text.replace('"updated_at":"' + memory.text_of(at), '"updated_at":"' + updated).replace(
        '"status":"delivered"', f'"status":"seen-{version}"')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--directory", default=None)
    options = parser.parse_args()
    programs, rows = pathlib.Path(options.programs).resolve(), options.rows
    part = rows // 100
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        folder = pathlib.Path(name)
        server, endpoint = memory.serve(programs, folder)

        def sync(lines, extra=""):
            with open(folder / "messages.ndjson", "a", encoding="utf-8") as source:
                for text in lines:
                    source.write(text)
            (folder / "connector.toml").write_text(f"""
profile = "suprsend_s3_v2"
enabled = true
datasets = ["messages"]
{extra}
[bucket]
name = "exports"
region = "us-east-1"
endpoint = "{endpoint}"
allow_http = true
path_style = true
[auth]
mode = "static_keys"
access_key_id = "{memory.EXPORTER[0]}"
secret_access_key = {{ env = "EXPORT_SECRET" }}
[state]
dir = "state"
[[source]]
dataset = "messages"
path = "messages.ndjson"
""")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run([programs / "bucketproof-connector", "sync", "--json", "--config", folder / "connector.toml"],
                                  env={**os.environ, "EXPORT_SECRET": memory.EXPORTER[1], "BUCKETPROOF_LOG": "warn"},
                                  stdout=subprocess.PIPE, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            objects = json.loads(done.stdout)["datasets"][0]["objects"]
            cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            return {"cpu_seconds": round(cpu, 3), "upload_mib": round(sum(entry["body_bytes"] for entry in objects) / 2**20, 2),
                    "keys": [entry["key"].rsplit("/", 1)[1] for entry in objects][-1:]}

        try:
            print(json.dumps({"the hour": sync(line(number, rows, 0) for number in range(rows))}), flush=True)
            everywhere = range(7, rows, 100)
            found = {
                "rewritten": sync(line(number, rows, 1, 0.5) for number in range(0, rows, 100)),
                "spliced, everywhere": sync(line(number, rows, 2) for number in everywhere),
                "spliced, at its end": sync(line(number, rows, 3) for number in range(rows - part, rows)),
                "tail, everywhere": sync((line(number, rows, 4) for number in everywhere),
                                         '[tail]\ndatasets = ["messages"]'),
            }
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    for what, cost in found.items():
        print(json.dumps({what: cost}), flush=True)
    whole, tail = found["rewritten"], found["tail, everywhere"]
    print(json.dumps({"cpu": round(whole["cpu_seconds"] / tail["cpu_seconds"], 1),
                      "upload": round(whole["upload_mib"] / tail["upload_mib"], 1)}))
    sys.exit(tail["cpu_seconds"] * 20 > whole["cpu_seconds"] or tail["upload_mib"] * 10 > whole["upload_mib"])


main()
