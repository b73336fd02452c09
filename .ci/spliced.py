"""Reads hours that were replaced by copying what did not change, with pyarrow and DuckDB, and compares their bytes.

Usage: spliced.py FOLDER, where FOLDER holds the built programs. Everything stays on loopback.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import boto3
import duckdb
import pyarrow.parquet

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "fixtures/scenarios/suprsend/scenario.toml"
BUCKET = "suprsend-logs-production"
KEY = "year=2025/month=01/day=15/hour=14/requests.parquet"
ROLE = "arn:aws:iam::111122223333:role/suprsend_s3_role"
TRUST = json.loads((SCENARIO.parent / "policies/suprsend-trust.json").read_text())
EXTERNAL_ID = TRUST["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
ROWS = 70_000

checked = 0


def holds(what, truth):
    global checked
    checked += 1
    if not truth:
        sys.exit(f"does not hold: {what}")


def row(number, status="partial_failure", minute=0):
    second = number * 3_500 // ROWS
    return {
        "api_type": "workflow", "api_name": f"name-{number % 7} \u00fc\U0001f600", "tenant_id": f"t-{number % 11}",
        "idempotency_key": f"key-{number * 7919 % 1_000_003:07}", "payload": {"n": number, "deep": [{"x": None}]},
        "distinct_id_list": [f"user-{number}", "team/\"1\""] if number % 3 else None,
        "executions": [{"execution_id": f"e-{number}"}] if number % 2 else [],
        "created_at": f"2025-01-15T14:{second // 60:02}:{second % 60:02}.{number % 1000:03}000Z",
        "updated_at": f"2025-01-15T17:{minute:02}:00Z", "status": status,
    }


def steps():
    """What happens to the hour, step by step."""
    yield [row(number) for number in range(ROWS)]
    yield [row(number, "completed", 1) for number in range(ROWS - 300, ROWS + 400)]
    yield [row(number, "failure", 2) for number in range(0, ROWS, 100)]
    yield [row(number, "completed", 3) for number in range(30_000, 30_050)]


def chunks(path):
    """The bytes of each column chunk, by row group."""
    content, footer = path.read_bytes(), pyarrow.parquet.ParquetFile(path).metadata
    found = []
    for group in range(footer.num_row_groups):
        columns = [footer.row_group(group).column(column) for column in range(footer.num_columns)]
        starts = [column.dictionary_page_offset or column.data_page_offset for column in columns]
        found.append([content[start:start + column.total_compressed_size] for start, column in zip(starts, columns)])
    return found


def content_of(found):
    as_json = lambda text: None if text is None else json.loads(text)
    as_list = lambda values, each: None if values is None else [each(value) for value in values]
    return sorted((key, name, tenant, as_json(payload), as_list(ids, str), as_list(executions, as_json), created, status)
                  for key, name, tenant, payload, ids, executions, created, status in found)


def check(path, latest):
    expected = sorted((row["idempotency_key"], row["api_name"], row["tenant_id"], row["payload"], row["distinct_id_list"],
                       row["executions"], row["created_at"][:26].replace("T", " "), row["status"]) for row in latest.values())
    columns = ["idempotency_key", "api_name", "tenant_id", "payload", "distinct_id_list", "executions", "created_at", "status"]
    picked = ", ".join(columns).replace("created_at", "strftime(created_at at time zone 'UTC', '%Y-%m-%d %H:%M:%S.%f')")
    found = duckdb.sql(f"select {picked} from read_parquet('{path}')").fetchall()
    holds("DuckDB reads equal content", content_of(found) == expected)
    table = pyarrow.parquet.ParquetFile(path).read(columns)
    times = table.column("created_at").to_pylist()
    holds("pyarrow reads rows in their order", times == sorted(times))
    found = [tuple(value.strftime("%Y-%m-%d %H:%M:%S.%f") if name == "created_at" else value
                   for name, value in entry.items()) for entry in table.to_pylist()]
    holds("pyarrow reads equal content", content_of(found) == expected)
    count = duckdb.sql(f"select count(*) from read_parquet('{path}') "
                       "where created_at >= '2025-01-15 14:20:00+00' and created_at < '2025-01-15 14:21:00+00'").fetchall()[0][0]
    inside = sum(1 for row in latest.values() if row["created_at"][11:16] == "14:20")
    holds(f"DuckDB filters by the statistics of copied row groups: {count} of {inside}", count == inside)


def look(endpoint, folder):
    (folder / "connector.toml").write_text(f"""
profile = "suprsend_s3_v2"
enabled = true
datasets = ["requests"]
[bucket]
name = "{BUCKET}"
region = "us-east-1"
endpoint = "{endpoint}"
allow_http = true
path_style = true
[auth]
mode = "assume_role"
role_arn = "{ROLE}"
external_id = "{EXTERNAL_ID}"
access_key_id = {{ env = "EXPORT_KEY_ID" }}
secret_access_key = {{ env = "EXPORT_SECRET" }}
[state]
dir = "state"
batch_mib = 256
[[source]]
dataset = "requests"
path = "requests.ndjson"
""")
    environment = {**os.environ, "EXPORT_KEY_ID": "AKIAEXPORTERXEXAMPLE",
                   "EXPORT_SECRET": "exporterUserSecret/forTests/0/EXAMPLEKEY"}
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="AKIAADMINUSEREXAMPLE",
                      aws_secret_access_key="administratorSecret/forTests/0EXAMPLEKEY")
    latest, before = {}, None
    for at, rows in enumerate(steps()):
        with open(folder / "requests.ndjson", "a", encoding="utf-8") as source:
            source.writelines(json.dumps(row) + "\n" for row in rows)
        latest.update((row["idempotency_key"], row) for row in rows)
        done = subprocess.run([PROGRAMS / "bucketproof-connector", "sync", "--json", "--config", folder / "connector.toml"],
                              env=environment, capture_output=True, text=True, check=False)
        holds(f"sync: {done.stderr}", done.returncode == 0)
        path = folder / f"hour-{at}.parquet"
        s3.download_file(BUCKET, KEY, str(path))
        check(path, latest)
        after = chunks(path)
        if before is not None:
            same = sum(old == new for old, new in zip(before, after))
            old = {chunk for group in before for chunk in group}
            kept = sum(chunk in old for group in after for chunk in group)
            holds(f"step {at}: {same} row groups are the same bytes", same >= (0 if at == 2 else len(before) - 1))
            holds(f"step {at}: {kept} chunks are the same bytes", kept * 4 > 3 * sum(map(len, after)) or at == 1)
        before = after


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = subprocess.Popen([PROGRAMS / "bucketproof-emulator", "serve", "--listen", "127.0.0.1:0",
                                   "--scenario", SCENARIO], stdout=subprocess.PIPE, text=True)
        try:
            look(re.search(r"listening on (\S+)", server.stdout.readline()).group(1), folder)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=10)
    print(f"{checked} statements about spliced hours hold")


main()
