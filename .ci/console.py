"""Uses the web console in a real Chromium, as a person would, and checks its pages with axe.

Usage: console.py FOLDER [SCREENSHOTS], where FOLDER holds the built `bucketproof-emulator`. Everything stays on loopback;
whatever the browser asks of another host fails the check. Keys and names are hostile where a user may choose them.
"""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

import boto3
from axe_playwright_python.sync_playwright import Axe
from botocore.config import Config
from botocore.exceptions import ClientError
from playwright.sync_api import expect, sync_playwright

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-emulator"
SHOTS = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
HOSTILE = "open/<img src=x onerror=document.title='pwned'>\"'&amp; \u202e.csv"
SID = "Only<b>Open</b>"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "OnlyOpen", "Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"],
        "Resource": "arn:aws:s3:::logs/open/*",
    }],
}
ALL = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
SCENARIO = f"""
[[account]]
id = "111122223333"
name = "customer"
[[account.user]]
name = "administrator"
policies = ['{ALL}']
[[account.user.access_key]]
id = "AKIAADMINUSEREXAMPLE"
secret = "adminSecret/forTests/0"
[[account.user]]
name = "writer"
policies = ['{json.dumps(POLICY)}']
[[account.user.access_key]]
id = "AKIAWRITERUSEREXAMPL"
secret = "writerSecret/forTests/0"
[[account.bucket]]
name = "logs"
"""
ADMIN = ("AKIAADMINUSEREXAMPLE", "adminSecret/forTests/0")
WRITER = ("AKIAWRITERUSEREXAMPL", "writerSecret/forTests/0")


