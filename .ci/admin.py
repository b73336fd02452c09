"""Uses the whole admin API from Python, as a test in another language would.

Usage: admin.py FOLDER, where FOLDER holds the built `bucketproof-emulator`. Everything stays on loopback. The description
is held against the OpenAPI 3.1 schema, the metrics are read with Prometheus's own parser, and every route of the description
is called at least once.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client.parser import text_string_to_metric_families

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-emulator"
KEYS = {
    "administrator": ("AKIAADMINUSEREXAMPLE", "adminSecret/forTests/0"),
    "writer": ("AKIAWRITERUSEREXAMPL", "writerSecret/forTests/0"),
}
POLICIES = {
    "administrator": {"Effect": "Allow", "Action": "*", "Resource": "*"},
    "writer": {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::logs/open/*"},
}
SCENARIO = '[[account]]\nid = "111122223333"\nname = "customer"\n' + "".join(
    f"""[[account.user]]
name = "{name}"
policies = ['{json.dumps({"Version": "2012-10-17", "Statement": [POLICIES[name]]})}']
[[account.user.access_key]]
id = "{key}"
secret = "{secret}"
""" for name, (key, secret) in KEYS.items()) + '[[account.bucket]]\nname = "logs"\n'


@contextlib.contextmanager
def serving(*arguments, environment=None):
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder, "scenario.toml")
        scenario.write_text(SCENARIO)
        command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--scenario", scenario, *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})},
        )
        try:
            url = next(line.split()[-1] for line in process.stdout if line.startswith("listening on "))
            yield url
        finally:
            process.terminate()
            out, err = process.communicate()
            for told in (out, err):
                assert TOKEN not in told


TOKEN = "a-token-of-the-admin-api-0123456789"


def s3(url, user="administrator"):
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    key, secret = KEYS[user]
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", config=config, aws_access_key_id=key, aws_secret_access_key=secret)


class Admin:
    """The API of one emulator; notes what was called."""

    def __init__(self, url, **headers):
        self.url, self.called, self.session = url, set(), requests.Session()
        self.session.headers.update(headers)

    def raw(self, method, route, body=None, status=200, headers=None, **fields):
        path = route.format(**{key: fields[key] for key in ("id",) if key in fields})
        given = {"params": fields.get("params"), "headers": headers, "timeout": 30}
        if isinstance(body, str):
            given["data"] = body
        elif body is not None:
            given["json"] = body
        answer = self.session.request(method, self.url + path, **given)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"
        self.called.add((method.lower(), route))
        return answer

    def __call__(self, method, place, body=None, **fields):
        answer = self.raw(method, f"/_bucketproof/{place}", body, **fields)
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.text


def code_of(call):
    try:
        call()
        return None
    except ClientError as error:
        return error.response["Error"]["Code"]


def whole_api(url):
    admin = Admin(url)
    api = admin("GET", "openapi.json")
    OpenAPIV31SpecValidator(api).validate()
    assert admin("GET", "health") == {"status": "ok"} and admin("GET", "ready") == {"status": "ready"}
    own, writer = s3(url), s3(url, "writer")

    # Snapshot, change, restore.
    own.put_object(Bucket="logs", Key="open/a", Body=b"first")
    assert admin("POST", "snapshots", {"name": "prepared"})["name"] == "prepared"
    own.put_object(Bucket="logs", Key="open/a", Body=b"second")
    admin("POST", "snapshots/{id}/restore", id="prepared")
    assert own.get_object(Bucket="logs", Key="open/a")["Body"].read() == b"first"
    assert [one["name"] for one in admin("GET", "snapshots")] == ["prepared"]
    admin("DELETE", "snapshots/{id}", id="prepared")
    admin("DELETE", "snapshots/{id}", id="prepared", status=404)

    # A world per worker.
    forks = [admin("POST", "forks", {"name": f"worker-{number}"}) for number in range(3)]
    for number, fork in enumerate(forks):
        s3(fork["endpoint"]).put_object(Bucket="logs", Key="open/a", Body=str(number).encode())
    for number, fork in enumerate(forks):
        assert s3(fork["endpoint"]).get_object(Bucket="logs", Key="open/a")["Body"].read() == str(number).encode()
    assert own.get_object(Bucket="logs", Key="open/a")["Body"].read() == b"first"
    assert len(admin("GET", "forks")) == 3
    for fork in forks:
        admin("DELETE", "forks/{id}", id=fork["id"])
    assert admin("GET", "forks") == []

    # A fault, once.
    fault = admin("POST", "faults", {"operation": "PutObject", "effect": "slow_down", "times": 1, "name": "busy"})
    assert code_of(lambda: writer.put_object(Bucket="logs", Key="open/b", Body=b"b")) == "SlowDown"
    assert code_of(lambda: writer.put_object(Bucket="logs", Key="open/b", Body=b"b")) is None
    assert [(one["name"], one["hits"]) for one in admin("GET", "faults")] == [("busy", 1)]
    admin("DELETE", "faults/{id}", id=fault["id"])
    admin("POST", "faults", {"effect": "drop_answer", "bucket": "none"})
    admin("DELETE", "faults")
    assert admin("GET", "faults") == []
    told = admin("POST", "faults", {"effect": "slow_dwn"}, status=400)
    assert "the effects are refuse, slow_down" in told, told
    told = admin("POST", "faults", {"effect": "slow_down", "opration": "PutObject"}, status=400)
    assert "unknown field `opration`, expected one of `name`, `operation`" in told, told

    # Why, and what if.
    assert code_of(lambda: writer.get_object(Bucket="logs", Key="open/a")) == "AccessDenied"
    [denied] = admin("GET", "requests", params={"outcome": "denied", "operation": "GetObject"})
    assert "s3:GetObject is not s3:PutObject" in denied["decisions"][0]["explanation"]
    whole = admin("GET", "requests/{id}", id=denied["request_id"])
    [policy] = whole["decisions"][0]["policies"]
    document = json.loads(policy["text"])
    document["Statement"][0]["Action"].append("s3:GetObject")
    edit = {"kind": policy["kind"], "name": policy["name"], "document": document}
    judged = admin("POST", "judge", {"request": denied["request_id"], "policies": [edit]})
    assert judged["allowed"] and judged["decisions"][0]["before"] == "ImplicitlyDenied", judged
    assert code_of(lambda: writer.get_object(Bucket="logs", Key="open/a")) == "AccessDenied"
    assert "DENIED (implicit)  s3:GetObject" in admin("GET", "decisions", params={"request": denied["request_id"]})

    # Time.
    frozen = admin("POST", "clock", {"pace": "frozen", "set": "2030-01-01T00:00:00Z"})
    assert frozen == {"now": "2030-01-01T00:00:00Z", "pace": "frozen"}
    assert admin("POST", "clock", {"advance_seconds": 1.5})["now"] == "2030-01-01T00:00:01.5Z"
    assert code_of(lambda: own.list_buckets()) == "RequestTimeTooSkewed"
    assert admin("GET", "clock")["pace"] == "frozen"
    for wrong in ({}, {"pace": "fast"}, {"sett": 1}, {"advance_seconds": -1}):
        admin("POST", "clock", wrong, status=400)

    assert admin("GET", "events") == {"waiting": [], "done": []}
    families = {family.name: family for family in text_string_to_metric_families(admin("GET", "metrics"))}
    puts = [
        sample.value for sample in families["bucketproof_requests"].samples
        if sample.labels == {"service": "s3", "operation": "PutObject", "status": "200"}
    ]
    assert puts == [3.0], puts
    assert families["bucketproof_clock_seconds"].samples[0].value == 1893456001.5

    scenario = admin("GET", "scenario")
    admin("PUT", "scenario", scenario.replace('"logs"', '"other"'))
    admin("POST", "clock", {"pace": "system"})
    admin("POST", "reset")
    assert admin("GET", "requests") == []
    told = admin("PUT", "scenario", '[[account]]\nid = "1"\nname = "x"\n', status=400)
    assert "field `id` of the account is `1`" in told, told
    admin("DELETE", "requests")

    for file in ("", "/console.css", "/console.js"):
        page = admin.raw("GET", "/_bucketproof/console" + ("/{id}" if file else ""), id=file.strip("/"))
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert admin.raw("GET", "/_localstack/health").json()["services"]["s3"] == "running"
    assert admin.raw("GET", "/_localstack/init/ready").json()["completed"] is True
    assert admin.raw("GET", "/_localstack/init").json()["completed"]["READY"] is True

    described = {(method, path) for path, methods in api["paths"].items() for method in methods}
    # Exports of the journal have a check of their own; here it is enough that they answer.
    for method, path in described - admin.called:
        assert method == "get" and "{id}" not in path, f"never called here: {method} {path}"
        admin.raw("GET", path)
    assert "there is no `/_bucketproof/nowhere`" in admin("GET", "nowhere", status=404)
    admin("PATCH", "faults", status=405)

    # Pages of other sites, and names that others may point here.
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"host": "evil.example"}, {"sec-fetch-site": "cross-site"}):
        admin("POST", "reset", status=403, headers=headers)
        admin("GET", "requests", status=403, headers=headers)


def with_a_token(arguments, environment):
    with serving(*arguments, environment=environment) as url:
        without = Admin(url)
        without("GET", "health")
        assert "asks for its token" in without("GET", "requests", status=401)
        wrong = Admin(url, authorization="Bearer another-token-of-the-admin")
        assert "not the token" in wrong("GET", "requests", status=401)
        having = Admin(url, authorization=f"Bearer {TOKEN}")
        fork = having("POST", "forks")
        Admin(fork["endpoint"])("GET", "requests", status=401)
        Admin(fork["endpoint"], authorization=f"Bearer {TOKEN}")("GET", "requests")
        code_of(lambda: s3(url, "writer").get_object(Bucket="logs", Key="a"))
        for token, code in ((None, 3), (TOKEN, 0)):
            given = {**os.environ, **({"BUCKETPROOF_ADMIN_TOKEN": token} if token else {})}
            why = subprocess.run([PROGRAM, "why", "--endpoint", url], env=given, capture_output=True, text=True)
            assert why.returncode == code, (why.returncode, why.stderr)
            assert ("DENIED" in why.stdout) == (code == 0) and TOKEN not in why.stdout + why.stderr


def refused_tokens(folder):
    file = pathlib.Path(folder, "token")
    for text, told in (("short", "fewer than 16 characters"), ("sixteen letters and a space", "cannot stand in a header")):
        file.write_text(text)
        for arguments, environment in ((["--admin-token-file", file], {}), ([], {"BUCKETPROOF_ADMIN_TOKEN": text})):
            ended = subprocess.run(
                [PROGRAM, "serve", "--listen", "127.0.0.1:0", *arguments], env={**os.environ, **environment},
                capture_output=True, text=True)
            assert ended.returncode == 2 and told in ended.stderr and text not in ended.stderr, ended.stderr
    missing = subprocess.run(
        [PROGRAM, "serve", "--admin-token-file", "/missing/token"], capture_output=True, text=True)
    assert missing.returncode == 2 and "cannot read `/missing/token`" in missing.stderr, missing.stderr


def main():
    with serving() as url:
        whole_api(url)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "token")
        file.write_text(f"{TOKEN}\n")
        with_a_token(["--admin-token-file", file], {})
        with_a_token([], {"BUCKETPROOF_ADMIN_TOKEN": TOKEN})
        refused_tokens(folder)
    print("admin API: every route called, OpenAPI 3.1 valid, metrics read by Prometheus's parser, tokens asked for and kept")


main()
