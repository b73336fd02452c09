"""Has a bucket tell a topic and a queue of its objects, set up through the APIs alone, as a vendor's set-up page says.

Usage: events.py FOLDER, where FOLDER holds the built `bucketproof-emulator`. Everything stays on loopback.

The topic policy is Split's, added to the policy that the topic has. An HTTP and an HTTPS subscriber confirm, get the events and
verify each signature with the `cryptography` package, whose code is not the signer's. Then the statement, its action,
its principal and what each of its conditions names are taken away in turn: S3 may not publish any more, and
PutBucketNotificationConfiguration is refused with AWS's code and words.
"""

import base64
import contextlib
import copy
import datetime
import http.server
import ipaddress
import json
import os
import pathlib
import queue
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

import boto3
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-emulator"
ACCOUNT, OTHER = "111122223333", "444455556666"
KEYS = {
    ACCOUNT: ("AKIACUSTOMEREXAMPLE0", "customerAdministrator/forTests/EXAMPLE00"),
    OTHER: ("AKIAVENDORXEXAMPLE00", "vendorAdministrator/forTests/0/EXAMPLE00"),
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
BUCKET = "customer-events"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:split-events"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:split-events"
STATEMENT = {
    "Sid": "S3 Events Notification",
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "SNS:Publish",
    "Resource": TOPIC,
    "Condition": {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"},
    },
}
NOTIFICATIONS = {
    "TopicConfigurations": [{"Id": "to-topic", "TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"],
                             "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}}],
    "QueueConfigurations": [{"Id": "to-queue", "QueueArn": QUEUE, "Events": ["s3:ObjectRemoved:*"]}],
}

checked = 0


def holds(what, truth):
    global checked
    checked += 1
    if not truth:
        sys.exit(f"does not hold: {what}")


def refusal(call):
    """The error that `call` is refused with, or None."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]
    return None


def refused(what, code, call):
    found = (refusal(call) or {}).get("Code")
    holds(f"{what}: {code}, found {found}", found == code)


class Subscriber:
    """An HTTP server that hands on what it gets; `status` is what it answers, `tls` its certificate and key."""

    def __init__(self, status=200, tls=None):
        self.messages = queue.Queue()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.messages.put((self.headers, body.decode()))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.messages.get(timeout=20)


def verified(message):
    """Whether the signature of a message is that of the certificate it names, as AWS documents it."""
    with urllib.request.urlopen(message["SigningCertURL"], timeout=10) as answer:
        key = x509.load_pem_x509_certificate(answer.read()).public_key()
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if message["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    digest = {"1": hashes.SHA1, "2": hashes.SHA256}[message["SignatureVersion"]]()
    signature = base64.b64decode(message["Signature"])
    try:
        key.verify(signature, text.encode(), padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    with contextlib.suppress(InvalidSignature):
        key.verify(signature, (text + "x").encode(), padding.PKCS1v15(), digest)
        return False
    return True


def received(client, url):
    """The bodies of the messages in a queue; waits until there is one."""
    answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10)
    for message in answer.get("Messages", []):
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def play(endpoint, tls):
    def client(service, account=ACCOUNT):
        key, secret = KEYS[account]
        return boto3.client(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id=key,
                            aws_secret_access_key=secret)

    s3, sns, sqs = client("s3"), client("sns"), client("sqs")
    holds("the topic's ARN", sns.create_topic(Name="split-events")["TopicArn"] == TOPIC)
    url = sqs.create_queue(QueueName="split-events")["QueueUrl"]
    holds("the queue's ARN", sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
          ["Attributes"]["QueueArn"] == QUEUE)
    s3.create_bucket(Bucket=BUCKET)
    default = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])

    def set_topic(statement):
        policy = copy.deepcopy(default)
        if statement is not None:
            policy["Statement"].append(statement)
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(policy))

    def set_queue(statement):
        policy = "" if statement is None else json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def configure(notifications=None):
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration=NOTIFICATIONS if notifications is None else notifications)

    def not_valid(what, arn, kind):
        error = refusal(configure) or {}
        reason = (f"Permissions on the destination {kind} do not allow S3 to publish notifications from this bucket")
        expected = ("InvalidArgument", "Unable to validate the following destination configurations", arn, reason)
        found = tuple(error.get(name) for name in ("Code", "Message", "ArgumentName1", "ArgumentValue1"))
        holds(f"{what}: {expected}, found {found}", found == expected)

    in_queue = {**STATEMENT, "Action": "SQS:SendMessage", "Resource": QUEUE}
    set_queue(in_queue)
    not_valid("the policy that a topic begins with", TOPIC, "topic")
    set_topic(STATEMENT)
    configure()
    tests = [message for message in received(sqs, url)]
    holds("the queue is tested", [message["Event"] for message in tests] == ["s3:TestEvent"])

    # The subscriber is asked, confirms by the URL, and gets what is published.
    subscriber, deaf, encrypted = Subscriber(), Subscriber(status=500), Subscriber(tls=tls)
    for one in (deaf, encrypted, subscriber):
        answer = sns.subscribe(TopicArn=TOPIC, Protocol=one.url.partition(":")[0], Endpoint=one.url)
        holds("it waits for a confirmation", answer["SubscriptionArn"] == "pending confirmation")
        headers, body = one.next()
        asked = json.loads(body)
        holds("the kind of the message", headers["x-amz-sns-message-type"] == "SubscriptionConfirmation")
        holds("the content type", headers["content-type"] == "text/plain; charset=UTF-8")
        holds("the signature of the question", verified(asked))
        with urllib.request.urlopen(asked["SubscribeURL"], timeout=10) as answer:
            holds("it is confirmed", TOPIC.encode() in answer.read())
    for version, key in (("1", "raw/a b@c.json"), ("2", "raw/é.json")):
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="SignatureVersion", AttributeValue=version)
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        headers, body = subscriber.next()
        message = json.loads(body)
        holds(f"the signature of version {version}", message["SignatureVersion"] == version and verified(message))
        record = json.loads(message["Message"])["Records"][0]
        holds("the subject", message["Subject"] == "Amazon S3 Notification")
        holds("the event", (record["eventName"], record["s3"]["bucket"]["name"], record["s3"]["configurationId"])
              == ("ObjectCreated:Put", BUCKET, "to-topic"))
        decoded = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        holds(f"the key {key}, found {decoded}", decoded == key)
        holds("the size and the tag", (record["s3"]["object"]["size"], record["s3"]["object"]["eTag"])
              == (2, "99914b932bd37a50b983c5e7c90ae93b"))
    s3.put_object(Bucket=BUCKET, Key="other", Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="other")
    removed = received(sqs, url)
    holds("the queue hears of the removal alone", [one["Records"][0]["eventName"] for one in removed]
          == ["ObjectRemoved:Delete"])
    holds("the filter kept the rest away", subscriber.messages.empty())
    holds("the encrypted subscriber has it all", [verified(json.loads(encrypted.next()[1])) for _ in range(2)] == [True, True])
    holds("the deaf subscriber was tried too, and held up nobody", all(deaf.next() for _ in range(2)))

    # A queue listens to the topic too, as SNS.
    second = f"arn:aws:sqs:{REGION}:{ACCOUNT}:second"
    second_url = sqs.create_queue(QueueName="second")["QueueUrl"]
    from_topic = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                  "Resource": second, "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}
    sqs.set_queue_attributes(QueueUrl=second_url, Attributes={
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [from_topic]})})
    arn = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=second, ReturnSubscriptionArn=True)["SubscriptionArn"]
    s3.put_object(Bucket=BUCKET, Key="raw/for-both", Body=b"1")
    document = received(sqs, second_url)[0]
    holds("the document in the queue is signed", verified(document))
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=json.dumps(
        {"Records": {"s3": {"object": {"key": [{"suffix": ".parquet"}]}}}}))
    for key in ("raw/x.csv", "raw/x.parquet"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    keys = [one["Records"][0]["s3"]["object"]["key"] for one in received(sqs, second_url)]
    holds(f"raw and filtered by the body, found {keys}", keys == ["raw/x.parquet"])

    # Nothing of the statement may be missing.
    set_topic(None)
    not_valid("the topic policy without the statement", TOPIC, "topic")
    changes = {
        "for another account": ("Condition", "StringEquals", "aws:SourceAccount", OTHER),
        "for another bucket": ("Condition", "ArnLike", "aws:SourceArn", "arn:aws:s3:::somebody-else"),
        "for another service": ("Principal", "Service", "events.amazonaws.com"),
        "for another action": ("Action", "SNS:Subscribe"),
        "for another topic": ("Resource", TOPIC + "-other"),
    }
    for what, (*path, last, value) in changes.items():
        statement = copy.deepcopy(STATEMENT)
        place = statement
        for name in path:
            place = place[name]
        place[last] = value
        set_topic(statement)
        not_valid(f"the topic policy {what}", TOPIC, "topic")
    set_topic(STATEMENT)
    set_queue(None)
    not_valid("no queue policy", QUEUE, "queue")
    for condition in ("StringEquals", "ArnLike"):
        statement = copy.deepcopy(in_queue)
        name = next(iter(statement["Condition"][condition]))
        statement["Condition"][condition][name] += "0"
        set_queue(statement)
        not_valid(f"the queue policy with another {name}", QUEUE, "queue")
    set_queue(in_queue)
    configure()
    both = copy.deepcopy(NOTIFICATIONS)
    both["QueueConfigurations"][0]["Events"] = ["s3:ObjectCreated:Put"]
    error = refusal(lambda: configure(both)) or {}
    holds("overlapping rules", error.get("Code") == "InvalidArgument" and "ambiguously defined" in error["Message"])
    missing = copy.deepcopy(NOTIFICATIONS)
    missing["TopicConfigurations"][0]["TopicArn"] += "-missing"
    error = refusal(lambda: configure(missing)) or {}
    holds("a missing topic", error.get("ArgumentValue1") == "The destination topic does not exist")

    # Another account gets in only by the policy.
    stranger = client("sns", OTHER)
    refused("publish from another account", "AuthorizationError",
            lambda: stranger.publish(TopicArn=TOPIC, Message="m"))
    refused("send from another account", "AccessDenied", lambda: client("sqs", OTHER).send_message(
        QueueUrl=url, MessageBody="m"))
    sns.add_permission(TopicArn=TOPIC, Label="partner", AWSAccountId=[OTHER], ActionName=["Publish"])
    holds("publish with a permission", "MessageId" in stranger.publish(TopicArn=TOPIC, Message="m"))
    sns.remove_permission(TopicArn=TOPIC, Label="partner")
    refused("publish without it again", "AuthorizationError", lambda: stranger.publish(TopicArn=TOPIC, Message="m"))
    refused("a FIFO topic", "NotImplemented", lambda: sns.create_topic(Name="a.fifo", Attributes={"FifoTopic": "true"}))
    return s3, sns


def terraform_calls(endpoint, s3, sns):
    """What Terraform's resources for topics, their policies and subscriptions, and notifications call."""
    arn = sns.create_topic(Name="terraform", Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="shown")
    holds("attributes", sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "shown")
    holds("tags", sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}])
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "l", "Value": "w"}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["k"])
    holds("tags", sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "l", "Value": "w"}])
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:second"
    subscription = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn,
                                 Attributes={"RawMessageDelivery": "true"}, ReturnSubscriptionArn=True)["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    holds("the subscription", (attributes["RawMessageDelivery"], attributes["PendingConfirmation"]) == ("true", "false"))
    holds("the list", [one["SubscriptionArn"] for one in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]]
          == [subscription])
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.delete_topic(TopicArn=arn)
    refused("a topic that is gone", "NotFound", lambda: sns.get_topic_attributes(TopicArn=arn))
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    told = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    holds("no notifications", "TopicConfigurations" not in told)


