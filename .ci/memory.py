"""Measures the connector's memory against the size of its input: peak resident set, rows per second, bytes of objects.

Usage: memory.py FOLDER [--rows 1000000,3000000] [--profiles suprsend_s3_v2,datafly_s3,permutive_stream] [--hours 24]
                 [--budget-mib 512] [--allowance-mib 100] [--directory DIR]

FOLDER holds the built programs. Rows of about a KiB are made as they are read, so that the disk holds no more than the
connector's own spool of standard input: as much as the input, below DIR. `--hours` is over how many hours each million rows
spreads. Ends with 1 if a peak is above budget and allowance. Everything stays on loopback.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone

START = datetime(2025, 1, 15, tzinfo=timezone.utc)
ADMINISTRATOR = ("AKIAADMINUSEREXAMPLE", "administratorSecret/forTests/0EXAMPLEKEY")
EXPORTER = ("AKIAMEMORYXXXEXAMPLE", "memoryUserSecret/forTests/000EXAMPLEKEY")
EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
WORDS = ["order", "invoice", "shipment", "signup", "password", "comment", "digest", "trial", "refund", "cart", "review"]


def mixed(number):
    """Sixty-four bits that look like chance, the same ones every time."""
    number = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return number ^ (number >> 31)


def text_of(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def message(number, at):
    at = text_of(at)
    a, b, c = mixed(number * 3), mixed(number * 3 + 1), mixed(number * 3 + 2)
    word, second = WORDS[a % 11], WORDS[b % 11]
    return (
        f'{{"wf_execution_id":"{a:016x}-{b & 0xFFFFFFFF:08x}","message_id":"{c:016x}-{number:09d}",'
        f'"recipient_distinct_id":"user_{a % 400000:08d}","tenant_id":"tenant-{b % 40}","idempotency_key":"{b:016x}{c:016x}",'
        f'"workflow_slug":"{word}-{second}","template_name":"{word} {second} template","template_slug":"{word}-{second}-v{c % 4}",'
        f'"status":"delivered","created_at":"{at}","updated_at":"{at}","node_id":"node_{a % 900:04d}",'
        f'"node_name":"Send {word}","node_type":"send_message","execution_failure_reason":null,"triggered_at":"{at}",'
        f'"delivered_at":"{at}","vendor_ack_id":"ack-{c:016x}{a:016x}","vendor_fallback_applicable":false,'
        f'"vendor_fallback_level":0,"vendor_name":"SES prod","vendor_name_slug":"ses-email","is_smart":false,'
        f'"success_metric":"delivered","wait_time_in_seconds":{c % 300},"channel_slug":"email",'
        f'"channel_info":"{word}.{a % 400000}@customers.example.com","webhook_data":{{"id":"{b:016x}","ip":"10.{a % 256}.{b % 256}.'
        f'{c % 256}","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","tags":["{word}","{second}"],"note":"{c:016x}"}}}}\n'
    )


def envelope(number, at):
    at = text_of(at)
    a, b, c = mixed(number * 3), mixed(number * 3 + 1), mixed(number * 3 + 2)
    word, second = WORDS[a % 11], WORDS[b % 11]
    return (
        f'{{"event_id":"{a:016x}{number:09d}","type":"track","event":"{word} {second}","anonymous_id":"{b:016x}{c:016x}",'
        f'"user_id":"user_{a % 400000:08d}","timestamp":"{at}","received_at":"{at}","sent_at":"{at}","context":{{"ip":"10.{a % 256}.'
        f'{b % 256}.{c % 256}","page":{{"path":"/{word}/{second}/{c % 9000}","url":"https://www.example.com/{word}/{second}?id={b:016x}",'
        f'"referrer":"https://search.example.com/?q={word}+{second}","title":"{word} {second}"}},"userAgent":"Mozilla/5.0 (X11; Linux '
        f'x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a % 40 + 90}.0.0.0 Safari/537.36","consent":{{"analytics":true}}}},'
        f'"properties":{{"sku":"sku-{c % 100000}","price":{a % 10000 / 100},"currency":"EUR","quantity":{b % 5},"coupon":"{c:016x}",'
        f'"list":["{word}","{second}","{a:016x}","{b:016x}"]}},"traits":{{"plan":"{word}","seats":{c % 50},"mail":"{word}.{a % 400000}'
        f'@customers.example.com"}},"source_id":"src-{b % 9}","integration_id":"int-{c % 4}"}}\n'
    )


def visit(number, at):
    at = int(at.timestamp() * 1000)
    a, b, c = mixed(number * 3), mixed(number * 3 + 1), mixed(number * 3 + 2)
    word, second = WORDS[a % 11], WORDS[b % 11]
    return (
        f'{{"time":"{at}","event_id":"{a:016x}{number:09d}","user_id":"{b:016x}{c % 400000:08d}","event_name":"Pageview",'
        f'"organization_id":"org-{a % 3}","project_id":"project-{b % 5}","session_id":"{c:016x}","view_id":"{a:016x}{b:016x}",'
        f'"source_url":"https://www.example.com/{word}/{second}/{c % 9000}","segments":[{a % 9000},{b % 9000},{c % 9000}],'
        f'"properties":{{"client":{{"title":"{word} {second}","domain":"www.example.com","referrer":"https://search.example.com/?q='
        f'{word}+{second}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a % 40 + 90}'
        f'.0.0.0 Safari/537.36","url":"https://www.example.com/{word}/{second}?id={b:016x}"}},"article":{{"id":"{c:016x}","authors":'
        f'["{word}","{second}"],"keywords":["{a:016x}","{b:016x}","{word}"],"premium":false}},"geo_info":{{"city":"{second}","postal":'
        f'"{a % 99999:05d}","ip_hash":"{c:016x}{a:016x}"}},"isp_info":{{"isp":"{word} networks","organization":"{second}"}}}}}}\n'
    )


VENDORS = {
    "suprsend_s3_v2": ("messages", message),
    "datafly_s3": ("events", envelope),
    "permutive_stream": ("events", visit),
}


def feed(sink, row, rows, hours):
    """Writes rows in the order of their times; how many bytes."""
    step, written, part = 3600 * hours / 1_000_000, 0, []
    for number in range(rows):
        part.append(row(number, START + timedelta(seconds=number * step)))
        if len(part) == 2_000:
            text = "".join(part).encode()
            written += len(text)
            sink.write(text)
            part.clear()
    text = "".join(part).encode()
    sink.write(text)
    sink.close()
    return written + len(text)


def scenario(folder):
    user = lambda name, key: f"""[[account.user]]
