"""Imports files that other writers made: events by every codec and wrapping, and tables with folders of partitions.

Usage: imported-files.py FOLDER, where FOLDER holds the built `bucketproof-emulator` and `bucketproof-connector`.
Everything stays on loopback. Writers are pyarrow, DuckDB and Polars, which has no maps: its events must be refused, and
the refusal must name the column. What is stored must equal what was written, row by row. At last a file is announced by
SNS over HTTPS to the running program, read at once, and told of when the program is ended.
"""

import bz2
import datetime
import gzip
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import boto3
import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
BUCKET = "customer-events"
KEY, SECRET = "AKIAIMPORTEREXAMPLE0", "importerSecret"
SCENARIO = f"""
[[account]]
id = "111122223333"
name = "customer"
[[account.user]]
name = "importer"
policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*"}}}}']
[[account.user.access_key]]
id = "{KEY}"
secret = "{SECRET}"
[[account.bucket]]
name = "{BUCKET}"
"""
ACCESS = """
[connection.bucket]
name = "{bucket}"
region = "us-east-1"
endpoint = "{endpoint}"
allow_http = true
path_style = true
[connection.auth]
mode = "static_keys"
access_key_id = "{key}"
secret_access_key = {{ file = "secret" }}
"""
IMPORT = """
profile = "split_events_import"
[state]
dir = "import"
[[connection]]
name = "events"
data_prefix = "events/"
status_folder = "statuses"
environments = ["prod"]
"""
CATALOGUE = """
profile = "permutive_import"
[state]
dir = "catalogue"
[[connection]]
name = "shop"
schema_prefix = "tables"
format = "parquet"
partitioned = true
"""
ROWS = [
    {
        "environmentId": "prod",
        "trafficTypeId": "user",
        "eventTypeId": "page.load",
        "key": f"user-{number} \u00fc",
        "timestamp": 1_767_225_600_000 + number,
        "value": None if number % 3 == 0 else number / 4,
        "properties": None if number % 5 == 0 else {"plan": "pro", "n": str(number)},
    }
    for number in range(1000)
]


def holds(what, condition):
    if not condition:
        sys.exit(f"does not hold: {what}")
    print(f"holds: {what}")


def by_pyarrow(path, codec):
    text = pa.string()
    schema = pa.schema([
        ("environmentId", text), ("trafficTypeId", text), ("eventTypeId", text), ("key", text),
        ("timestamp", pa.int64()), ("value", pa.float64()), ("properties", pa.map_(text, text)),
    ])
    rows = [{**row, "properties": row["properties"] and list(row["properties"].items())} for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression=codec, row_group_size=300)


def by_duckdb(path, codec):
    rows = path.with_suffix(".json")
    rows.write_text("\n".join(json.dumps(row) for row in ROWS))
    duckdb.execute(f"""
        COPY (SELECT environmentId::VARCHAR AS "environmentId", trafficTypeId::VARCHAR AS "trafficTypeId",
            eventTypeId::VARCHAR AS "eventTypeId", key::VARCHAR AS key, timestamp::BIGINT AS timestamp,
            value::DOUBLE AS value, properties AS properties
            FROM read_json('{rows}', columns = {{environmentId: 'VARCHAR', trafficTypeId: 'VARCHAR',
                eventTypeId: 'VARCHAR', key: 'VARCHAR', timestamp: 'BIGINT', value: 'DOUBLE',
                properties: 'MAP(VARCHAR, VARCHAR)'}}))
        TO '{path}' (FORMAT parquet, COMPRESSION {codec}, ROW_GROUP_SIZE 300)
    """)