def with_aws_cli(endpoint):
    aws = pathlib.Path(sys.executable).parent / "aws"
    if not aws.exists():
        print("the AWS CLI is not installed beside this Python; skipped")
        return

    def run(*words, code=None):
        environment = {**os.environ, "AWS_DEFAULT_REGION": REGION,
                       "AWS_ACCESS_KEY_ID": KEYS[ACCOUNT][0], "AWS_SECRET_ACCESS_KEY": KEYS[ACCOUNT][1]}
        # For SQS, version 1 of the AWS CLI looks past the variable that names the endpoint.
        done = subprocess.run([aws, "--endpoint-url", endpoint, *words], env=environment, capture_output=True, text=True, check=False)
        found = re.search(r"An error occurred \(([\w.]+)\)", done.stderr)
        found = found.group(1) if found else (done.stderr.strip() or None)
        holds(f"aws {' '.join(words)}: {code}, found {found}", found == code)
        return json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}

    arn = run("sns", "create-topic", "--name", "by-cli")["TopicArn"]
    url = run("sqs", "create-queue", "--queue-name", "by-cli")["QueueUrl"]
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:by-cli"
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": queue_arn}]}
    run("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", json.dumps({"Policy": json.dumps(policy)}))
    run("sns", "subscribe", "--topic-arn", arn, "--protocol", "sqs", "--notification-endpoint", queue_arn,
        "--attributes", "RawMessageDelivery=true")
    run("sns", "publish", "--topic-arn", arn, "--message", "by the CLI")
    got = run("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "10")["Messages"]
    holds("the message came", [one["Body"] for one in got] == ["by the CLI"])
    run("sns", "list-topics")
    run("sns", "get-topic-attributes", "--topic-arn", arn + "x", code="NotFound")
    run("sqs", "get-queue-url", "--queue-name", "none", code="AWS.SimpleQueueService.NonExistentQueue")


def certificates(folder):
    """An authority of our own and what it signed for this machine: the files of its certificate, the other and its key."""
    def certificate(name, key, issuer, issuer_key, is_authority):
        now = datetime.datetime.now(datetime.timezone.utc)
        named = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer)).public_key(
            key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(
            now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        if not is_authority:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    files = {
        "authority.pem": certificate("authority", authority_key, "authority", authority_key, True),
        "subscriber.pem": certificate("subscriber", key, "authority", authority_key, False),
        "subscriber.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, text in files.items():
        (folder / name).write_bytes(text)
    return [folder / name for name in files]


@contextlib.contextmanager
def served(folder, scenario, trusted):
    path = folder / "scenario.toml"
    path.write_text(scenario)
    program = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0", "--scenario", path],
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "SSL_CERT_FILE": str(trusted)})
    try:
        yield program.stdout.readline().split()[-1]
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(10)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        authority, *tls = certificates(folder)
        with served(folder, SCENARIO, authority) as endpoint:
            s3, sns = play(endpoint, tls)
            exported = subprocess.run([PROGRAM, "scenario", "--endpoint", endpoint], capture_output=True, text=True,
                                      check=True).stdout
            terraform_calls(endpoint, s3, sns)
            with_aws_cli(endpoint)
        # What was set up through the APIs is there again, from the exported scenario.
        with served(folder, exported, authority) as endpoint:
            key, secret = KEYS[ACCOUNT]
            client = lambda service: boto3.client(service, endpoint_url=endpoint, region_name=REGION,
                                                  aws_access_key_id=key, aws_secret_access_key=secret)
            s3, sqs = client("s3"), client("sqs")
            holds("the object", s3.get_object(Bucket=BUCKET, Key="raw/for-both")["Body"].read() == b"1")
            s3.put_object(Bucket=BUCKET, Key="raw/again.parquet", Body=b"1")
            url = sqs.get_queue_url(QueueName="second")["QueueUrl"]
            keys = [one["Records"][0]["s3"]["object"]["key"] for one in received(sqs, url)]
            holds(f"the event by way of the topic, found {keys}", keys == ["raw/again.parquet"])
    print(f"{checked} checks of events hold")


main()
