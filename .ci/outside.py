"""Looks at the product from outside: boto3 and plain HTTP against `serve`, DuckDB and pyarrow on exported hours.

Usage: outside.py FOLDER, where FOLDER holds the built programs. Everything stays on loopback.
"""

import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import boto3
import duckdb
import pyarrow.dataset
from botocore.exceptions import ClientError

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "fixtures/scenarios/suprsend/scenario.toml"
BUCKET = "suprsend-logs-production"
ROLE = "arn:aws:iam::111122223333:role/suprsend_s3_role"
KEYS = {
    "administrator": ("AKIAADMINUSEREXAMPLE", "administratorSecret/forTests/0EXAMPLEKEY"),
    "exporter": ("AKIAEXPORTERXEXAMPLE", "exporterUserSecret/forTests/0/EXAMPLEKEY"),
}
TRUST = json.loads((SCENARIO.parent / "policies/suprsend-trust.json").read_text())
EXTERNAL_ID = TRUST["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]

checked = 0


def holds(what, truth):
    global checked
    checked += 1
    if not truth:
        sys.exit(f"does not hold: {what}")


def refused(what, code, call):
    try:
        call()
    except ClientError as error:
        found = error.response["Error"]["Code"]
        holds(f"{what}: {code}, found {found}", found == code)
        return
    sys.exit(f"is not refused: {what}")


def client(service, endpoint, user, **more):
    key, secret = KEYS[user]
    options = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1", **more}
    if service == "s3":
        # As it comes: endpoint and keys, nothing else.
        options.pop("region_name")
    return boto3.client(service, endpoint_url=endpoint, **options)


def with_boto3(endpoint, folder):
    s3 = client("s3", endpoint, "administrator")
    s3.put_object(Bucket=BUCKET, Key="a/b c+\u00fc.txt", Body=b"hello", Metadata={"k": "v"})
    got = s3.get_object(Bucket=BUCKET, Key="a/b c+\u00fc.txt")
    holds("get", got["Body"].read() == b"hello" and got["Metadata"] == {"k": "v"})
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    holds("list", listed == ["a/b c+\u00fc.txt"])

    big = folder / "big"
    big.write_bytes(os.urandom(20 * 1024 * 1024))
    s3.upload_file(str(big), BUCKET, "big")
    holds("multipart", s3.head_object(Bucket=BUCKET, Key="big")["ETag"].endswith('-3"'))
    s3.download_file(BUCKET, "big", str(folder / "back"))
    same = hashlib.sha256(big.read_bytes()).digest() == hashlib.sha256((folder / "back").read_bytes()).digest()
    holds("multipart content", same)

    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a/b c+\u00fc.txt"})
    holds("presigned GET", urllib.request.urlopen(url).read() == b"hello")
    try:
        urllib.request.urlopen(url.replace("a/b", "a/x"))
        sys.exit("a tampered presigned URL is not refused")
    except urllib.error.HTTPError as error:
        holds("tampered presigned GET", error.code == 403 and b"SignatureDoesNotMatch" in error.read())

    refused("wrong secret", "SignatureDoesNotMatch",
            client("s3", endpoint, "administrator", aws_secret_access_key="wrong").list_buckets)
    refused("unknown key", "InvalidAccessKeyId",
            client("s3", endpoint, "administrator", aws_access_key_id="AKIANOBODYKNOWSTHIS0").list_buckets)
    sts = client("sts", endpoint, "exporter")
    assume = lambda **more: sts.assume_role(RoleArn=ROLE, RoleSessionName="outside", **more)
    refused("wrong external id", "AccessDenied", lambda: assume(ExternalId=EXTERNAL_ID.lower()))
    refused("no external id", "AccessDenied", assume)
    session = assume(ExternalId=EXTERNAL_ID)["Credentials"]
    role = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=session["AccessKeyId"],
                        aws_secret_access_key=session["SecretAccessKey"],
                        aws_session_token=session["SessionToken"])
    role.put_object(Bucket=BUCKET, Key="by-role", Body=b"1")
    refused("delete by the role", "AccessDenied", lambda: role.delete_object(Bucket=BUCKET, Key="by-role"))
    refused("an operation that is not supported", "NotImplemented", lambda: s3.get_object_torrent(Bucket=BUCKET, Key="by-role"))
    for key in ["a/b c+\u00fc.txt", "big", "by-role"]:
        s3.delete_object(Bucket=BUCKET, Key=key)


def with_aws_cli(endpoint, folder):
    aws = pathlib.Path(sys.executable).parent / "aws"
    if not aws.exists():
        print("the AWS CLI is not installed beside this Python; skipped")
        return
    key, secret = KEYS["administrator"]
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
                   "AWS_ENDPOINT_URL": endpoint}

    def run(*words):
        return subprocess.run([aws, *words], env=environment, capture_output=True, text=True, check=False)

    big = folder / "big"
    for words in [("s3", "cp", str(big), f"s3://{BUCKET}/cli/big"),
                  ("s3", "cp", f"s3://{BUCKET}/cli/big", str(folder / "cli-back")),
                  ("s3", "ls", f"s3://{BUCKET}/cli/"),
                  ("s3api", "get-object", "--bucket", BUCKET, "--key", "cli/big", str(folder / "cli-object"))]:
        done = run(*words)
        holds(f"aws {' '.join(words)}: {done.stderr}", done.returncode == 0)
    holds("aws cp content", (folder / "cli-back").read_bytes() == big.read_bytes())
    url = run("s3", "presign", f"s3://{BUCKET}/cli/big").stdout.strip()
    holds("aws presign", len(urllib.request.urlopen(url).read()) == big.stat().st_size)
    holds("aws rm", run("s3", "rm", "--recursive", f"s3://{BUCKET}/cli/").returncode == 0)


