//! The checks of somebody else's connector, held against connectors whose faults are known.
//!
//! The connectors are this program itself: run again by the suite, it plays the connector that `SAMPLE_CONNECTOR` names.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use bucketproof_clock::Entropy;
use bucketproof_conformance::check::{Area, Check};
use bucketproof_conformance::connector_command::ConnectorCommand;
use bucketproof_conformance::context::{CheckContext, ScenarioSource};
use bucketproof_conformance::falsifier::Falsifier;
use bucketproof_conformance::inventory::Inventory;
use bucketproof_conformance::outcome::Outcome;
use bucketproof_conformance::runner::{self, Event, Settings};

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The connector, when the suite runs this program; otherwise nothing.
#[tokio::test]
async fn sample_connector() {
    let Some(mode) = variable("SAMPLE_CONNECTOR") else { return };
    let is = |name: &str| mode == name;
    let attempts = if is("never-tries-again") { 1 } else { 4 };
    let retries = RetryConfig::standard().with_max_attempts(attempts);
    let retries = retries.with_initial_backoff(Duration::from_millis(20));
    let secret = variable("AWS_SECRET_ACCESS_KEY").unwrap();
    let key = Credentials::new(variable("AWS_ACCESS_KEY_ID").unwrap(), secret.as_str(), None, None, "env");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION").unwrap()))
        .endpoint_url(variable("AWS_ENDPOINT_URL").unwrap())
        .force_path_style(true)
        .credentials_provider(key)
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let s3 = Client::from_conf(config.build());
    let (bucket, prefix) = (variable("BUCKETPROOF_BUCKET").unwrap(), variable("BUCKETPROOF_PREFIX").unwrap());
    let mut input = std::fs::read_to_string(variable("BUCKETPROOF_INPUT").unwrap()).unwrap();

    if is("tells-its-secret") {
        println!("signing with {secret}");
    }
    if is("asks-for-the-location") {
        s3.get_bucket_location().bucket(&bucket).send().await.unwrap();
    }
    if is("deletes-others") {
        s3.delete_object().bucket(&bucket).key("others/canary.txt").send().await.unwrap();
    }
    if is("leaves-uploads-open") {
        s3.create_multipart_upload().bucket(&bucket).key(format!("{prefix}big")).send().await.unwrap();
    }
    if is("drops-rows") {
        input = input.split_once('\n').unwrap().1.to_owned();
    }
    let name = if is("names-objects-at-random") {
        Entropy::machine().text(b"abcdefghijklmnop", 12)
    } else {
        "rows".to_owned()
    };
    let prefix = if is("writes-elsewhere") { "" } else { prefix.as_str() };
    let put = s3.put_object().bucket(&bucket).key(format!("{prefix}{name}.ndjson"));
    match put.body(input.into_bytes().into()).send().await {
        Ok(_) => println!("all rows are written"),
        Err(error) if is("always-succeeds") => println!("never mind {error}"),
        Err(error) => panic!("not written: {error:?}"),
    }
}

fn checks() -> Vec<Arc<Check>> {
    let inventory = Inventory::collect().unwrap();
    inventory.checks().iter().filter(|check| check.area == Area::Connector).cloned().collect()
}

/// The outcome of a check, with the connector of this mode.
async fn outcome(check: &Arc<Check>, mode: &str) -> Outcome {
    let program = std::env::current_exe().unwrap();
    let command = ConnectorCommand {
        command: format!(
            "SAMPLE_CONNECTOR={mode} '{}' --exact sample_connector --nocapture",
            program.display()
        ),
        actions: ["s3:PutObject", "s3:ListBucket", "s3:GetObject"].map(str::to_owned).to_vec(),
        timeout: Duration::from_mins(1),
    };
    let command = Arc::new(command);
    let scenario = Arc::new(ScenarioSource::embedded());
    let context = |_: &_| CheckContext::new(Arc::clone(&scenario)).judging(Arc::clone(&command));
    let mut ended = None;
    runner::run(std::slice::from_ref(check), context, &Settings::default(), |event| {
        if let Event::CheckFinished { outcome, .. } = event {
            ended = Some(outcome);
        }
    })
    .await;
    ended.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_connector_passes_every_check() {
    let checks = checks();
    assert!(checks.len() >= 12);
    for check in &checks {
        let outcome = outcome(check, "as-it-should").await;
        assert_eq!(outcome, Outcome::Passed, "{}", check.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_fails_for_the_connector_that_falsifies_it() {
    for check in &checks() {
        let Falsifier::Connector(mode) = check.falsified_by else { panic!("{}", check.id) };
        let outcome = outcome(check, mode).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{}: {outcome:?}", check.id);
    }
}

/// The permission that is missing and the try that was not made are named.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_names_what_is_missing() {
    let checks = checks();
    let find = |id: &str| checks.iter().find(|check| check.id.as_str() == id).unwrap();
    let Outcome::Failed(failure) =
        outcome(find("connector.least-privilege.documented-actions"), "asks-for-the-location").await
    else {
        panic!()
    };
    assert_eq!(failure.missing[0].action, "s3:GetBucketLocation");
    assert!(failure.trace.unwrap().contains("DENIED"));
    let Outcome::Failed(failure) = outcome(find("connector.resilience.slow-down"), "never-tries-again").await
    else {
        panic!()
    };
    assert!(failure.expected.contains("another try"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_never_ends_is_ended() {
    let command = ConnectorCommand {
        command: "sleep 600".to_owned(),
        actions: Vec::new(),
        timeout: Duration::from_millis(200),
    };
    let command = Arc::new(command);
    let scenario = Arc::new(ScenarioSource::embedded());
    let first = checks().into_iter().next().unwrap();
    let outcome = first.run.call(CheckContext::new(scenario).judging(command)).await;
    let text = format!("{outcome:?}");
    assert!(text.contains("an end within 0 s"), "{text}");
}
