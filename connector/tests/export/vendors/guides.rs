//! Each set-up guide, followed to the letter: its commands go to an emulator, and in the end rows lie in the bucket.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::doctor::{ProbeWrite, examine};
use bucketproof_connector::engine::Connection;
use bucketproof_connector::guide::{Guide, GuideSubject, guide};
use bucketproof_connector::names::BucketName;
use bucketproof_connector::profile::{AuthMode, KeyPrefix, PolicyAttachment, VendorProfile};
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, Scenario};
use bucketproof_fixtures::scenario::ADMINISTRATOR;
use bytes::Bytes;
use hyper::Request;

use super::content::sample;
use super::place::{KEY_ID, NOW, ROWS_FROM, SECRET};

const BUCKET: &str = "guided-exports";
const ACCOUNT: &str = "111122223333";
const KEY: &str = "0f0f0f0f-0000-4000-8000-000000000000";
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A customer who has nothing but an administrator and a key, and a vendor.
struct Customer {
    emulator: Emulator,
    directory: tempfile::TempDir,
    files: BTreeMap<String, String>,
}

impl Customer {
    /// `vendor` is the account that assumes the customer's role, or whose principal the bucket's policy names.
    async fn new(vendor: &str) -> Self {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{vendor}:root"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let scenario = format!(
            "[[account]]\nid = \"{ACCOUNT}\"\nname = \"customer\"\n\
             [[account.user]]\nname = \"administrator\"\npolicies = ['''{EVERYTHING}''']\n\
             [[account.user.access_key]]\nid = \"{}\"\nsecret = \"{}\"\n\
             [[account.kms_key]]\nid = \"{KEY}\"\n\
             [[account]]\nid = \"{vendor}\"\nname = \"vendor\"\n\
             [[account.user]]\nname = \"exporter\"\npolicies = ['''{EVERYTHING}''']\n\
             [[account.user.access_key]]\nid = \"{KEY_ID}\"\nsecret = \"{SECRET}\"\n\
             [[account.role]]\nname = \"exports\"\ntrust = '''{trust}'''\npolicies = ['''{EVERYTHING}''']\n",
            ADMINISTRATOR.id, ADMINISTRATOR.secret
        );
        let scenario = Scenario::from_parts(&scenario, "guide/scenario.toml", &[]).unwrap();
        let clock = Clock::manual(NOW.parse().unwrap());
        let emulator = Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap();
        Self { emulator, directory: tempfile::tempdir().unwrap(), files: BTreeMap::new() }
    }

    fn file(&self, argument: &str) -> String {
        let name = argument.strip_prefix("file://").unwrap_or_else(|| panic!("no file: {argument}"));
        self.files.get(name).unwrap_or_else(|| panic!("the guide has no `{name}`")).clone()
    }

    /// What the command line of AWS would do. `None` for what is no command of AWS.
    async fn run(&self, command: &str) -> Option<String> {
        let words: Vec<&str> = command.split(' ').collect();
        let rest = words.strip_prefix(&["aws"])?;
        let argument = |name: &str| {
            let at =
                rest.iter().position(|word| *word == name).unwrap_or_else(|| panic!("{name}: {command}"));
            rest[at + 1].to_owned()
        };
        let s3 = self.emulator.s3("administrator");
        match rest {
            ["s3", "mb", url, ..] => {
                assert_eq!(argument("--region"), "us-east-1");
                s3.create_bucket().bucket(url.strip_prefix("s3://").unwrap()).send().await.unwrap();
            }
            ["s3api", "put-public-access-block", ..] => {
                let settings = argument("--public-access-block-configuration");
                let mut block = aws_sdk_s3::types::PublicAccessBlockConfiguration::builder();
                for setting in settings.split(',') {
                    block = match setting {
                        "BlockPublicAcls=true" => block.block_public_acls(true),
                        "IgnorePublicAcls=true" => block.ignore_public_acls(true),
                        "BlockPublicPolicy=true" => block.block_public_policy(true),
                        "RestrictPublicBuckets=true" => block.restrict_public_buckets(true),
                        other => panic!("{other}"),
                    };
                }
                let put = s3.put_public_access_block().bucket(argument("--bucket"));
                put.public_access_block_configuration(block.build()).send().await.unwrap();
            }
            ["s3api", "put-bucket-policy", ..] => {
                let put = s3.put_bucket_policy().bucket(argument("--bucket"));
                put.policy(self.file(&argument("--policy"))).send().await.unwrap();
            }
            ["kms", "put-key-policy", ..] => {
                let put = self.emulator.kms("administrator").put_key_policy();
                let put = put.key_id(argument("--key-id")).policy_name(argument("--policy-name"));
                put.policy(self.file(&argument("--policy"))).send().await.unwrap();
            }
            ["iam", operation, ..] => {
                let mut parameters = vec![("Action".to_owned(), pascal(operation))];
                for pair in rest[2..].chunks(2) {
                    let value =
                        if pair[1].starts_with("file://") { self.file(pair[1]) } else { pair[1].to_owned() };
                    parameters.push((pascal(pair[0].trim_start_matches("--")), value));
                }
                return Some(self.iam(&parameters).await);
            }
            _ => panic!("no such command is known: {command}"),
        }
        Some(String::new())
    }

    /// One call of the administrator to IAM; the answer must be good.
    async fn iam(&self, parameters: &[(String, String)]) -> String {
        let mut body = "Version=2010-05-08".to_owned();
        for (name, value) in parameters {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            write!(body, "&{name}={value}").unwrap();
        }
        let identity = Credentials::new(ADMINISTRATOR.id, ADMINISTRATOR.secret, None, None, "tests").into();
        let signing = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("iam")
            .time(self.emulator.clock().system_time())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let uri = format!("{}/", self.emulator.endpoint_url());
        let host = uri.split_once("://").unwrap().1.replace('/', "");
        let kind = "application/x-www-form-urlencoded";
        let headers = [("host", host.as_str()), ("content-type", kind)];
        let mut request = Request::post(&uri)
            .header("host", &host)
            .header("content-type", kind)
            .body(Bytes::from(body.clone()))
            .unwrap();
        let signable =
            SignableRequest::new("POST", &uri, headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
        let (instructions, _) = sign(signable.unwrap(), &signing).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let answer = self.emulator.send(request).await.unwrap();
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(answer.status(), 200, "{parameters:?}: {text}");
        text
    }
}