def certificate(folder):
    """A certificate of this machine that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "importer")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    (folder / "tls.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def wrappings(path):
    plain = path.read_bytes()
    yield "", plain
    yield ".gz", gzip.compress(plain)
    yield ".bz2", bz2.compress(plain)
    if shutil.which("lzop"):
        yield ".lzo", subprocess.run(["lzop", "-c"], input=plain, stdout=subprocess.PIPE, check=True).stdout


def run(folder, *arguments, code=0):
    done = subprocess.run([PROGRAMS / "bucketproof-connector", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def events(s3, folder):
    expected = {}
    for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
        path = folder / "pyarrow.parquet"
        by_pyarrow(path, codec)
        for suffix, body in wrappings(path):
            expected[f"events/pyarrow/{codec}.parquet{suffix}"] = body
    for codec in ["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"]:
        path = folder / "duckdb.parquet"
        by_duckdb(path, codec)
        expected[f"events/duckdb/{codec}.parquet"] = path.read_bytes()
    for key, body in expected.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    frame = polars.DataFrame([{**row, "properties": None} for row in ROWS[:10]]).with_columns(
        properties=polars.lit([{"key": "plan", "value": "pro"}])
    )
    frame.write_parquet(folder / "polars.parquet")
    s3.put_object(Bucket=BUCKET, Key="events/polars.parquet", Body=(folder / "polars.parquet").read_bytes())
    run(folder, "import", "--config", "import.toml", "--once")
    database = sqlite3.connect(folder / "import" / "import.sqlite")
    names = list(ROWS[0])
    for key in expected:
        columns = ", ".join(f'e."{name}"' for name in names)
        found = database.execute(
            f"SELECT {columns} FROM event e JOIN file f ON f.id = e.file WHERE f.key = ? ORDER BY e.row", [key]
        )
        rows = [dict(zip(names, row)) for row in found]
        for row in rows:
            row["properties"] = row["properties"] and json.loads(row["properties"])
        holds(f"{key}: {len(rows)} rows as they were written", rows == ROWS)
    report = {}
    for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="statuses/")["Contents"]:
        report.update(json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()))
    holds("each file is told of", set(report) == {*expected, "events/polars.parquet"})
    [entry] = report["events/polars.parquet"]
    holds("what has no map is refused by the name of its column",
          entry["errors"] == ["INVALID_SCHEMA"] and "column `properties` is" in entry["errorsDetails"][0])


def tables(s3, folder):
    duckdb.execute(f"""
        COPY (SELECT range AS n, 'x' || range AS text, DATE '2026-01-01' + (range % 3)::INT AS day, range % 2 AS part
            FROM range(100)) TO '{folder / "tree"}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day, part))
    """)
    for path in (folder / "tree").rglob("*.parquet"):
        s3.upload_file(str(path), BUCKET, f"tables/orders/{path.relative_to(folder / 'tree')}")
    frame = polars.DataFrame({"n": [1, 2], "text": ["a", None]})
    frame.write_parquet(folder / "users.parquet", compression="zstd")
    s3.upload_file(str(folder / "users.parquet"), BUCKET, "tables/users/country=de/a.parquet")
    found = json.loads(run(folder, "catalogue", "tables", "--config", "catalogue.toml", "--json"))
    orders = found["shop"][0]
    holds("partitions are found and typed", [(own["name"], own["type"]) for own in orders["partitions"]]
          == [("day", "date"), ("part", "int")])
    run(folder, "catalogue", "import", "--config", "catalogue.toml")
    database = sqlite3.connect(folder / "catalogue" / "catalogue.sqlite")
    rows = database.execute('SELECT n, text, day, part FROM "shop.orders" ORDER BY n').fetchall()
    holds("the rows of DuckDB's partitions",
          rows == [(n, f"x{n}", f"2026-01-0{n % 3 + 1}", n % 2) for n in range(100)])
    rows = database.execute('SELECT n, text, country FROM "shop.users" ORDER BY n').fetchall()
    holds("the rows of Polars", rows == [(1, "a", "de"), (2, None, "de")])


def within(seconds, what, condition):
    for _ in range(seconds * 20):
        if condition():
            break
        time.sleep(0.05)
    holds(what, condition())


def announced(client, folder, endpoint, access):
    topic = client("sns").create_topic(Name="events")["TopicArn"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "hearing.toml").write_text(f"""
profile = "split_events_import"
reconcile_minutes = 60
[state]
dir = "hearing"
[endpoint]
listen = "127.0.0.1:{port}"
public_url = "https://127.0.0.1:{port}"
certificate = "tls.pem"
private_key = "tls.key"
[endpoint.stand_in]
host = "{endpoint.split("//")[1]}"
allow_http = true
[[connection]]
name = "announced"
data_prefix = "announced/"
status_folder = "told"
environments = ["prod"]
topic_arn = "{topic}"
{access}""")

    def shown():
        [view] = json.loads(run(folder, "import", "show", "--config", "hearing.toml", "--json"))
        return view

    (folder / "topic.json").write_text(client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    policy = json.loads(run(folder, "import", "policy", "--config", "hearing.toml", "--merge", "topic.json"))
    client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy",
                                       AttributeValue=json.dumps(policy["announced"]))
    notification = json.loads(run(folder, "import", "policy", "--config", "hearing.toml", "--notification"))
    client("s3").put_bucket_notification_configuration(Bucket=BUCKET,
                                                       NotificationConfiguration=notification["announced"])
    program = subprocess.Popen([PROGRAMS / "bucketproof-connector", "import", "--config", "hearing.toml", "--json"],
                               cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        within(20, "a connection is active once its bucket was listed",
               lambda: shown()["access"]["state"] == "active")
        client("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint=shown()["endpoint_url"])
        within(20, "the subscription is confirmed over HTTPS", lambda: shown()["subscription"]["state"] == "confirmed")
        by_pyarrow(folder / "announced.parquet", "snappy")
        body = (folder / "announced.parquet").read_bytes()
        client("s3").put_object(Bucket=BUCKET, Key="announced/day=1/a b+c.parquet", Body=body)
        database = sqlite3.connect(folder / "hearing" / "import.sqlite", timeout=10)
        within(20, "an announced file is stored long before the next listing",
               lambda: database.execute("SELECT count(*) FROM event").fetchone() == (len(ROWS),))
        (folder / "topic.json").write_text(json.dumps(policy["announced"]))
        run(folder, "import", "doctor", "--config", "hearing.toml", "--topic-policy", "topic.json")
    finally:
        program.send_signal(signal.SIGTERM)
        summary, _ = program.communicate(timeout=20)
    holds("who ends the program gets the report", len(json.loads(summary)["reports"]) == 1)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    certificate(folder)
    (folder / "scenario.toml").write_text(SCENARIO)
    (folder / "secret").write_text(SECRET)
    emulator = subprocess.Popen(
        [PROGRAMS / "bucketproof-emulator", "serve", "--scenario", folder / "scenario.toml", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "SSL_CERT_FILE": str(folder / "tls.pem")},
    )
    try:
        endpoint = emulator.stdout.readline().split()[-1]
        access = ACCESS.format(bucket=BUCKET, endpoint=endpoint, key=KEY)
        (folder / "import.toml").write_text(IMPORT + access)
        (folder / "catalogue.toml").write_text(CATALOGUE + access)

        def client(service):
            return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEY,
                                aws_secret_access_key=SECRET)

        events(client("s3"), folder)
        tables(client("s3"), folder)
        announced(client, folder, endpoint, access)
    finally:
        emulator.send_signal(signal.SIGTERM)
        emulator.wait()
