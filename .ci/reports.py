"""Holds the reports of the conformance suite against what reads them: schemas, and a browser with axe.

Usage: reports.py FOLDER SCHEMAS [browser [SCREENSHOTS]], where FOLDER holds the built `bucketproof-conformance` and SCHEMAS
holds `junit-10.xsd`, the schema of JUnit reports that Jenkins published, and may hold `sarif-2.1.0-rtm.5.json`. Three runs are looked at: one that passes, one that fails
with traces, and one of a few checks. Without `browser` the pages are left out; with it Chromium may load nothing but the file.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import xmlschema

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "bucketproof-conformance"
SCHEMAS = pathlib.Path(sys.argv[2])
JUNIT = xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))
SARIF = SCHEMAS / "sarif-2.1.0-rtm.5.json"
BROWSER = "browser" in sys.argv[3:4]
SHOTS = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "conformance/report.schema.json").read_text())
SCENARIO = ROOT / "fixtures/scenarios/suprsend"


def run(folder, name, code, *arguments):
    """A run of the suite with all its reports."""
    files = {form: folder / f"{name}.{form}" for form in ("json", "xml", "html", "sarif")}
    command = [
        PROGRAM, "run", *arguments, "--json", files["json"], "--junit", files["xml"], "--html", files["html"],
        "--sarif", files["sarif"],
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == code, (name, ended.returncode, ended.stdout[-2000:], ended.stderr[-2000:])
    return files


def check_files(name, files):
    report = json.loads(files["json"].read_text())
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    JUNIT.validate(str(files["xml"]))
    suites = JUNIT.to_dict(str(files["xml"]))
    cases = [case for suite in suites["testsuite"] for case in suite["testcase"]]
    assert all(case["@name"] and case["@classname"] for case in cases)
    assert len(cases) == len(report["checks"]), (name, len(cases), len(report["checks"]))
    failed = sum(1 for case in cases if case.get("failure"))
    assert failed == report["summary"]["failed"], (name, failed, report["summary"])
    sarif = json.loads(files["sarif"].read_text())
    if SARIF.exists():
        jsonschema.Draft4Validator(json.loads(SARIF.read_text())).validate(sarif)
    assert sarif["version"] == "2.1.0" and len(sarif["runs"]) == 1
    rules = {rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]}
    for result in sarif["runs"][0]["results"]:
        assert result["ruleId"] in rules and result["message"]["text"], result
        for location in result["locations"]:
            path = ROOT / location["physicalLocation"]["artifactLocation"]["uri"]
            assert path.exists() or name == "failing", path
    return report


def check_pages(pages):
    """Opens each page in four looks: no violation, no request, nothing wider than the window."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium is installed")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (file, report) in pages.items():
            for scheme in ("light", "dark"):
                for width in (360, 1280):
                    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
                    page, asked, troubles = context.new_page(), [], []
                    page.on("request", lambda request: asked.append(request.url))
                    page.on("pageerror", lambda error: troubles.append(str(error)))
                    page.on("console", lambda message: troubles.append(message.text))
                    page.goto(file.as_uri())
                    assert asked == [file.as_uri()] and troubles == [], (asked, troubles)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{name} is {wide} wide in a window of {width}"
                    articles = page.locator("#failures ~ article").count()
                    wrong = report["summary"]["failed"] + report["summary"]["errored"]
                    assert articles == wrong, (name, articles, wrong)
                    if SHOTS:
                        SHOTS.mkdir(parents=True, exist_ok=True)
                        page.screenshot(path=SHOTS / f"report-{name}-{scheme}-{width}.png")
                    # A link to an area opens it, so its checks are held to the same.
                    area = page.locator("tbody a").first
                    page.locator(area.get_attribute("href")).wait_for(state="hidden")
                    area.click()
                    page.locator(area.get_attribute("href")).wait_for(state="visible")
                    rules = {"runOnly": {"type": "tag", "values": [
                        "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
                    found = Axe().run(page, options=rules)
                    assert found.violations_count == 0, f"{name}, {scheme}, {width}:\n{found.generate_report()}"
                    context.close()
        browser.close()


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        broken = folder / "suprsend"
        shutil.copytree(SCENARIO, broken)
        policy = broken / "policies/suprsend-export.json"
        document = json.loads(policy.read_text())
        document["Statement"][0]["Action"].remove("s3:GetObject")
        policy.write_text(json.dumps(document, indent=2))
        runs = {
            "passing": run(folder, "passing", 0),
            "failing": run(folder, "failing", 1, "--scenario", broken / "scenario.toml"),
            "few": run(folder, "few", 0, "--area", "s3.list"),
        }
        pages = {name: (files["html"], check_files(name, files)) for name, files in runs.items()}
        if BROWSER:
            check_pages(pages)
        counts = ", ".join(f"{name} {report['summary']['checks']}" for name, (_, report) in pages.items())
    looked = "pages without a violation in four looks" if BROWSER else "pages not looked at"
    valid = "JSON, JUnit and SARIF" if SARIF.exists() else "JSON and JUnit"
    print(f"reports: {valid} valid, {looked} ({counts} checks)")


main()