@contextlib.contextmanager
def serving(*arguments):
    """A running emulator: its URL."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder, "scenario.toml")
        scenario.write_text(SCENARIO)
        command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--scenario", scenario, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = None
            for line in process.stdout:
                if line.startswith("listening on "):
                    url = line.split()[-1]
                if line.startswith("console at "):
                    assert line.split()[-1] == f"{url}/_bucketproof/console", line
                    break
            yield url
        finally:
            process.terminate()
            process.wait()


def client(url, service, keys):
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", config=config,
        aws_access_key_id=keys[0], aws_secret_access_key=keys[1],
    )


def prepare(url):
    """Some requests, one of them denied: its id."""
    admin, writer = client(url, "s3", ADMIN), client(url, "s3", WRITER)
    queues = client(url, "sqs", ADMIN)
    queue = queues.create_queue(QueueName="told")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:111122223333:told"
    let_in = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    }]}
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(let_in)})
    admin.put_bucket_notification_configuration(
        Bucket="logs",
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    for number in range(3):
        writer.put_object(Bucket="logs", Key=f"open/report-{number}.csv", Body=b"a,b\n1,2\n")
    writer.put_object(Bucket="logs", Key=HOSTILE, Body=b"x")
    statement = {
        "Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::logs/*",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    }
    admin.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with contextlib.suppress(ClientError):
        admin.delete_object(Bucket="logs", Key="open/report-0.csv")
    try:
        writer.get_object(Bucket="logs", Key="closed/<script>alert(1)</script>.csv")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error
        return error.response["ResponseMetadata"]["RequestId"]
    raise AssertionError("the denial is missing")


class Look:
    """A page with its troubles: what failed, what was asked elsewhere."""

    def __init__(self, browser, url, scheme="light", width=1280, height=900):
        self.url, self.troubles = url, []
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("console", self.heard)
        self.page.on("request", self.asked)
        self.scheme, self.width = scheme, width

    def heard(self, message):
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text}")

    def asked(self, request):
        host = urllib.parse.urlsplit(request.url).netloc
        if f"http://{host}" != self.url:
            self.troubles.append(f"asked elsewhere: {request.url}")

    def open(self, place):
        self.page.goto(f"{self.url}/_bucketproof/console#{place}")
        expect(self.page.locator("#now")).not_to_have_text("–")

    def accessible(self, what):
        rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
        found = Axe().run(self.page, options=rules)
        assert found.violations_count == 0, f"{what}, {self.scheme}, {self.width}:\n{found.generate_report()}"
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.width, f"{what} is {wide} wide in a window of {self.width}"

    def shot(self, name):
        if SHOTS:
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SHOTS / f"{name}-{self.scheme}-{self.width}.png", full_page=True)

    def calm(self):
        assert self.troubles == [], self.troubles


def session(browser, url):
    """What a person does: look, ask why, try another policy, break something, move the time."""
    denied = prepare(url)
    look = Look(browser, url)
    page = look.page
    look.open("requests")
    row = page.locator(f"tr[data-id='{denied}']")
    expect(row).to_contain_text("denied")
    # The hostile key is text, and nothing but text.
    expect(page.get_by_text(HOSTILE.replace("\u202e", "⟨U+202E⟩"))).to_be_visible()
    assert page.locator("main img, main script, main b").count() == 0
    assert page.title() == "Requests – Bucketproof console", page.title()

    # New requests come by themselves.
    client(url, "s3", WRITER).put_object(Bucket="logs", Key="open/late.csv", Body=b"x")
    expect(page.get_by_text("logs/open/late.csv")).to_be_visible()

    page.get_by_label("Decision").select_option("denied")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Operation").fill("PutObjekt")
    page.get_by_label("Operation").press("Tab")
    expect(page.locator(".count")).to_contain_text("the operations are")
    look.troubles.clear()
    page.get_by_label("Operation").fill("")
    page.get_by_label("Operation").press("Tab")
    expect(page.locator("tbody tr")).to_have_count(2)

    # Why: by the keyboard alone.
    row.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="GetObject denied")).to_be_visible()
    tree = page.locator(".tree").first
    expect(tree).to_contain_text("arn:aws:s3:::logs/open/*")
    expect(tree.locator(".elements li", has_text="resource").first).to_contain_text("fails")
    expect(page.locator(".but-for").first).to_contain_text("the resource")
    look.accessible("a request")
    look.shot("request")

    # Another policy: broken, then right.
    document = page.get_by_label("Identity policy").first
    text = document.input_value()
    document.fill(text.replace("{", "", 1))
    page.get_by_role("button", name="Judge the request anew").click()
    expect(page.locator(".editor [role=alert]")).to_contain_text("identity policy")
    look.troubles.clear()
    document.fill(text.replace("logs/open/*", "logs/*").replace("OnlyOpen", SID.replace("<b>", "").replace("</b>", "")))
    page.get_by_role("button", name="Judge the request anew").click()
    expect(page.locator(".verdict .result")).to_have_text("It would be allowed.")
    expect(page.locator(".verdict .badge").first).to_have_text("allowed")
    look.accessible("a request judged anew")
    look.shot("judged")
    page.get_by_role("button", name="Undo all edits").click()
    page.get_by_role("button", name="Judge the request anew").click()
    expect(page.locator(".verdict .result")).to_contain_text("It would still be denied.")
    # A bucket policy is there; the caller can get one more identity policy.
    page.get_by_role("button", name="Add: identity policy").click()
    page.get_by_role("button", name="Judge the request anew").click()
    expect(page.locator(".verdict .result")).to_have_text("It would be allowed.")
    # Nothing of it is in force.
    try:
        client(url, "s3", WRITER).get_object(Bucket="logs", Key="closed/x")
        raise AssertionError("an edit came into force")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error

    # A fault, made with the form.
    page.get_by_role("link", name="Faults").click()
    page.get_by_label("effect", exact=True).select_option("refuse")
    page.get_by_label("status", exact=True).fill("503")
    page.get_by_label("code", exact=True).fill("SlowDown")
    page.get_by_label("name", exact=True).fill("<i>busy</i>")
    page.get_by_label("operation", exact=True).select_option("PutObject")
    page.get_by_label("times", exact=True).fill("1")
    page.get_by_role("button", name="Put it in force").click()
    fault = page.get_by_role("row", name="<i>busy</i>")
    expect(fault).to_be_visible()
    try:
        client(url, "s3", WRITER).put_object(Bucket="logs", Key="open/throttled.csv", Body=b"x")
        raise AssertionError("the fault did not act")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "SlowDown", error
    expect(fault.locator("td.number").last).to_have_text("1")
    page.get_by_label("every", exact=True).fill("0")
    page.get_by_role("button", name="Put it in force").click()
    expect(page.locator("main [role=alert]")).to_have_text("field `every`: the least is 1")
    look.troubles.clear()
    look.accessible("faults")
    look.shot("faults")
    fault.get_by_role("button", name="End <i>busy</i>").click()
    expect(page.get_by_text("None is in force.")).to_be_visible()

    # The clock: a session of an hour is over a day later.
    page.get_by_role("link", name="Clock").click()
    shown = page.locator("main time.big")
    expect(shown).not_to_have_text("–")
    page.get_by_label("How it passes").select_option("frozen")
    page.get_by_role("button", name="Use this pace").click()
    expect(page.locator("#said")).to_have_text("The clock is frozen")
    page.get_by_label("Instant").fill("2030-01-01T00:00:00Z")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(shown).to_have_text("2030-01-01T00:00:00Z")
    page.get_by_role("button", name="+ a day").click()
    expect(shown).to_have_text("2030-01-02T00:00:00Z")
    page.get_by_label("Instant").fill("tomorrow")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("main [role=alert]")).to_contain_text("the body is no change of the clock")
    look.troubles.clear()
    look.accessible("clock")
    look.shot("clock")
    try:
        client(url, "s3", WRITER).get_object(Bucket="logs", Key="open/late.csv")
        raise AssertionError("the clock did not move")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "RequestTimeTooSkewed", error
    page.get_by_label("How it passes").select_option("system")
    page.get_by_role("button", name="Use this pace").click()

    page.get_by_role("link", name="Events").click()
    expect(page.get_by_role("row", name="delivered").first).to_be_visible()
    look.accessible("events")
    look.shot("events")
    look.calm()
    page.get_by_role("link", name="Requests").click()
    expect(page.locator("tbody tr").first).to_be_visible()
    look.accessible("requests")
    look.shot("requests")
    look.calm()
    return denied


def every_look(browser, url, denied):
    """All views, light and dark, narrow and wide."""
    for scheme in ("light", "dark"):
        for width in (360, 1280):
            look = Look(browser, url, scheme, width)
            for place in ("requests", f"request/{denied}", "faults", "clock", "events"):
                look.open(place)
                expect(look.page.locator("main h2")).to_be_visible()
                look.page.wait_for_timeout(300)
                look.accessible(place)
                look.shot(place.split("/")[0])
            look.calm()


def with_a_token(browser, folder):
    """The console asks for the token, refuses a wrong one, and keeps the right one for its tab alone."""
    token = "a-token-of-the-console-0123456789"
    file = pathlib.Path(folder, "token")
    file.write_text(f"{token}\n")
    with serving("--admin-token-file", file) as url:
        look = Look(browser, url)
        page = look.page
        page.goto(f"{url}/_bucketproof/console")
        asking = page.get_by_label("This emulator asks for its admin token")
        expect(asking).to_be_focused()
        look.accessible("asking for the token")
        look.shot("token")
        asking.fill("not-the-token-at-all")
        asking.press("Enter")
        expect(page.get_by_label("This is not the admin token of this emulator")).to_be_visible()
        page.locator("#token").fill(token)
        page.locator("#token").press("Enter")
        expect(page.locator("#now")).not_to_have_text("–")
        expect(page.get_by_text("No requests yet")).to_be_visible()
        assert token not in page.content() and token not in page.url
        elsewhere = [trouble for trouble in look.troubles if "401" not in trouble]
        assert elsewhere == [], elsewhere


def pages_of_others(browser, url):
    """A page of another origin on this machine can neither read nor change anything."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "index.html").write_text("<!doctype html><title>other</title>")
        command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = int(server.stdout.readline().split(" port ")[1].split()[0])
            page = browser.new_context().new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            for method, mode in (("GET", "cors"), ("POST", "no-cors")):
                answer = page.evaluate(
                    "([url, method, mode]) => fetch(url, {method, mode, body: method === 'POST' ? '{}' : undefined})"
                    ".then((answer) => answer.type, () => 'failed')",
                    [f"{url}/_bucketproof/{'requests' if method == 'GET' else 'reset'}", method, mode],
                )
                assert answer in ("failed", "opaque"), answer
            framed = page.evaluate(
                "(url) => new Promise((done) => { const frame = document.createElement('iframe');"
                "frame.onload = () => done(frame.contentDocument === null ? 'foreign' : 'own');"
                "frame.src = url; document.body.append(frame); })", f"{url}/_bucketproof/console")
            assert framed in ("foreign", "own"), framed
            assert page.frames[-1].url.startswith("chrome-error:"), page.frames[-1].url
        finally:
            server.terminate()
            server.wait()
    with urllib.request.urlopen(f"{url}/_bucketproof/requests?limit=1") as journal:
        assert json.load(journal), "a page of another origin reset the emulator"


def main():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium is installed")
    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with serving() as url:
            denied = session(browser, url)
            every_look(browser, url, denied)
            pages_of_others(browser, url)
        with_a_token(browser, folder)
        browser.close()
    print("console: a session, five views in four looks without a violation, a token, pages of others kept out")


main()
