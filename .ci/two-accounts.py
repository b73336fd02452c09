"""Sets up a customer and a vendor through the APIs alone, as their set-up pages say, and takes one statement away at a time.

Usage: two-accounts.py FOLDER, where FOLDER holds the built `bucketproof-emulator`. Everything stays on loopback.

The documents are those of the vendors' pages: Split's bucket policy for outbound data and its key policy for SSE-KMS,
SuprSend's export policy and trust policy. Each must suffice as it stands, and no statement, action or condition of it
may be missing: the call that needs it is then refused, with AWS's code.
"""

import contextlib
import copy
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import boto3
from botocore.exceptions import ClientError

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-emulator"
CUSTOMER, VENDOR = "111122223333", "444455556666"
KEYS = {
    CUSTOMER: ("AKIACUSTOMEREXAMPLE0", "customerAdministrator/forTests/EXAMPLE00"),
    VENDOR: ("AKIAVENDORXEXAMPLE00", "vendorAdministrator/forTests/0/EXAMPLE00"),
}
# Accounts cannot be made through these APIs; each begins with one administrator and nothing else.
SCENARIO = "".join(f"""
[[account]]
id = "{account}"
name = "account-{account}"
[[account.user]]
name = "administrator"
policies = ['{{ "Version": "2012-10-17", "Statement": [{{ "Effect": "Allow", "Action": "*", "Resource": "*" }}] }}']
[[account.user.access_key]]
id = "{key}"
secret = "{secret}"
""" for account, (key, secret) in KEYS.items())
REGION = "us-east-1"
BUCKET, PREFIX = "customer-impressions", "impressions"
EXPORTS = "customer-suprsend-logs"
EXTERNAL_ID = "7f1c2a44-9d0b-4c1e-8a55-1b2c3d4e5f60"
SPLIT_ROLE = f"arn:aws:iam::{VENDOR}:role/split-impressions"
SUPRSEND_ROLE = f"arn:aws:iam::{CUSTOMER}:role/suprsend_s3_role"

SPLIT_BUCKET_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": SPLIT_ROLE}, "Action": "s3:ListBucket",
         "Resource": f"arn:aws:s3:::{BUCKET}"},
        {"Effect": "Allow", "Principal": {"AWS": SPLIT_ROLE},
         "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"],
         "Resource": f"arn:aws:s3:::{BUCKET}/{PREFIX}/*"},
    ],
}
SPLIT_KEY_POLICY = {
    "Version": "2012-10-17",
    "Id": "cross-account-policy",
    "Statement": [
        {"Sid": "KMSOwner", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CUSTOMER}:root"},
         "Action": "kms:*", "Resource": "*"},
        {"Sid": "KMSCrossAccount", "Effect": "Allow", "Principal": {"AWS": SPLIT_ROLE},
         "Action": ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"},
    ],
}
SUPRSEND_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "SuprSendS3ExportAccess", "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:ListBucket", "s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{EXPORTS}/*", f"arn:aws:s3:::{EXPORTS}"],
    }],
}
SUPRSEND_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }],
}

checked = 0


def holds(what, truth):
    global checked
    checked += 1
    if not truth:
        sys.exit(f"does not hold: {what}")