name = "{name}"
policies = ['''{EVERYTHING}''']
[[account.user.access_key]]
id = "{key[0]}"
secret = "{key[1]}"
"""
    path = folder / "scenario.toml"
    path.write_text(f"""[[account]]
id = "111122223333"
name = "customer"
{user("administrator", ADMINISTRATOR)}{user("exporter", EXPORTER)}[[account.bucket]]
name = "exports"
region = "us-east-1"
ownership = "BucketOwnerPreferred"
""")
    return path


def serve(programs, folder):
    server = subprocess.Popen([programs / "bucketproof-emulator", "serve", "--listen", "127.0.0.1:0", "--scenario",
                               scenario(folder)], stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return server, found[0]
    sys.exit("the emulator did not start")


def peak(pid):
    """The most memory that the process ever had, in MiB."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0


def measure(programs, folder, profile, rows, options):
    dataset, row = VENDORS[profile]
    server, endpoint = serve(programs, folder)
    try:
        (folder / "connector.toml").write_text(f"""
profile = "{profile}"
enabled = true
datasets = ["{dataset}"]
[bucket]
name = "exports"
region = "us-east-1"
endpoint = "{endpoint}"
allow_http = true
path_style = true
[auth]
mode = "static_keys"
access_key_id = "{EXPORTER[0]}"
secret_access_key = {{ env = "EXPORT_SECRET" }}
[state]
dir = "state"
{options.state}
[[source]]
dataset = "{dataset}"
stdin = true
""")
        environment = {**os.environ, "EXPORT_SECRET": EXPORTER[1], "BUCKETPROOF_LOG": "warn"}
        output = open(folder / "report.json", "w+", encoding="utf-8")
        process = subprocess.Popen([programs / "bucketproof-connector", "sync", "--json", "--config", folder / "connector.toml"],
                                   env=environment, stdin=subprocess.PIPE, stdout=output)
        size = feed(process.stdin, row, rows, options.hours)
        begun, most, cpu = time.monotonic(), 0, 0
        while process.poll() is None:
            most = max(most, peak(process.pid))
            time.sleep(0.05)
        seconds = time.monotonic() - begun
        if process.returncode != 0:
            sys.exit(f"{profile}: the sync ended with {process.returncode}")
        output.seek(0)
        report = json.load(output)["datasets"][0]
        if report["rows_written"] != rows:
            sys.exit(f"{profile}: {report['rows_written']} of {rows} rows were written")
        latest = {entry["key"]: entry["body_bytes"] for entry in report["objects"]}
        return {"profile": profile, "rows": rows, "input_mib": round(size / 2**20), "peak_mib": round(most),
                "rows_per_second": round(rows / seconds), "seconds_after_spool": round(seconds, 1),
                "objects": len(latest), "object_mib": round(sum(latest.values()) / 2**20)}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--rows", default="1000000,3000000")
    parser.add_argument("--profiles", default=",".join(VENDORS))
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--budget-mib", type=int, default=512)
    parser.add_argument("--allowance-mib", type=int, default=100)
    parser.add_argument("--directory", default=None)
    parser.add_argument("--state", default=None, help="lines of [state] in place of the budget")
    options = parser.parse_args()
    if options.state is None:
        options.state = f"memory_mib = {options.budget_mib}"
    programs, too_much = pathlib.Path(options.programs).resolve(), False
    for profile in options.profiles.split(","):
        for rows in map(int, options.rows.split(",")):
            with tempfile.TemporaryDirectory(dir=options.directory) as name:
                line = measure(programs, pathlib.Path(name), profile, rows, options)
            too_much |= line["peak_mib"] > options.budget_mib + options.allowance_mib
            print(json.dumps(line), flush=True)
    sys.exit(1 if too_much else 0)


if __name__ == "__main__":
    main()
