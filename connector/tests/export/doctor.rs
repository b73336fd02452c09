//! The doctor against an emulator that enforces what it is given, and before documents alone.

use bucketproof_clock::Clock;
use bucketproof_connector::config::Config;
use bucketproof_connector::doctor::{
    DoctorReport, Documents, PROBE_NAME, ProbeWrite, Verdict, examine, examine_documents,
};
use bucketproof_connector::policy::{identity_policy, trust_policy};
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, Scenario};
use bucketproof_fixtures::scenario::{
    CONNECTOR_USER, EXPORTER, SUPRSEND_BUCKET, SUPRSEND_EXTERNAL_ID, SUPRSEND_ROLE_ARN, suprsend,
};

const POLICY: &str = "policies/suprsend-export.json";
const TRUST: &str = "policies/suprsend-trust.json";

struct Case {
    emulator: Emulator,
    role: bool,
    region: &'static str,
    bucket: &'static str,
    secret: &'static str,
    external_id: &'static str,
}

impl Case {
    async fn new(files: &[(&str, String)]) -> Self {
        let scenario = suprsend();
        let mut scenario = Scenario::from_parts(scenario.text, scenario.path, scenario.files).unwrap();
        for (path, text) in files {
            scenario = scenario.with_file(path, text.clone());
        }
        let clock = Clock::manual("2025-01-15T20:00:00Z".parse().unwrap());
        let emulator = Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap();
        Self {
            emulator,
            role: false,
            region: "us-east-1",
            bucket: SUPRSEND_BUCKET,
            secret: CONNECTOR_USER.secret,
            external_id: SUPRSEND_EXTERNAL_ID,
        }
    }

    async fn examined(&self, write: ProbeWrite) -> DoctorReport {
        let auth = if self.role {
            format!(
                "mode = \"assume_role\"\nrole_arn = \"{SUPRSEND_ROLE_ARN}\"\nexternal_id = \"{}\"\n\
                 access_key_id = \"{}\"\n",
                self.external_id, EXPORTER.id
            )
        } else {
            format!("mode = \"static_keys\"\naccess_key_id = \"{}\"\n", CONNECTOR_USER.id)
        };
        let text = format!(
            "profile = \"suprsend_s3_v2\"\nenabled = true\ndatasets = [\"messages\"]\n\
             [bucket]\nname = \"{}\"\nregion = \"{}\"\n[auth]\n{auth}secret_access_key = {{ env = \"SECRET\" }}\n\
             [state]\ndir = \"state\"\n",
            self.bucket, self.region
        );
        let config = Config::parse(&text, "c.toml").unwrap();
        let secret = if self.role { EXPORTER.secret } else { self.secret };
        let credentials = config.credentials(|_| Some(secret.to_owned())).unwrap();
        let http = Some(self.emulator.http_client());
        let store = S3Store::new(config.store_settings(credentials), self.emulator.clock(), http).unwrap();
        examine(&config, &config.load_profile().unwrap(), &store, write).await.unwrap()
    }

