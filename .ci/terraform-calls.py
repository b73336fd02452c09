"""Plays the API calls that resources of Terraform's AWS provider make when they are created, read, updated and deleted.

Usage: terraform-calls.py FOLDER, where FOLDER holds the built `bucketproof-emulator`. Everything stays on loopback.

The calls are data: fixtures/terraform/*.toml. Each must end as on AWS: with success, or with the code which the provider
takes for "not there". What the emulator refuses by name is listed as `refused` and must say so.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-emulator"
LISTS = pathlib.Path(__file__).resolve().parent.parent / "fixtures/terraform"
ACCOUNT, REGION = "111122223333", "us-east-1"
SCENARIO = f"""
[[account]]
id = "{ACCOUNT}"
name = "customer"
[[account.user]]
name = "administrator"
policies = ['{{ "Version": "2012-10-17", "Statement": [{{ "Effect": "Allow", "Action": "*", "Resource": "*" }}] }}']
[[account.user.access_key]]
id = "AKIACUSTOMEREXAMPLE0"
secret = "customerAdministrator/forTests/EXAMPLE00"
"""
# How a service says that it knows an action and does not do it.
REFUSALS = {"NotImplemented", "UnsupportedOperationException", "UnknownOperationException", "InvalidAction",
            "AWS.SimpleQueueService.UnsupportedOperation"}


@contextlib.contextmanager
def emulator():
    """A served emulator, by its URL."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder, "scenario.toml")
        scenario.write_text(SCENARIO)
        process = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0", "--scenario", scenario],
                                   stdout=subprocess.PIPE, text=True)
        try:
            yield re.search(r"http://\S+", process.stdout.readline()).group()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


class Clients:
    """boto3 clients by service, made once."""

    def __init__(self, url):
        self.url, self.made = url, {}

    def call(self, name, parameters):
        service, action = name.split(".")
        if service not in self.made:
            self.made[service] = boto3.client(
                service, endpoint_url=self.url.replace("127.0.0.1", "localhost"), region_name=REGION, aws_access_key_id="AKIACUSTOMEREXAMPLE0",
                aws_secret_access_key="customerAdministrator/forTests/EXAMPLE00",
                config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))
        client = self.made[service]
        methods = {api: method for method, api in client.meta.method_to_api_mapping.items()}
        return getattr(client, methods[action])(**parameters)


resolve = socket.getaddrinfo


def resolve_below_localhost(host, *more, **options):
    """Clients of S3 Control put the account before the host; not every machine knows names below `localhost`."""
    return resolve("127.0.0.1" if str(host).endswith("localhost") else host, *more, **options)


def filled(value, kept):
    """`value` with what its `$name`s stand for."""
    if isinstance(value, str):
        return re.sub(r"\$([a-z]+)", lambda name: kept[name.group(1)], value)
    if isinstance(value, dict):
        return {name: filled(inner, kept) for name, inner in value.items()}
    return [filled(inner, kept) for inner in value] if isinstance(value, list) else value


def within(answer, path):
    for step in path.split("."):
        if isinstance(answer, list):
            answer = answer[int(step)] if int(step) < len(answer) else None
        else:
            answer = (answer or {}).get(step)
    return answer


def play(clients, resource, calls):
    """Plays the calls; how many were answered, and how many of these were refused by name."""
    kept = {"account": ACCOUNT, "region": REGION, "long": "<md>" + "x" * 1000 + "</md>"}
    refused = 0
    for when, name, parameters, *end in calls:
        expected = end[0] if end else ""
        try:
            answer, code, text = clients.call(name, filled(parameters, kept)), "", ""
        except ClientError as error:
            answer, code = error.response, error.response["Error"]["Code"]
            text = error.response["Error"].get("Message", "") + str(error.response)
        if expected == "refused":
            refused += 1
            fits = code in REFUSALS and re.search(name.split(".")[1] + "|not supported|not implemented", text, re.I)
        else:
            fits = code == expected
        if not fits:
            sys.exit(f"{resource}: {when} {name} {parameters}\n  ends with `{code}` {text}\n  expected `{expected}`")
        for key, path in resource_keep.items():
            if (value := within(answer, path)) is not None:
                kept[key] = value
    return len(calls), refused


socket.getaddrinfo = resolve_below_localhost
os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull,
                  AWS_SHARED_CREDENTIALS_FILE=os.devnull)
calls = refusals = resources = 0
with emulator() as url:
    clients = Clients(url)
    for path in sorted(LISTS.glob("*.toml")):
        listed = tomllib.loads(path.read_text())
        for resource in listed["resource"]:
            resource_keep = resource.get("keep", {})
            setup = resource.get("setup")
            before = listed["setup"][setup] if setup else []
            after = listed.get("teardown", {}).get({"versioned": "bucket", "acls": "bucket"}.get(setup, setup), [])
            played, refused = play(clients, resource["type"], before + resource["calls"] + after)
            calls, refusals, resources = calls + played, refusals + refused, resources + 1
print(f"{resources} resources, {calls} calls answered as AWS answers them, {refusals} refused by name")