def rows_to_export():
    """Three hours of requests; each row comes twice, the second state later than the first."""
    rows = []
    for number in range(300):
        row = {
            "api_type": "workflow", "api_name": f"name-{number % 7} \u00fc\u4e2d\U0001f600", "tenant_id": "default",
            "idempotency_key": f"key-{number:04}", "distinct_id_list": [f"user-{number}", "team/\"1\""],
            "payload": {"n": number, "deep": [{"x": None}]}, "executions": [{"execution_id": f"e-{number}"}],
            "created_at": f"2025-01-15T{14 + number % 3:02}:{number % 60:02}:00.123456Z",
        }
        rows.append({**row, "updated_at": "2025-01-15T17:00:00Z", "status": "failure"})
        rows.append({**row, "updated_at": "2025-01-15T18:00:00Z", "status": "completed"})
    return rows


def with_readers(endpoint, folder):
    rows = rows_to_export()
    (folder / "requests.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
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
[[source]]
dataset = "requests"
path = "requests.ndjson"
""")
    key, secret = KEYS["exporter"]
    environment = {**os.environ, "EXPORT_KEY_ID": key, "EXPORT_SECRET": secret}
    command = [PROGRAMS / "bucketproof-connector", "sync", "--json", "--config", folder / "connector.toml"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    holds(f"sync: {done.stderr}", done.returncode == 0)
    report = json.loads(done.stdout)["datasets"][0]
    holds(f"counts reconcile: {report}", (report["rows_read"], report["rows_written"], report["rows_deduplicated"],
                                          report["rows_dead_lettered"]) == (600, 300, 300, 0))
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    holds("a second sync writes nothing", json.loads(again.stdout)["datasets"][0]["objects"] == [])

    s3 = client("s3", endpoint, "administrator")
    lake = folder / "lake"
    for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        path = lake / entry["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(BUCKET, entry["Key"], str(path))
    expected = sorted(
        (row["idempotency_key"], row["api_name"], row["status"], json.loads(json.dumps(row["payload"])),
         tuple(row["distinct_id_list"]), row["created_at"][:26].replace("T", " "), int(row["created_at"][11:13]))
        for row in rows if row["status"] == "completed")

    found = duckdb.sql(f"""
        select idempotency_key, api_name, status, payload, distinct_id_list,
               strftime(created_at at time zone 'UTC', '%Y-%m-%d %H:%M:%S.%f'), hour
        from read_parquet('{lake}/**/requests.parquet', hive_partitioning = true)""").fetchall()
    found = sorted((row[0], row[1], row[2], json.loads(row[3]), tuple(row[4]), row[5], int(row[6])) for row in found)
    holds("DuckDB reads equal content", found == expected)

    table = pyarrow.dataset.dataset(lake, format="parquet", partitioning="hive").to_table().to_pylist()
    found = sorted((row["idempotency_key"], row["api_name"], row["status"], json.loads(row["payload"]),
                    tuple(row["distinct_id_list"]), row["created_at"].strftime("%Y-%m-%d %H:%M:%S.%f"), row["hour"])
                   for row in table)
    holds("pyarrow reads equal content", found == expected)


def with_policy_tools(endpoint):
    """What the role did asks for the three actions that the vendor documents, and for nothing more."""
    command = [PROGRAMS / "bucketproof-emulator", "policy", "generate", "--endpoint", endpoint]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    holds(f"policy generate: {done.stderr}", done.returncode == 0)
    of_role, = [entry for entry in json.loads(done.stdout) if (entry["kind"], entry["owner"]) == ("identity", ROLE)]
    documented = json.loads((SCENARIO.parent / "policies/suprsend-export.json").read_text())["Statement"][0]
    statements = of_role["document"]["Statement"]
    used = sorted(action for statement in statements for action in statement["Action"])
    holds(f"the documented actions: {used}", used == sorted(documented["Action"]))
    resources = {resource for statement in statements for resource in statement["Resource"]}
    trust, = [entry["document"]["Statement"] for entry in json.loads(done.stdout) if entry["kind"] == "trust"]
    holds(f"the external id: {trust}", trust[0]["Condition"] == {"StringEquals": {"sts:ExternalId": [EXTERNAL_ID]}})
    holds(f"the bucket alone: {resources}", all(resource.split("/")[0] == f"arn:aws:s3:::{BUCKET}" for resource in resources))

    # Mistakes in the documented policies that nothing above would notice, each with its reason and a request that would.
    command = [PROGRAMS / "bucketproof-emulator", "policy", "mutate", "--endpoint", endpoint]
    for document in ["identity:suprsend-export", "trust:suprsend_s3_role"]:
        done = subprocess.run([*command, "--document", document], capture_output=True, text=True, check=False)
        holds(f"policy mutate: {done.stderr}", done.returncode in (0, 1))
        found = json.loads(done.stdout)
        holds(f"mistakes in {document} are noticed: {found['noticed']} of {found['mutants']}", 2 * found["noticed"] > found["mutants"])
        for survivor in found["survivors"]:
            holds(f"a survivor is explained: {survivor}", survivor["why"] and survivor["to_notice"])
        print(f"{document}: {found['noticed']} of {found['mutants']} mistakes noticed, {len(found['survivors'])} explained")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = subprocess.Popen([PROGRAMS / "bucketproof-emulator", "serve", "--listen", "127.0.0.1:0",
                                   "--scenario", SCENARIO], stdout=subprocess.PIPE, text=True)
        try:
            endpoint = re.search(r"listening on (\S+)", server.stdout.readline()).group(1)
            with_boto3(endpoint, folder)
            with_aws_cli(endpoint, folder)
            with_readers(endpoint, folder)
            with_policy_tools(endpoint)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=10)
    print(f"{checked} statements from outside hold")


main()