    async fn keys(&self) -> Vec<String> {
        let listing =
            self.emulator.s3("administrator").list_objects_v2().bucket(SUPRSEND_BUCKET).send().await;
        listing.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

/// Action, resource and requirement of each failed check.
fn failures(report: &DoctorReport) -> Vec<(String, String, String)> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    report.failures().map(|it| (text(&it.action), text(&it.resource), text(&it.requirement))).collect()
}

fn checks(report: &DoctorReport) -> Vec<String> {
    report.failures().map(|it| it.check.clone()).collect()
}

/// The identity policies that lack one thing, with what a doctor is to name.
fn lacking() -> Vec<(String, Vec<(&'static str, String)>)> {
    let bucket = format!("arn:aws:s3:::{SUPRSEND_BUCKET}");
    let objects = format!("{bucket}/*");
    let without = |text: &str, other: &str| {
        let full = suprsend().file(POLICY).unwrap();
        let policy = full.replacen(&format!("\"{text}\""), &format!("\"{other}\""), 1);
        assert_ne!(policy, full);
        policy
    };
    let other = "s3:GetObjectTagging";
    vec![
        (without("s3:PutObject", other), vec![("s3:PutObject", objects.clone())]),
        (without("s3:ListBucket", other), vec![("s3:ListBucket", bucket.clone())]),
        (without("s3:GetObject", other), vec![("s3:GetObject", objects.clone())]),
        (without(&bucket, "arn:aws:s3:::another"), vec![("s3:ListBucket", bucket)]),
        (
            without(&objects, "arn:aws:s3:::another/*"),
            vec![("s3:GetObject", objects.clone()), ("s3:PutObject", objects)],
        ),
    ]
}

/// Claims SUP-50, SUP-52, ENG-16.
#[tokio::test]
async fn the_documented_policy_passes_in_both_modes_and_nothing_is_written() {
    for role in [false, true] {
        let case = Case { role, ..Case::new(&[]).await };
        let report = case.examined(ProbeWrite::IfItCanBeDeleted).await;
        assert_eq!(failures(&report), [], "{report:#?}");
        assert_eq!(case.keys().await, Vec::<String>::new());
        let found = |check: &str| report.findings.iter().find(|it| it.check == check).unwrap().verdict;
        assert_eq!(found("Block Public Access"), Verdict::NotPermittedToKnow);
        assert_eq!(found("write"), Verdict::Skipped);
        let report = case.examined(ProbeWrite::Allowed).await;
        assert_eq!(failures(&report), [], "{report:#?}");
        let conditional = report.findings.iter().find(|it| it.check == "conditional writes").unwrap();
        assert_eq!(conditional.verdict, Verdict::Passed);
        assert_eq!(case.keys().await, [PROBE_NAME], "one object, which the policy does not let it delete");
        assert_eq!(failures(&case.examined(ProbeWrite::Allowed).await), [], "a second time");
    }
}

/// Claims SUP-75, PER-45: each action and each resource that is dropped is named, and nothing else.
#[tokio::test]
async fn what_is_dropped_from_the_documented_policy_is_named() {
    for (policy, expected) in lacking() {
        let expected: Vec<(String, String, String)> = expected
            .iter()
            .map(|(action, resource)| ((*action).to_owned(), resource.clone(), "SUP-75".to_owned()))
            .collect();
        let case = Case::new(&[(POLICY, policy.clone())]).await;
        for write in [ProbeWrite::IfItCanBeDeleted, ProbeWrite::Allowed] {
            let report = case.examined(write).await;
            assert_eq!(failures(&report), expected, "{policy}\n{report:#?}");
        }
        // The documents alone say the same.
        let identity = Some(("policy.json".to_owned(), policy));
        let documents = Documents { identity, ..Documents::default() };
        let report = examine_documents(&crate::rig::profile(), SUPRSEND_BUCKET, &documents);
        assert_eq!(failures(&report), expected, "{report:#?}");
    }
}

/// Whether an object that is not there is a 404 or a 403 says something of `s3:ListBucket`, and nothing of reading.
#[tokio::test]
async fn reading_is_tried_on_an_object_that_exists_or_not_judged() {
    let verdict = |report: &DoctorReport| {
        let finding = report.findings.iter().find(|it| it.check.starts_with("s3:GetObject on ")).unwrap();
        (finding.verdict, finding.message.clone())
    };
    for body in ["rows", ""] {
        let case = Case::new(&[]).await;
        let (unknown, message) = verdict(&case.examined(ProbeWrite::IfItCanBeDeleted).await);
        assert_eq!(unknown, Verdict::NotPermittedToKnow, "{message}");
        assert!(message.contains("no object yet") && message.contains("`s3:ListBucket`"), "{message}");
        let put = async |case: &Case| {
            let put = case.emulator.s3("administrator").put_object().bucket(SUPRSEND_BUCKET);
            put.key("year=2025/x.parquet").body(body.as_bytes().to_vec().into()).send().await.unwrap();
        };
        put(&case).await;
        let before = case.keys().await;
        assert_eq!(verdict(&case.examined(ProbeWrite::IfItCanBeDeleted).await).0, Verdict::Passed);
        let policy =
            suprsend().file(POLICY).unwrap().replacen("\"s3:GetObject\"", "\"s3:GetObjectTagging\"", 1);
        let case = Case::new(&[(POLICY, policy)]).await;
        put(&case).await;
        assert_eq!(verdict(&case.examined(ProbeWrite::IfItCanBeDeleted).await).0, Verdict::Failed);
        assert_eq!(case.keys().await, before, "a doctor that may not write writes nothing");
    }
}

/// Claims SUP-54, SUP-55, SUP-56.
#[tokio::test]
async fn a_trust_policy_without_its_condition_or_principal_is_named() {
    let trust = suprsend().file(TRUST).unwrap();
    let mut open: serde_json::Value = serde_json::from_str(trust).unwrap();
    open["Statement"][0].as_object_mut().unwrap().remove("Condition");
    let open = open.to_string();
    let other = trust.replace("924219879248", "111122223333");
    let lower = "5f0c9a1e-7d42-4c1b-9e2a-3b8d6f4a1c77";
    let role = async |files: &[(&str, String)], external_id| {
        let case = Case { role: true, external_id, ..Case::new(files).await };
        checks(&case.examined(ProbeWrite::IfItCanBeDeleted).await)
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(role(&[], SUPRSEND_EXTERNAL_ID).await, none);
    assert_eq!(role(&[(TRUST, open.clone())], SUPRSEND_EXTERNAL_ID).await, ["role without external id"]);
    assert_eq!(role(&[(TRUST, other.clone())], SUPRSEND_EXTERNAL_ID).await, ["role"]);
    assert_eq!(role(&[], lower).await, ["role"]);

    let profile = crate::rig::profile();
    let offline = |text: &str, id: &str| {
        let trust = Some(("trust.json".to_owned(), text.to_owned()));
        let documents = Documents { trust, external_id: Some(id.to_owned()), ..Documents::default() };
        checks(&examine_documents(&profile, SUPRSEND_BUCKET, &documents))
    };
    assert_eq!(offline(trust, SUPRSEND_EXTERNAL_ID), none);
    assert_eq!(offline(trust, lower), ["role with external id"]);
    assert_eq!(offline(&other, SUPRSEND_EXTERNAL_ID), ["role with external id"]);
    assert_eq!(offline(&open, SUPRSEND_EXTERNAL_ID), ["external id exactly", "role without external id"]);
    let any_case = trust.replace("StringEquals", "StringEqualsIgnoreCase");
    assert_eq!(offline(&any_case, SUPRSEND_EXTERNAL_ID), ["external id exactly"]);
}

/// Claims SUP-72, SUP-73, SUP-74.
#[tokio::test]
async fn bucket_region_and_secret_are_told_apart() {
    let first = async |case: Case| {
        let report = case.examined(ProbeWrite::IfItCanBeDeleted).await;
        let finding = report.failures().next().unwrap().clone();
        (finding.check, finding.requirement.unwrap_or_default(), finding.message)
    };
    let wrong = Case { bucket: "suprsend-logs-prod", ..Case::new(&[]).await };
    let (check, requirement, message) = first(wrong).await;
    assert_eq!((check.as_str(), requirement.as_str()), ("bucket and region", "SUP-72"));
    assert!(message.contains("`suprsend-logs-prod`"), "{message}");
    let wrong = Case { region: "eu-central-1", ..Case::new(&[]).await };
    let (check, requirement, message) = first(wrong).await;
    assert_eq!((check.as_str(), requirement.as_str()), ("bucket and region", "SUP-73"));
    assert!(message.contains("us-east-1") && message.contains("eu-central-1"), "{message}");
    let wrong = Case { secret: "wrong", ..Case::new(&[]).await };
    let (check, requirement, _) = first(wrong).await;
    assert_eq!((check.as_str(), requirement.as_str()), ("access key", "SUP-74"));
}

/// Claims PER-51: a document that is none, and one that does nothing, with line and column.
#[test]
fn documents_are_judged_with_their_places() {
    let profile = crate::rig::profile();
    let examined = |text: &str| {
        let identity = Some(("p.json".to_owned(), text.to_owned()));
        examine_documents(&profile, "logs-1", &Documents { identity, ..Documents::default() })
    };
    let broken = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Allow\",}]\n}";
    let report = examined(broken);
    let finding = report.failures().next().unwrap();
    assert!(finding.message.starts_with("p.json:3:"), "{}", finding.message);
    let bucket = bucketproof_connector::names::BucketName::new("logs-1").unwrap();
    assert_eq!(failures(&examined(&identity_policy(&profile, &bucket))), []);
    let report = examined(&identity_policy(&profile, &bucket).replace("s3:GetObject", "s3:GetObjcet"));
    assert_eq!(failures(&report).len(), 1);
    let warned = |it: &bucketproof_connector::doctor::Finding| {
        it.verdict == Verdict::Warning && it.message.contains("GetObjcet")
    };
    assert!(report.findings.iter().any(warned), "{report:#?}");
    let trust = Some(("t.json".to_owned(), trust_policy(&profile, "e-1").unwrap()));
    let documents = Documents { trust, external_id: Some("e-1".to_owned()), ..Documents::default() };
    assert_eq!(failures(&examine_documents(&profile, "logs-1", &documents)), []);
}

/// Claims ENG-06: the connector writes whole objects, so no upload in parts of its own is left open, also after a write that was
/// refused; those that others have left below its prefix are listed by the doctor, and who may not list them is told so.
#[tokio::test]
async fn uploads_that_were_left_are_listed() {
    let full = suprsend().file(POLICY).unwrap().to_owned();
    let seeing =
        full.replacen("\"s3:ListBucket\"", "\"s3:ListBucket\", \"s3:ListBucketMultipartUploads\"", 1);
    assert_ne!(seeing, full);
    let finding = |report: &DoctorReport| {
        let own = report.findings.iter().find(|finding| finding.check == "unfinished uploads").unwrap();
        (own.verdict, own.message.clone(), own.help.clone().unwrap_or_default())
    };
    let case = Case::new(&[(POLICY, seeing)]).await;
    assert_eq!(finding(&case.examined(ProbeWrite::IfItCanBeDeleted).await).0, Verdict::Passed);
    let s3 = case.emulator.s3("administrator");
    for key in ["year=2025/left.parquet", "year=2025/other.parquet"] {
        s3.create_multipart_upload().bucket(SUPRSEND_BUCKET).key(key).send().await.unwrap();
    }
    let (verdict, message, help) = finding(&case.examined(ProbeWrite::IfItCanBeDeleted).await);
    assert_eq!(verdict, Verdict::Warning);
    assert_eq!(message, "left over: year=2025/left.parquet, year=2025/other.parquet");
    assert!(help.contains("lifecycle rule that aborts unfinished multipart uploads"), "{help}");
    // The documented policy does not let anybody see them, which is no failure.
    let blind = Case::new(&[]).await;
    let report = blind.examined(ProbeWrite::Allowed).await;
    assert_eq!(finding(&report).0, Verdict::NotPermittedToKnow);
    assert!(checks(&report).is_empty(), "{report:#?}");
    let open =
        blind.emulator.s3("administrator").list_multipart_uploads().bucket(SUPRSEND_BUCKET).send().await;
    assert!(open.unwrap().uploads().is_empty(), "a doctor that writes leaves none");
}
