//! A vendor's set-up on an emulator: the bucket, the principal that the profile documents, its policy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::credentials::CredentialSource;
use bucketproof_connector::doctor::{DoctorReport, ProbeWrite, examine};
use bucketproof_connector::engine::Connection;
use bucketproof_connector::names::BucketName;
use bucketproof_connector::policy::{identity_policy_below, trust_policy};
use bucketproof_connector::profile::{AuthMode, Format, KeyPrefix, PolicyAttachment, VendorProfile};
use bucketproof_connector::report::SyncReport;
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Builder, Emulator, Scenario};
use bucketproof_fixtures::scenario::ADMINISTRATOR;

use super::content::{content_of, expected_of, sample};

pub(super) const BUCKET: &str = "customer-exports";
pub(super) const PREFIX: &str = "exports/";
const EXTERNAL_ID: &str = "e-1234";
pub(super) const KEY_ID: &str = "AKIAVENDORXXXEXAMPLE";
pub(super) const SECRET: &str = "vendorUserSecretForTests/0/00EXAMPLEKEY00";
/// When the first run begins: 04:00 UTC and half an hour, so that every schedule has had its turn.
pub(super) const NOW: &str = "2026-03-08T04:30:00Z";
/// Rows are of the day before, and of its evening.
pub(super) const ROWS_FROM: &str = "2026-03-07T21:15:00Z";

/// The synthetic vendor: one file.
const SYNTHETIC: &str = include_str!("synthetic.toml");

pub(super) fn all_profiles() -> Vec<(String, VendorProfile)> {
    let embedded = VendorProfile::embedded().map(|(_, text)| text.to_owned());
    embedded
        .chain([SYNTHETIC.to_owned()])
        .map(|text| {
            let profile = VendorProfile::parse(&text, "vendor.toml").unwrap();
            (text, profile)
        })
        .collect()
}

/// The policy with the vendor's principal in each statement, as a bucket has it.
pub(super) fn for_vendor(policy: &str) -> String {
    let mut policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Principal"] = serde_json::json!({ "AWS": "arn:aws:iam::444455556666:user/exporter" });
    }
    policy.to_string()
}

pub(super) struct Place {
    pub(super) profile: VendorProfile,
    pub(super) emulator: Emulator,
    directory: tempfile::TempDir,
    role: bool,
    /// More lines of the configuration's head.
    extra: String,
    /// More lines of the bucket's part.
    endpoint: String,
}

impl Place {
    /// The documented set-up.
    pub(super) async fn documented(text: &str) -> Self {
        let profile = VendorProfile::parse(text, "vendor.toml").unwrap();
        let prefix = profile.prefix_of(&KeyPrefix::new(PREFIX).unwrap());
        let policy = identity_policy_below(&profile, &BucketName::new(BUCKET).unwrap(), &prefix);
        Self::with_policy(text, &policy).await
    }

    /// The documented policy, without whom it names.
    pub(super) fn policy(&self) -> String {
        let prefix = self.profile.prefix_of(&KeyPrefix::new(PREFIX).unwrap());
        identity_policy_below(&self.profile, &BucketName::new(BUCKET).unwrap(), &prefix)
    }

    /// The documented set-up on a socket and in real time, for the program itself.
    pub(super) async fn served(text: &str) -> Self {
        let profile = VendorProfile::parse(text, "vendor.toml").unwrap();
        let prefix = profile.prefix_of(&KeyPrefix::new(PREFIX).unwrap());
        let policy = identity_policy_below(&profile, &BucketName::new(BUCKET).unwrap(), &prefix);
        let emulator = Emulator::builder().clock(Clock::system()).listen("127.0.0.1:0".parse().unwrap());
        let mut place = Self::start(text, &policy, emulator, "").await;
        place.endpoint = format!(
            "endpoint = \"{}\"\nallow_http = true\npath_style = true\n",
            place.emulator.endpoint_url()
        );
        place
    }

    /// The documented set-up but for the policy.
    pub(super) async fn with_policy(text: &str, policy: &str) -> Self {
        let clock = Clock::manual(NOW.parse().unwrap());
        Self::start(text, policy, Emulator::builder().clock(clock), "").await
    }

