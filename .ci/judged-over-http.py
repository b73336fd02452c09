"""Replays judged cases of PutBucketPolicy and of ACLs, ownership and grants against `serve`, each on buckets of its own.

Usage: judged-over-http.py FOLDER putbucketpolicy_validation.jsonl acl_ownership_grants.jsonl
FOLDER holds the built programs. Fails below the agreed shares. Everything stays on loopback.
"""

import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

POLICY_SHARE_MIN = 0.9
OWNER, OTHER = "111122223333", "222233334444"
CANONICAL = {OWNER: "1" * 64, OTHER: "2" * 64}
SCENARIO = """
[[account]]
id = "111122223333"
name = "owner"
canonical_id = "{owner}"
[[account.access_key]]
id = "AKIAOWNERROOTEXAMPLE"
secret = "owner root for tests"
[[account.user]]
name = "bare"
access_key = [{{ id = "AKIAOWNERBAREEXAMPLE", secret = "owner bare for tests" }}]
[[account.role]]
name = "roleX"
trust = '{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"111122223333"}},"Action":"sts:AssumeRole"}}}}'
[[account.user]]
name = "starter"
policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}}}']
access_key = [{{ id = "AKIASTARTERXXEXAMPLE", secret = "starter for tests" }}]

[[account]]
id = "222233334444"
name = "other"
canonical_id = "{other}"
[[account.user]]
name = "full"
policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}}']
access_key = [{{ id = "AKIAOTHERFULLEXAMPLE", secret = "other full for tests" }}]
[[account.user]]
name = "bare"
access_key = [{{ id = "AKIAOTHERBAREEXAMPLE", secret = "other bare for tests" }}]
""".format(owner=CANONICAL[OWNER], other=CANONICAL[OTHER])

ALLOW_OTHER = {
    "Effect": "Allow",
    "Principal": {"AWS": OTHER},
    "Action": ["s3:PutObject", "s3:PutObjectAcl"],
}
GRANTS = {
    "READ": "GrantRead",
    "WRITE": "GrantWrite",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
    "FULL_CONTROL": "GrantFullControl",
}
numbers = itertools.count(1)


class World:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.owner = self.client("s3", "AKIAOWNERROOTEXAMPLE", "owner root for tests")
        self.callers = {
            "bucketOwner": self.owner,
            "otherAccount(allowed by policy)": self.client("s3", "AKIAOTHERFULLEXAMPLE", "other full for tests"),
            "otherAccount user with identity s3:*": self.client("s3", "AKIAOTHERFULLEXAMPLE", "other full for tests"),
            "otherAccount user without identity policy": self.client("s3", "AKIAOTHERBAREEXAMPLE", "other bare for tests"),
            "user in owner account, no identity policy": self.client("s3", "AKIAOWNERBAREEXAMPLE", "owner bare for tests"),
            "anonymous": boto3.client(
                "s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
            ),
        }

    def client(self, service, key, secret, token=None):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    def bucket(self, state, name=None):
        """A new bucket in the state of the case, with an object `k` of its owner where none is said."""
        name = name or f"case-{next(numbers)}"
        self.owner.create_bucket(Bucket=name, ObjectOwnership=state.get("ownership", "BucketOwnerEnforced"))
        blocked = state.get("publicAccessBlock")
        if blocked is None:
            self.owner.delete_public_access_block(Bucket=name)
        else:
            self.owner.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
        if state.get("ownership"):
            statement = dict(ALLOW_OTHER, Resource=f"arn:aws:s3:::{name}/allowed/*")
            policy = {"Version": "2012-10-17", "Statement": statement}
            self.owner.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        if "bucketAcl" in state:
            self.owner.put_bucket_acl(Bucket=name, ACL=state["bucketAcl"])
        if "bucketGrant" in state:
            self.owner.put_bucket_acl(Bucket=name, **self.grant(state["bucketGrant"], state["grantee"]))
        return name

    def grant(self, permission, grantee):
        account = OTHER if grantee.endswith("otherAccount") else OWNER
        return {GRANTS[permission]: f'id="{CANONICAL[account]}"'}

    def object(self, bucket, state):
        """The object of the case; answers its key."""
        if state.get("objectOwner") == "otherAccount":
            key, writer = "allowed/k", self.callers["otherAccount(allowed by policy)"]
        else:
            key, writer = "k", self.owner
        more = {"ACL": state["objectAcl"]} if "objectAcl" in state else {}
        writer.put_object(Bucket=bucket, Key=key, Body=b"data", **more)
        if "objectGrant" in state:
            self.owner.put_object_acl(Bucket=bucket, Key=key, **self.grant(state["objectGrant"], state["grantee"]))
        return key

    def ask(self, state, request):
        if "kmsGrant" in state:
            return self.decrypt_under_grant(state["kmsGrant"], request)
        bucket = self.bucket(state)
        if request.get("question") == "object owner":
            more = {"ACL": request["x-amz-acl"]} if request["x-amz-acl"] else {}
            other = self.callers["otherAccount(allowed by policy)"]
            other.put_object(Bucket=bucket, Key="allowed/k", Body=b"data", **more)
            return self.owner_of(bucket, "allowed/k")
        key = self.object(bucket, state)
        caller = self.callers[request["principal"]]
        operation = request.get("op") or request["action"].removeprefix("s3:")
        if operation == "PutObject":
            more = {"ACL": request["x-amz-acl"]} if request.get("x-amz-acl") else {}
            key = "allowed/new" if "allowed by policy" in request["principal"] else "new"
            return answered(caller.put_object, Bucket=bucket, Key=key, Body=b"data", **more)
        calls = {
            "GetObject": (caller.get_object, {"Key": key}),
            "DeleteObject": (caller.delete_object, {"Key": key}),
            "GetObjectAcl": (caller.get_object_acl, {"Key": key}),
            "PutObjectAcl": (caller.put_object_acl, {"Key": key, "ACL": "private"}),
            "GetBucketAcl": (caller.get_bucket_acl, {}),
            "PutBucketAcl": (caller.put_bucket_acl, {"ACL": "private"}),
            "ListBucket": (caller.list_objects_v2, {}),
            "ListBucketMultipartUploads": (caller.list_multipart_uploads, {}),
            "PutBucketOwnershipControls": (
                caller.put_bucket_ownership_controls,
                {"OwnershipControls": {"Rules": [{"ObjectOwnership": request.get("value", "")}]}},
            ),
        }
        call, arguments = calls[operation]
        return answered(call, Bucket=bucket, **arguments)

    def owner_of(self, bucket, key):
        """Whoever owns the object may read its ACL; the one who may names the owner."""
        for caller in (self.owner, self.callers["otherAccount(allowed by policy)"]):
            try:
                owner = caller.get_object_acl(Bucket=bucket, Key=key)["Owner"]["ID"]
            except ClientError:
                continue
            return {CANONICAL[OWNER]: "bucketOwner", CANONICAL[OTHER]: "otherAccount"}[owner]
        return "nobody may read the ACL"

    def decrypt_under_grant(self, grant, request):
        kms = self.client("kms", "AKIAOWNERROOTEXAMPLE", "owner root for tests")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        role = f"arn:aws:iam::{OWNER}:role/{grant['grantee']}"
        kms.create_grant(
            KeyId=key, GranteePrincipal=role, Operations=grant["operations"], Constraints=grant["constraints"]
        )
        context = request["encryptionContext"]
        sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
        sts = self.client("sts", "AKIASTARTERXXEXAMPLE", "starter for tests")
        session = sts.assume_role(RoleArn=role, RoleSessionName="case")["Credentials"]
        keys = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
        return answered(self.client("kms", *keys).decrypt, CiphertextBlob=sealed, EncryptionContext=context)


