"""What boto3 sees of each kind of fault, held against emulator/FAULTS.md.

Usage: faults.py FOLDER, where FOLDER holds the built programs. Everything stays on loopback. Waiting between attempts is left
out, and a read times out after a second.
"""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

import boto3
import botocore.endpoint
import botocore.exceptions
import botocore.parsers
from botocore.config import Config

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "emulator/FAULTS.md"
ROLE = "arn:aws:iam::111122223333:role/exporter"
ALL = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
TRUST = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}'
KEY = ("AKIAADMINUSEREXAMPLE", "adminSecret/0")
SCENARIO = f"""
[[account]]
id = "111122223333"
name = "owner"
[[account.user]]
name = "admin"
policies = ['{ALL}']
access_key = [{{ id = "{KEY[0]}", secret = "{KEY[1]}" }}]
[[account.role]]
name = "exporter"
trust = '{TRUST}'
policies = ['{ALL}']
[[account.bucket]]
name = "logs"
"""

# The fields of the fault in each row, and what meets it.
PLAYS = {
    "refuse": ({"status": 500, "code": "InternalError"}, "get"),
    "slow_down": ({}, "get"),
    "error_in_200": ({"operation": "CopyObject"}, "copy"),
    "ignore_header": ({"header": "If-None-Match", "operation": "PutObject"}, "put_new"),
    "expire_token": ({"operation": "PutObject"}, "put_by_session"),
    "throttle": ({"requests": 0, "seconds": 3600}, "get"),
    "fail_keys": ({"prefix": "keep", "operation": "DeleteObjects"}, "delete_two"),
    "disabled_kms_key": ({"key": "arn:aws:kms:us-east-1:111122223333:key/k"}, "get"),
    "clock_skew": ({"seconds": 3600}, "get"),
    "delay": ({"seconds": 0.1}, "get"),
    "status": ({"status": 500}, "get"),
    "body": ({"body": "another"}, "get"),
    "corrupt_body": ({}, "get"),
    "header": ({"header": "etag", "value": '"other"'}, "get"),
    "without_header": ({"header": "etag"}, "get"),
    "drop_answer": ({}, "get"),
    "reset_after": ({"bytes": 3}, "get"),
    "stall_after": ({"bytes": 3}, "get"),
    "truncate": ({"bytes": 3}, "get"),
}


def rows():
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def admin(endpoint, method, place, body=None):
    request = urllib.request.Request(f"{endpoint}/_bucketproof/{place}", method=method,
                                     data=None if body is None else json.dumps(body).encode())
    return urllib.request.urlopen(request).read().decode()


def client(endpoint, service="s3", session=None):
    key, secret, token = KEY + (None,) if session is None else (
        session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token, config=Config(read_timeout=1))


def get(s3, endpoint):
    got = s3.get_object(Bucket="logs", Key="k")
    try:
        body = got["Body"].read()
    except botocore.exceptions.FlexibleChecksumError:
        return "a wrong checksum"
    except botocore.exceptions.ReadTimeoutError:
        return "a stalled body"
    except (botocore.exceptions.IncompleteReadError, botocore.exceptions.ResponseStreamingError):
        return "a body that breaks off"
    if body != b"content":
        return f"another body of {len(body)} bytes"
    match got.get("ETag"):
        case None:
            return "the object without an entity tag"
        case '"other"':
            return "the object with another entity tag"
    return "the object"


def put_new(s3, endpoint):
    s3.put_object(Bucket="logs", Key="k", Body=b"content", IfNoneMatch="*")
    return "an overwritten object"


def put_by_session(s3, endpoint):
    session = client(endpoint, "sts").assume_role(RoleArn=ROLE, RoleSessionName="faults")["Credentials"]
    admin(endpoint, "DELETE", "requests")
    client(endpoint, session=session).put_object(Bucket="logs", Key="k", Body=b"content")
    return "a written object"


def copy(s3, endpoint):
    s3.copy_object(Bucket="logs", Key="copy", CopySource={"Bucket": "logs", "Key": "k"})
    return "a copy"


def delete_two(s3, endpoint):
    answer = s3.delete_objects(Bucket="logs", Delete={"Objects": [{"Key": "keep"}, {"Key": "drop"}]})
    errors = answer.get("Errors", [])
    if len(errors) == 1:
        return f"`{errors[0]['Code']}` for one of two keys"
    return "errors for both keys" if errors else "both keys deleted"


CALLS = {"get": get, "put_new": put_new, "put_by_session": put_by_session, "copy": copy, "delete_two": delete_two}


def seen(endpoint, effect, once):
    admin(endpoint, "POST", "reset")
    s3 = client(endpoint)
    s3.put_object(Bucket="logs", Key="k", Body=b"content")
    admin(endpoint, "DELETE", "requests")
    fields, call = PLAYS[effect]
    admin(endpoint, "POST", "faults", {"effect": effect, **fields, **({"times": 1} if once else {})})
    try:
        found = CALLS[call](s3, endpoint)
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        # botocore puts the status where there is no code.
        found = "an error without a code" if code.isdigit() else f"`{code}`"
    except botocore.exceptions.ReadTimeoutError:
        found = "a stalled body"
    except (botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError):
        found = "no answer"
    except (botocore.parsers.ResponseParserError, AttributeError):
        # botocore stumbles over the body of a 500 that is to be streamed.
        found = "an answer that cannot be read"
    hits = json.loads(admin(endpoint, "GET", "faults"))[0]["hits"]
    if not hits:
        sys.exit(f"{effect} never acted")
    lines = [json.loads(line) for line in admin(endpoint, "GET", "journal").splitlines()]
    attempts = [line["attempt"] for line in lines]
    if attempts != list(range(1, len(attempts) + 1)):
        sys.exit(f"{effect}: the journal counts the attempts {attempts}")
    return found if len(lines) == 1 else f"{found}, {len(lines)} attempts"


def main():
    # Attempts are counted, and not waited between.
    botocore.endpoint.time.sleep = lambda _: None
    wrong, checked = [], 0
    with tempfile.TemporaryDirectory() as name:
        scenario = pathlib.Path(name) / "scenario.toml"
        scenario.write_text(SCENARIO)
        server = subprocess.Popen([PROGRAMS / "bucketproof-emulator", "serve", "--listen", "127.0.0.1:0",
                                   "--scenario", scenario], stdout=subprocess.PIPE, text=True)
        try:
            endpoint = re.search(r"listening on (\S+)", server.stdout.readline()).group(1)
            for row in rows():
                effect = row[0].strip("`")
                if row[5] == "-":
                    continue
                found = [seen(endpoint, effect, once) for once in (False, True)]
                checked += 2
                if found != row[5:7]:
                    wrong.append(f"{row[0]} | {found[0]} | {found[1]}")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=10)
    if wrong:
        sys.exit("FAULTS.md should say of boto3\n" + "\n".join(wrong))
    print(f"{checked} faults are seen by boto3 as the page says")


main()
