//! The suite at endpoints by their URL: the emulator on a socket, another implementation, and what is none at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use bucketproof_conformance::check::{Capability, Check};
use bucketproof_conformance::context::{CheckContext, ScenarioSource};
use bucketproof_conformance::inventory::Inventory;
use bucketproof_conformance::report::{Report, Status};
use bucketproof_conformance::runner::{self, Settings};
use bucketproof_conformance::target::{Endpoint, EndpointSettings, EndpointUrl, LocalReference, TargetError};
use bucketproof_emulator::{Emulator, Scenario};

const KEY: &str = "AKIATARGETADMINEXAMP";
const STRANGER: &str = "AKIATARGETSTRANGEREX";
const SECRET: &str = "targetSecret/forTests/00000000000EXAMPLE";

const SCENARIO: &str = r#"
[[account]]
id = "111122223333"
name = "owner"
[[account.user]]
name = "administrator"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}']
[[account.user.access_key]]
id = "AKIATARGETADMINEXAMP"
secret = "targetSecret/forTests/00000000000EXAMPLE"
[[account.user]]
name = "newcomer"
[[account.user.access_key]]
id = "AKIATARGETNEWCOMEREX"
secret = "targetSecret/forTests/00000000000EXAMPLE"
[[account.bucket]]
name = "somebody-elses"
objects = [{ key = "k", text = "untouched" }]
[[account]]
id = "444455556666"
name = "other"
[[account.user]]
name = "stranger"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}']
[[account.user.access_key]]
id = "AKIATARGETSTRANGEREX"
secret = "targetSecret/forTests/00000000000EXAMPLE"
"#;

fn settings(url: &str, keys: &[&str]) -> EndpointSettings {
    EndpointSettings {
        name: "target".to_owned(),
        url: EndpointUrl::parse(url).unwrap(),
        region: "us-east-1".to_owned(),
        accounts: keys.iter().map(|key| Credentials::new(*key, SECRET, None, None, "test")).collect(),
        timeout: Duration::from_secs(20),
    }
}

async fn emulator() -> Emulator {
    let builder = Emulator::builder().scenario(Scenario::from_toml(SCENARIO).unwrap());
    builder.listen("127.0.0.1:0".parse().unwrap()).deliver_by_itself().start().await.unwrap()
}

fn url(emulator: &Emulator) -> String {
    format!("http://{}", emulator.address().unwrap())
}

async fn run(endpoint: Endpoint) -> Report {
    run_those(endpoint, |_| true).await
}

async fn run_those(endpoint: Endpoint, wanted: impl Fn(&Check) -> bool) -> Report {
    let inventory = Inventory::collect().unwrap();
    let checks: Vec<Arc<Check>> = inventory.checks().iter().filter(|check| wanted(check)).cloned().collect();
    let endpoint = Arc::new(endpoint);
    let scenario = Arc::new(ScenarioSource::embedded());
    let mut report = Report::new(endpoint.name(), "buckets of its own", &checks);
    let settings = Settings { capabilities: endpoint.capabilities().clone(), ..Settings::default() };
    let contexts = |_: &_| CheckContext::new(Arc::clone(&scenario)).at(Arc::clone(&endpoint));
    runner::run(&checks, contexts, &settings, |event| report.record(event)).await;
    report.left_behind = endpoint.sweep().await;
    report
}

fn needs_two_accounts(check: &Check) -> bool {
    check.needs.contains(&Capability::SecondAccount)
}

/// Every check that needs no more than two accounts holds over a socket as well, and nothing stays behind in either: no
/// bucket, user, role, policy, key, topic or queue.
#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_by_its_url_is_the_emulator() {
    let emulator = emulator().await;
    let before = emulator.export_scenario();
    let report = run(Endpoint::reach(settings(&url(&emulator), &[KEY, STRANGER])).await.unwrap()).await;
    let wrong: Vec<_> = report
        .checks
        .iter()
        .filter(|check| matches!(check.status, Status::Failed | Status::Errored))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut skipped: BTreeMap<Capability, usize> = BTreeMap::new();
    for missing in report.checks.iter().filter_map(|check| check.missing_capability) {
        *skipped.entry(missing).or_default() += 1;
    }
    let lacking: Vec<&Capability> = skipped.keys().collect();
    let expected = [
        &Capability::Scenario,
        &Capability::VirtualClock,
        &Capability::ConnectorCommand,
        &Capability::DecisionCore,
    ];
    assert_eq!(lacking, expected);
    assert!(report.summary.passed >= 100, "only {} checks ran", report.summary.passed);
    let inventory = Inventory::collect().unwrap();
    let between: Vec<_> = inventory.checks().iter().filter(|check| needs_two_accounts(check)).collect();
    assert!(between.len() >= 33, "only {} checks across accounts", between.len());
    for check in between {
        let found = report.checks.iter().find(|found| found.id == check.id).unwrap();
        assert_eq!(found.status, Status::Passed, "{}", check.id);
    }
    assert_eq!(left(&emulator.export_scenario()), left(&before));
    assert_eq!(report.left_behind, Vec::<String>::new());
    let buckets = emulator.s3("administrator").list_buckets().send().await.unwrap();
    let names: Vec<_> = buckets.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["somebody-elses"], "only what was there before is there");
}