/// `create-access-key` as IAM writes it.
fn pascal(words: &str) -> String {
    words.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    text.split(&format!("<{tag}>")).nth(1).unwrap().split('<').next().unwrap()
}

fn subject(profile: &VendorProfile, auth: AuthMode, vendor: &str, kms: bool) -> GuideSubject {
    let role = auth == AuthMode::AssumeRole;
    let name = if role { "role/exports" } else { "user/exporter" };
    let is_named = profile.policy_attachment() == PolicyAttachment::Bucket;
    let with_id = role && profile.trust().is_some();
    GuideSubject {
        bucket: BucketName::new(BUCKET).unwrap(),
        region: "us-east-1".to_owned(),
        prefix: profile.prefix_of(&KeyPrefix::new("exports/").unwrap()),
        auth,
        account: Some(ACCOUNT.to_owned()),
        principal: is_named.then(|| format!("arn:aws:iam::{vendor}:{name}")),
        external_id: with_id.then(|| "5F0C9A1E-7d42".to_owned()),
        kms_key: kms.then(|| format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY}")),
        configuration: None,
    }
}

/// Follows a guide from the first step to the last, and gives its end to a doctor and to a sync.
async fn follow(profile: &VendorProfile, guide: &Guide, vendor: &str) {
    let what = format!("{}\n{}", profile.id(), guide.text());
    let mut customer = Customer::new(vendor).await;
    customer.files.clone_from(&guide.files);
    let (mut id, mut secret) = (KEY_ID.to_owned(), SECRET.to_owned());
    let mut own = 0;
    for command in guide.steps.iter().flat_map(|step| &step.commands) {
        match customer.run(command).await {
            Some(answer) if command.contains("create-access-key") => {
                between(&answer, "AccessKeyId").clone_into(&mut id);
                between(&answer, "SecretAccessKey").clone_into(&mut secret);
            }
            Some(_) => {}
            None => own += 1,
        }
    }
    assert_eq!(own, 2, "doctor and sync: {what}");
    let folder = customer.directory.path();
    std::fs::write(folder.join("connector.toml"), &guide.files["connector.toml"]).unwrap();
    std::fs::write(folder.join("access-key-id"), &id).unwrap();
    std::fs::write(folder.join("secret-access-key"), &secret).unwrap();
    for dataset in profile.datasets() {
        let lines: Vec<String> =
            (0..5).map(|number| sample(dataset, number, ROWS_FROM.parse().unwrap()) + "\n").collect();
        std::fs::write(folder.join(format!("{}.ndjson", dataset.name())), lines.concat()).unwrap();
    }
    let config = Config::load(&folder.join("connector.toml")).unwrap();
    let clock = customer.emulator.clock().clone();
    let store = || {
        let credentials = config.credentials(|_| None).unwrap();
        let http = Some(customer.emulator.http_client());
        S3Store::new(config.store_settings(credentials), &clock, http).unwrap()
    };
    let report = examine(&config, profile, &store(), ProbeWrite::Allowed).await.unwrap();
    assert_eq!(report.failures().count(), 0, "{what}{report:#?}");
    let connection = Connection::new(
        config.clone(),
        profile.clone(),
        Arc::new(store()),
        clock.clone(),
        Entropy::seeded(1),
    );
    let report = connection.unwrap().sync().await.unwrap_or_else(|error| panic!("{what}{error}"));
    for dataset in &report.datasets {
        assert!(dataset.rows_written > 0 && dataset.reconciles(), "{what}{dataset:?}");
    }
    let s3 = customer.emulator.s3("administrator");
    for object in report.datasets.iter().flat_map(|dataset| &dataset.objects) {
        let head = s3.head_object().bucket(BUCKET).key(object.key.as_str()).send().await.unwrap();
        let is_kms = head.server_side_encryption() == Some(&aws_sdk_s3::types::ServerSideEncryption::AwsKms);
        assert_eq!(is_kms, guide.files["connector.toml"].contains("kms_key_id"), "{what}");
    }
}