    /// The documented set-up but for the policy, and with a key of KMS that trusts its account.
    pub(super) async fn with_policy_and_key(text: &str, policy: &str, key: &str) -> Self {
        let clock = Clock::manual(NOW.parse().unwrap());
        let key = format!("[[account.kms_key]]\nid = \"{key}\"\n");
        Self::start(text, policy, Emulator::builder().clock(clock), &key).await
    }

    /// `more` are more tables of the customer's account.
    async fn start(text: &str, policy: &str, emulator: Builder, more: &str) -> Self {
        let profile = VendorProfile::parse(text, "vendor.toml").unwrap();
        let role = profile.auth_modes().first() == Some(&AuthMode::AssumeRole);
        let everything =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let key_of = |id: &str, secret: &str| {
            format!("[[account.user.access_key]]\nid = \"{id}\"\nsecret = \"{secret}\"\n")
        };
        let key = key_of(KEY_ID, SECRET);
        let user = |name: &str, policy: &str| {
            format!("[[account.user]]\nname = \"{name}\"\npolicies = ['''{policy}''']\n")
        };
        let names_vendor = profile.policy_attachment() == PolicyAttachment::Bucket;
        let on_bucket =
            if names_vendor { format!("policy = '''{}'''\n", for_vendor(policy)) } else { String::new() };
        let mut scenario = format!(
            "[[account]]\nid = \"111122223333\"\nname = \"customer\"\n{}{}\
             {more}[[account.bucket]]\nname = \"{BUCKET}\"\nregion = \"us-east-1\"\n{on_bucket}",
            user("administrator", everything),
            key_of(ADMINISTRATOR.id, ADMINISTRATOR.secret)
        );
        let exporter = user("exporter", everything);
        if role {
            let trust = trust_policy(&profile, EXTERNAL_ID).unwrap();
            let vendor = profile.trust().unwrap().principal.split(':').nth(4).unwrap().to_owned();
            write!(
                scenario,
                "[[account.role]]\nname = \"export\"\ntrust = '''{trust}'''\npolicies = ['''{policy}''']\n\
                 [[account]]\nid = \"{vendor}\"\nname = \"vendor\"\n{exporter}{key}"
            )
            .unwrap();
        } else if names_vendor {
            write!(scenario, "[[account]]\nid = \"444455556666\"\nname = \"vendor\"\n{exporter}{key}")
                .unwrap();
        } else {
            scenario.push_str(&user("connector", policy));
            scenario.push_str(&key);
        }
        let scenario = Scenario::from_parts(&scenario, "vendor/scenario.toml", &[]).unwrap();
        let emulator = emulator.scenario(scenario).seed(7).start().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("vendor.toml"), text).unwrap();
        Self { profile, emulator, directory, role, extra: String::new(), endpoint: String::new() }
    }

    pub(super) fn with(mut self, extra: &str) -> Self {
        extra.clone_into(&mut self.extra);
        self
    }

    fn config(&self) -> Config {
        Config::parse(&self.config_text(), self.directory.path().join("c.toml").to_str().unwrap()).unwrap()
    }

    pub(super) fn config_text(&self) -> String {
        let names: Vec<&str> =
            self.profile.datasets().iter().map(|dataset| dataset.name().as_str()).collect();
        let auth = if self.role {
            format!(
                "mode = \"assume_role\"\nrole_arn = \"arn:aws:iam::111122223333:role/export\"\n\
                 external_id = \"{EXTERNAL_ID}\"\n"
            )
        } else {
            "mode = \"static_keys\"\n".to_owned()
        };
        let mut text = format!(
            "profile_path = \"vendor.toml\"\nenabled = true\ndatasets = {names:?}\n{}\
             [bucket]\nname = \"{BUCKET}\"\nregion = \"us-east-1\"\nprefix = \"{PREFIX}\"\n{}\
             [auth]\n{auth}access_key_id = \"{KEY_ID}\"\nsecret_access_key = {{ env = \"SECRET\" }}\n\
             [state]\ndir = \"state\"\n",
            self.extra, self.endpoint
        );
        for name in names {
            writeln!(text, "[[source]]\ndataset = \"{name}\"\npath = \"{name}.ndjson\"").unwrap();
        }
        text
    }

    fn store(&self) -> S3Store {
        let config = self.config();
        let credentials = config.credentials(|_| Some(SECRET.to_owned())).unwrap();
        let http = Some(self.emulator.http_client());
        S3Store::new(config.store_settings(credentials), self.emulator.clock(), http).unwrap()
    }

    /// A connection by a configuration in which texts are others.
    pub(super) fn connection_with(&self, changes: &[(&str, &str)], secret: &str) -> Connection {
        let mut text = self.config_text();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}: {text}");
            text = text.replace(from, to);
        }
        let name = self.directory.path().join("c.toml");
        let config = Config::parse(&text, name.to_str().unwrap()).unwrap();
        let credentials = config.credentials(|_| Some(secret.to_owned())).unwrap();
        let http = Some(self.emulator.http_client());
        let store = S3Store::new(config.store_settings(credentials), self.emulator.clock(), http).unwrap();
        let profile = config.load_profile().unwrap();
        let clock = self.emulator.clock().clone();
        Connection::new(config, profile, Arc::new(store), clock, Entropy::seeded(1)).unwrap()
    }

    /// A connection with other credentials.
    pub(super) fn connection_as(&self, credentials: CredentialSource) -> Connection {
        let config = self.config();
        let http = Some(self.emulator.http_client());
        let store = S3Store::new(config.store_settings(credentials), self.emulator.clock(), http).unwrap();
        let (profile, clock) = (config.load_profile().unwrap(), self.emulator.clock().clone());
        Connection::new(config, profile, Arc::new(store), clock, Entropy::seeded(1)).unwrap()
    }

    pub(super) fn connection(&self) -> Connection {
        let config = self.config();
        let profile = config.load_profile().unwrap();
        let clock = self.emulator.clock().clone();
        Connection::new(config, profile, Arc::new(self.store()), clock, Entropy::seeded(1)).unwrap()
    }

    pub(super) async fn doctor(&self, write: ProbeWrite) -> DoctorReport {
        examine(&self.config(), &self.profile, &self.store(), write).await.unwrap()
    }

    pub(super) fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Appends rows `numbers` of each dataset to its source.
    pub(super) fn write_rows(&self, numbers: std::ops::Range<u32>) {
        self.write_rows_from(numbers, ROWS_FROM.parse().unwrap());
    }

    /// The same, of another evening.
    pub(super) fn write_rows_from(&self, numbers: std::ops::Range<u32>, from: jiff::Timestamp) {
        use std::io::Write as _;
        for dataset in self.profile.datasets() {
            let path = self.directory.path().join(format!("{}.ndjson", dataset.name()));
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
            for number in numbers.clone() {
                writeln!(file, "{}", sample(dataset, number, from)).unwrap();
            }
        }
    }

    pub(super) async fn sync(&self) -> SyncReport {
        let report = self.connection().sync().await.unwrap();
        for dataset in &report.datasets {
            assert!(dataset.reconciles(), "{dataset:?}");
            assert_eq!(dataset.rows_dead_lettered, 0, "{dataset:?}");
        }
        report
    }

    pub(super) async fn objects(&self) -> BTreeMap<String, bytes::Bytes> {
        let s3 = self.emulator.s3("administrator");
        let listing = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
        let mut objects = BTreeMap::new();
        for object in listing.contents() {
            let key = object.key().unwrap();
            let body = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
            objects.insert(key.to_owned(), body.body.collect().await.unwrap().into_bytes());
        }
        objects
    }

    /// What a reader finds, by dataset.
    pub(super) async fn content(&self, format: Format) -> BTreeMap<String, Vec<String>> {
        content_of(&self.profile, &self.config().bucket.prefix, format, &self.objects().await)
    }

    /// What a reader is to find once rows `numbers` of each dataset were exported.
    pub(super) fn expected(&self, numbers: std::ops::Range<u32>) -> BTreeMap<String, Vec<String>> {
        expected_of(&self.profile, &numbers, ROWS_FROM.parse().unwrap())
    }
}