/// A state without what stays for a while by AWS's own rules: keys that wait for their deletion.
fn left(scenario: &str) -> Vec<String> {
    let lines: Vec<&str> = scenario.lines().filter(|line| !line.starts_with('#')).collect();
    let text = lines.join("\n");
    let waits = |table: &&str| {
        table.starts_with("[[account.kms_key]]") && table.contains("state = \"PendingDeletion\"")
    };
    let tables = text.split("\n\n").map(str::trim).filter(|table| !table.is_empty() && !waits(table));
    tables.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_across_accounts_are_skipped_under_their_name_where_there_is_one() {
    let emulator = emulator().await;
    let endpoint = Endpoint::reach(settings(&url(&emulator), &[KEY])).await.unwrap();
    let report = run_those(endpoint, needs_two_accounts).await;
    assert!(report.checks.len() >= 33, "only {} checks across accounts", report.checks.len());
    for check in &report.checks {
        let found = (check.status, check.missing_capability);
        assert_eq!(found, (Status::Skipped, Some(Capability::SecondAccount)), "{}", check.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_implementation_is_judged_to_the_end() {
    let local = LocalReference::start().await.unwrap();
    let settings =
        EndpointSettings { accounts: vec![LocalReference::credentials()], ..settings(&local.url(), &[]) };
    let report = run(Endpoint::reach(settings).await.unwrap()).await;
    assert_eq!(report.summary.errored, 0, "{:#?}", report.checks.iter().find(|check| check.error.is_some()));
    assert!(report.summary.passed > 40 && report.summary.failed > 10, "{:?}", report.summary);
    assert_eq!(report.left_behind, Vec::<String>::new());
    let of = |id: &str| report.checks.iter().find(|check| check.id.as_str() == id).unwrap();
    assert_eq!(of("s3.version.listing").missing_capability, Some(Capability::Versioning));
    assert_eq!(of("s3.multipart.wrong-etag").status, Status::Failed);
}

/// A server that answers every connection like this, or not at all.
fn server(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = [0; 4096];
            let _read = socket.read(&mut request);
            match answer {
                Some(answer) => {
                    let _written = socket.write_all(answer.as_bytes());
                }
                None => held.push(socket),
            }
        }
    });
    format!("http://{address}")
}

async fn refusal(settings: EndpointSettings) -> TargetError {
    Endpoint::reach(settings).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_endpoint_is_told_as_what_it_is() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = refusal(settings(&format!("http://{closed}"), &[KEY])).await;
    assert!(matches!(&down, TargetError::Down { message, .. } if message.contains("refused")), "{down}");
    assert!(!down.is_usage());

    let slow = EndpointSettings { timeout: Duration::from_millis(300), ..settings(&server(None), &[KEY]) };
    let slow = refusal(slow).await;
    assert!(matches!(slow, TargetError::Slow { .. }), "{slow}");

    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
    let html = refusal(settings(&server(Some(page)), &[KEY])).await;
    let TargetError::NotS3 { status, content_type, .. } = &html else { panic!("{html}") };
    assert_eq!((*status, content_type.as_str()), (200, "text/html"));

    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let failing = refusal(settings(&server(Some(busy)), &[KEY])).await;
    assert!(matches!(failing, TargetError::Failing { .. }), "{failing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_do_not_do_are_refused_before_a_check_runs() {
    let emulator = emulator().await;
    let unknown = refusal(settings(&url(&emulator), &["AKIANOBODYKNOWSTHIS0"])).await;
    assert!(matches!(unknown, TargetError::Refused { .. }), "{unknown}");
    let poor = refusal(settings(&url(&emulator), &["AKIATARGETNEWCOMEREX"])).await;
    assert!(matches!(poor, TargetError::NoRights { what: "make a bucket", .. }), "{poor}");
    for error in [unknown, poor] {
        assert!(error.is_usage() && !error.to_string().contains(SECRET));
    }
}