/// Claims SUP-51, SUP-52, SUP-53, DAT-17, SPL-63, PER-35, PER-55, PER-Q11, ENG-09.
#[tokio::test]
async fn each_guide_followed_to_the_letter_ends_in_an_export() {
    let mut followed = 0;
    for (id, _) in VendorProfile::embedded() {
        let profile = VendorProfile::named(id).unwrap();
        let vendor = profile.trust().and_then(|trust| trust.principal.split(':').nth(4));
        let vendor = vendor.unwrap_or("444455556666").to_owned();
        let kms_steps = profile.guide().iter().any(|step| step.kms);
        for auth in profile.auth_modes().iter().copied().filter(|auth| *auth != AuthMode::Ambient) {
            for kms in [false, true].into_iter().take(1 + usize::from(kms_steps)) {
                let guide = guide(&profile, &subject(&profile, auth, &vendor, kms)).unwrap();
                let numbers: Vec<usize> = guide.steps.iter().map(|step| step.number).collect();
                assert_eq!(numbers, (1..=guide.steps.len()).collect::<Vec<_>>());
                let text = guide.text();
                assert!(!text.contains("YOUR_") && !text.contains("{bucket}") && text.contains(BUCKET));
                assert!(!text.contains(SECRET), "no secret stands in a guide");
                follow(&profile, &guide, &vendor).await;
                followed += 1;
            }
        }
    }
    // With and without a key: SuprSend two ways, Datafly, Split two, Permutive's batch two, its stream; Adapty without.
    assert_eq!(followed, 2 * (2 + 1 + 2 + 2 + 1) + 1);
}

/// Claims SUP-63, ADA-13: policies are attached to groups where the pages say so.
#[test]
fn users_get_their_policies_from_groups_where_the_page_says_so() {
    for id in ["suprsend_s3_v2", "adapty_s3"] {
        let profile = VendorProfile::named(id).unwrap();
        let guide = guide(&profile, &subject(&profile, AuthMode::StaticKeys, "444455556666", false)).unwrap();
        let commands: Vec<&String> = guide.steps.iter().flat_map(|step| &step.commands).collect();
        assert!(commands.iter().any(|command| command.starts_with("aws iam attach-group-policy")), "{id}");
        assert!(commands.iter().any(|command| command.starts_with("aws iam add-user-to-group")), "{id}");
        assert!(!commands.iter().any(|command| command.contains("attach-user-policy")), "{id}");
    }
}

#[test]
fn what_a_guide_must_know_is_asked_for_by_name() {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    let whole = subject(&profile, AuthMode::AssumeRole, "444455556666", false);
    let error = guide(&profile, &GuideSubject { account: None, ..whole.clone() }).unwrap_err();
    assert_eq!(error.to_string(), "step `Make the role` needs to know `account`");
    assert_eq!(error.help(), "give it with `--account`");
    let error = guide(&profile, &GuideSubject { external_id: None, ..whole.clone() }).unwrap_err();
    assert_eq!(error.help(), "give it with `--external-id`");
    let error = guide(&profile, &GuideSubject { auth: AuthMode::Ambient, ..whole }).unwrap_err();
    assert!(error.to_string().contains("does not authenticate by Ambient"), "{error}");
    let split = VendorProfile::named("split_impressions_export").unwrap();
    let whole = subject(&split, AuthMode::StaticKeys, "444455556666", false);
    let error = guide(&split, &GuideSubject { principal: None, ..whole }).unwrap_err();
    assert_eq!(error.help(), "give it with `--principal`");
}