def code_of(call):
    """The code that `call` is refused with, or None."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def works(what, call):
    code = code_of(call)
    holds(f"{what}: found {code}", code is None)


def refused(what, code, call):
    found = code_of(call)
    holds(f"{what}: {code}, found {found}", found == code)


def without(document, statement, action=None):
    """`document` without a statement, or without one action of it."""
    less = copy.deepcopy(document)
    if action is None:
        del less["Statement"][statement]
    else:
        less["Statement"][statement]["Action"].remove(action)
    return less


class Account:
    """The clients of one pair of keys."""

    def __init__(self, endpoint, key, secret, token=None):
        self.words = (endpoint, key, secret, token)
        make = lambda service: boto3.client(
            service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret,
            aws_session_token=token)
        self.s3, self.iam, self.sts, self.kms = make("s3"), make("iam"), make("sts"), make("kms")

    def assume(self, role, **more):
        session = self.sts.assume_role(RoleArn=role, RoleSessionName="export", **more)["Credentials"]
        return Account(self.words[0], session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


def user_with_key(administrator, endpoint, name, policy):
    administrator.iam.create_user(UserName=name)
    administrator.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = administrator.iam.create_access_key(UserName=name)["AccessKey"]
    return Account(endpoint, key["AccessKeyId"], key["SecretAccessKey"])


def allow(actions, resources):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}


def split(endpoint, customer, vendor):
    """The vendor's own role writes into the customer's bucket, under the customer's key."""
    worker = user_with_key(vendor, endpoint, "worker", allow("sts:AssumeRole", SPLIT_ROLE))
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:user/worker"}, "Action": "sts:AssumeRole"}]}
    vendor.iam.create_role(RoleName="split-impressions", AssumeRolePolicyDocument=json.dumps(trust))
    customer.s3.create_bucket(Bucket=BUCKET)
    key = customer.kms.create_key(Description="impressions", Policy=json.dumps(SPLIT_KEY_POLICY))["KeyMetadata"]["Arn"]
    identity = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"],
         "Resource": f"arn:aws:s3:::{BUCKET}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
        {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": key},
    ]}

    def set_identity(document):
        vendor.iam.put_role_policy(RoleName="split-impressions", PolicyName="export",
                                   PolicyDocument=json.dumps(document))

    def set_bucket(document):
        customer.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))

    def set_key(document, **more):
        customer.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(document), **more)

    set_identity(identity)
    set_bucket(SPLIT_BUCKET_POLICY)
    role = worker.assume(SPLIT_ROLE)
    name = f"{PREFIX}/day=1/part-0.parquet"
    calls = {
        "put": lambda: role.s3.put_object(Bucket=BUCKET, Key=name, Body=b"PAR1", ACL="bucket-owner-full-control",
                                          ServerSideEncryption="aws:kms", SSEKMSKeyId=key),
        "put under no ACL": lambda: role.s3.put_object(Bucket=BUCKET, Key=name, Body=b"PAR1",
                                                       ServerSideEncryption="aws:kms", SSEKMSKeyId=key),
        "get": lambda: role.s3.get_object(Bucket=BUCKET, Key=name),
        "list": lambda: role.s3.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX),
        "delete": lambda: role.s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/transactional"),
        "describe": lambda: role.kms.describe_key(KeyId=key),
    }

    def only_refused(what, *refusals):
        """Exactly these calls are refused; all others still work."""
        for call, do in calls.items():
            expected = None
            if call in refusals:
                expected = "AccessDeniedException" if call == "describe" else "AccessDenied"
            found = code_of(do)
            holds(f"{what}: {call}: {expected}, found {found}", found == expected)

    only_refused("all documents in force")
    written = role.s3.head_object(Bucket=BUCKET, Key=name)
    holds("encrypted under the key", (written["ServerSideEncryption"], written["SSEKMSKeyId"]) == ("aws:kms", key))
    holds("the bucket's owner reads it", customer.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == b"PAR1")
    acl = customer.s3.get_object_acl(Bucket=BUCKET, Key=name)
    holds("the bucket's owner owns it", [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"])
    refused("beside the prefix", "AccessDenied",
            lambda: role.s3.put_object(Bucket=BUCKET, Key="elsewhere", Body=b"1"))
    refused("a missing object, to one who may list", "NoSuchKey",
            lambda: role.s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}/none"))

    set_bucket(without(SPLIT_BUCKET_POLICY, 0))
    only_refused("bucket policy without ListBucket", "list")
    refused("a missing object, to one who may not list", "AccessDenied",
            lambda: role.s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}/none"))
    set_bucket(without(SPLIT_BUCKET_POLICY, 1))
    only_refused("bucket policy without the objects", "put", "put under no ACL", "get", "delete")
    puts = ("put", "put under no ACL")
    for action, lost in [("s3:GetObject", ["get"]), ("s3:PutObject", puts), ("s3:PutObjectAcl", ["put"]),
                         ("s3:DeleteObject", ["delete"])]:
        set_bucket(without(SPLIT_BUCKET_POLICY, 1, action))
        only_refused(f"bucket policy without {action}", *lost)
    customer.s3.delete_bucket_policy(Bucket=BUCKET)
    only_refused("no bucket policy", "put", "put under no ACL", "get", "list", "delete")
    set_bucket(SPLIT_BUCKET_POLICY)

    for statement, lost in [(0, ["put", "put under no ACL", "get", "delete"]), (1, ["list"]),
                            (2, ["put", "put under no ACL", "get", "describe"])]:
        set_identity(without(identity, statement))
        only_refused(f"the role without statement {statement + 1} of its policy", *lost)
    set_identity(identity)

    set_key(without(SPLIT_KEY_POLICY, 1))
    only_refused("key policy without KMSCrossAccount", "put", "put under no ACL", "get", "describe")
    for action, lost in [("kms:GenerateDataKey", puts), ("kms:Decrypt", ["get"]), ("kms:DescribeKey", ["describe"])]:
        set_key(without(SPLIT_KEY_POLICY, 1, action))
        only_refused(f"key policy without {action}", *lost)
    set_key(SPLIT_KEY_POLICY)
    customer.kms.disable_key(KeyId=key)
    refused("a disabled key", "KMS.DisabledException", calls["put"])
    customer.kms.enable_key(KeyId=key)
    only_refused("all documents in force again")
    refused("key policy without KMSOwner", "MalformedPolicyDocumentException",
            lambda: set_key(without(SPLIT_KEY_POLICY, 0)))
    set_key(without(SPLIT_KEY_POLICY, 0), BypassPolicyLockoutSafetyCheck=True)
    only_refused("key policy without KMSOwner, to the vendor")
    refused("key policy without KMSOwner, to its owner", "AccessDeniedException",
            lambda: customer.kms.describe_key(KeyId=key))
    refused("key policy without KMSOwner, to the bucket's owner", "AccessDenied",
            lambda: customer.s3.get_object(Bucket=BUCKET, Key=name))


def suprsend(endpoint, customer, vendor):
    """The vendor's user assumes a role of the customer."""
    customer.s3.create_bucket(Bucket=EXPORTS)
    customer.iam.create_role(RoleName="suprsend_s3_role", AssumeRolePolicyDocument=json.dumps(SUPRSEND_TRUST))
    policy = customer.iam.create_policy(PolicyName="suprsend_s3_policy", PolicyDocument=json.dumps(SUPRSEND_POLICY))
    policy = policy["Policy"]["Arn"]
    customer.iam.attach_role_policy(RoleName="suprsend_s3_role", PolicyArn=policy)
    exporter = user_with_key(vendor, endpoint, "exporter", allow("sts:AssumeRole", SUPRSEND_ROLE))
    stranger = user_with_key(vendor, endpoint, "stranger", allow("s3:*", "*"))

    assume = lambda **more: exporter.assume(SUPRSEND_ROLE, **more)
    refused("no external id", "AccessDenied", assume)
    refused("another case", "AccessDenied", lambda: assume(ExternalId=EXTERNAL_ID.upper()))
    refused("a blank after it", "ValidationError", lambda: assume(ExternalId=EXTERNAL_ID + " "))
    refused("a user who may not assume", "AccessDenied",
            lambda: stranger.assume(SUPRSEND_ROLE, ExternalId=EXTERNAL_ID))
    role = assume(ExternalId=EXTERNAL_ID)
    holds("who it is", role.sts.get_caller_identity()["Arn"]
          == f"arn:aws:sts::{CUSTOMER}:assumed-role/suprsend_s3_role/export")
    calls = {
        "s3:PutObject": lambda: role.s3.put_object(Bucket=EXPORTS, Key="year=2025/requests.parquet", Body=b"PAR1"),
        "s3:GetObject": lambda: role.s3.get_object(Bucket=EXPORTS, Key="year=2025/requests.parquet"),
        "s3:ListBucket": lambda: role.s3.list_objects_v2(Bucket=EXPORTS),
    }
    for action, call in calls.items():
        works(action, call)
    refused("what is not in the policy", "AccessDenied",
            lambda: role.s3.delete_object(Bucket=EXPORTS, Key="year=2025/requests.parquet"))
    for missing in calls:
        less = customer.iam.create_policy_version(
            PolicyArn=policy, PolicyDocument=json.dumps(without(SUPRSEND_POLICY, 0, missing)), SetAsDefault=True)
        for action, call in calls.items():
            expected = "AccessDenied" if action == missing else None
            found = code_of(call)
            holds(f"without {missing}: {action}: {expected}, found {found}", found == expected)
        customer.iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
        customer.iam.delete_policy_version(PolicyArn=policy, VersionId=less["PolicyVersion"]["VersionId"])
    customer.iam.detach_role_policy(RoleName="suprsend_s3_role", PolicyArn=policy)
    for action, call in calls.items():
        refused(f"no policy: {action}", "AccessDenied", call)
    customer.iam.attach_role_policy(RoleName="suprsend_s3_role", PolicyArn=policy)

    nobody = copy.deepcopy(SUPRSEND_TRUST)
    nobody["Statement"][0]["Principal"]["AWS"] = f"arn:aws:iam::{CUSTOMER}:root"
    customer.iam.update_assume_role_policy(RoleName="suprsend_s3_role", PolicyDocument=json.dumps(nobody))
    refused("a trust policy that does not name the vendor", "AccessDenied", lambda: assume(ExternalId=EXTERNAL_ID))
    customer.iam.update_assume_role_policy(RoleName="suprsend_s3_role", PolicyDocument=json.dumps(SUPRSEND_TRUST))
    works("trusted again", lambda: assume(ExternalId=EXTERNAL_ID))
    customer.iam.detach_role_policy(RoleName="suprsend_s3_role", PolicyArn=policy)
    customer.iam.delete_role(RoleName="suprsend_s3_role")
    refused("a session of a role that is gone", "InvalidAccessKeyId", calls["s3:ListBucket"])


def with_aws_cli(endpoint, folder):
    """The same in short with the AWS CLI, in a bucket and with a key of their own."""
    aws = pathlib.Path(sys.executable).parent / "aws"
    if not aws.exists():
        print("the AWS CLI is not installed beside this Python; skipped")
        return

    def run(keys, *words, code=None):
        environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION,
                       "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1]}
        environment.pop("AWS_SESSION_TOKEN", None)
        if len(keys) == 3:
            environment["AWS_SESSION_TOKEN"] = keys[2]
        done = subprocess.run([aws, *words], env=environment, capture_output=True, text=True, check=False)
        found = re.search(r"An error occurred \(([\w.]+)\)", done.stderr)
        found = found.group(1) if found else (done.stderr.strip() or None)
        holds(f"aws {' '.join(words)}: {code}, found {found}", found == code)
        return json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}

    bucket, role = "customer-by-cli", f"arn:aws:iam::{VENDOR}:role/by-cli"
    adapt = lambda document: json.dumps(document).replace(SPLIT_ROLE, role).replace(BUCKET, bucket)
    customer, vendor = KEYS[CUSTOMER], KEYS[VENDOR]
    run(vendor, "iam", "create-user", "--user-name", "by-cli")
    run(vendor, "iam", "put-user-policy", "--user-name", "by-cli", "--policy-name", "own",
        "--policy-document", json.dumps(allow("sts:AssumeRole", role)))
    made = run(vendor, "iam", "create-access-key", "--user-name", "by-cli")["AccessKey"]
    user = (made["AccessKeyId"], made["SecretAccessKey"])
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:user/by-cli"}, "Action": "sts:AssumeRole"}]}
    run(vendor, "iam", "create-role", "--role-name", "by-cli", "--assume-role-policy-document", json.dumps(trust))
    run(vendor, "iam", "put-role-policy", "--role-name", "by-cli", "--policy-name", "export",
        "--policy-document", json.dumps(allow(["s3:*", "kms:*"], "*")))
    run(customer, "s3api", "create-bucket", "--bucket", bucket)
    run(customer, "s3api", "put-bucket-policy", "--bucket", bucket, "--policy", adapt(SPLIT_BUCKET_POLICY))
    key = run(customer, "kms", "create-key", "--policy", adapt(SPLIT_KEY_POLICY))["KeyMetadata"]["Arn"]
    session = run(user, "sts", "assume-role", "--role-arn", role, "--role-session-name", "cli")["Credentials"]
    session = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    body = folder / "body"
    body.write_bytes(b"PAR1")
    put = ("s3api", "put-object", "--bucket", bucket, "--key", f"{PREFIX}/a", "--body", str(body), "--acl",
           "bucket-owner-full-control", "--server-side-encryption", "aws:kms", "--ssekms-key-id", key)
    run(session, *put)
    set_key = ("kms", "put-key-policy", "--key-id", key, "--policy-name", "default", "--policy")
    run(customer, *set_key, adapt(without(SPLIT_KEY_POLICY, 1)))
    run(session, *put, code="AccessDenied")
    run(customer, *set_key, adapt(SPLIT_KEY_POLICY))
    run(session, *put)
    run(customer, "s3api", "put-bucket-policy", "--bucket", bucket, "--policy", adapt(without(SPLIT_BUCKET_POLICY, 1)))
    run(session, *put, code="AccessDenied")


@contextlib.contextmanager
def served(folder):
    scenario = folder / "scenario.toml"
    scenario.write_text(SCENARIO)
    server = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0", "--scenario", scenario],
                              stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"listening on (\S+)", server.stdout.readline()).group(1)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=10)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with served(folder) as endpoint:
            customer, vendor = (Account(endpoint, *KEYS[account]) for account in (CUSTOMER, VENDOR))
            split(endpoint, customer, vendor)
            suprsend(endpoint, customer, vendor)
            with_aws_cli(endpoint, folder)
    print(f"{checked} statements about two accounts hold")


main()