def answered(call, **arguments):
    try:
        return str(call(**arguments)["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        code = error.response["Error"]["Code"].removesuffix("Exception")
        return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {code}"


def agrees(expected, found):
    if expected == "Allowed":
        return found in ("200", "204")
    if expected == "ImplicitlyDenied":
        return found in ("403 AccessDenied", "400 AccessDenied")
    return expected == found


def judge_policies(world, cases):
    wrong = []
    for case in cases:
        name = world.bucket({"publicAccessBlock": case.get("publicAccessBlock")}, case["bucket"])
        expected, found = case["expect"], {}
        try:
            answer = world.owner.put_bucket_policy(Bucket=name, Policy=case["policy"])
            found["status"] = answer["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            found["status"] = error.response["ResponseMetadata"]["HTTPStatusCode"]
            found["code"] = error.response["Error"]["Code"]
            found["message"] = error.response["Error"]["Message"]
        if any(found.get(field) != value for field, value in expected.items()):
            wrong.append(f"{case['id']}: expected {expected}, found {found}")
        world.owner.delete_bucket(Bucket=name)
    return wrong


def judge_access(world, cases):
    wrong = []
    for case in cases:
        found = world.ask(case["state"], case["request"])
        if not agrees(case["expected"], found):
            wrong.append(f"{case['id']}: expected {case['expected']}, found {found}")
    return wrong


def read(path):
    return [json.loads(line) for line in open(path)]


def main():
    programs, policies, access = pathlib.Path(sys.argv[1]), read(sys.argv[2]), read(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder, "scenario.toml")
        scenario.write_text(SCENARIO)
        command = [programs / "bucketproof-emulator", "serve", "--listen", "127.0.0.1:0", "--scenario", scenario]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            line = server.stdout.readline().strip()
            if not line.startswith("listening on "):
                sys.exit(f"the emulator did not start: {line}")
            world = World(line.removeprefix("listening on "))
            wrong_policies, wrong_access = judge_policies(world, policies), judge_access(world, access)
        finally:
            server.terminate()
            server.wait(timeout=10)
    print("\n".join(wrong_policies + wrong_access))
    print(f"{len(policies) - len(wrong_policies)} of {len(policies)} answers to PutBucketPolicy agree")
    print(f"{len(access) - len(wrong_access)} of {len(access)} answers on ACLs, ownership and grants agree")
    share = 1 - len(wrong_policies) / len(policies)
    sys.exit(0 if policies and access and share >= POLICY_SHARE_MIN and not wrong_access else 1)


main()
