//! A vendor's export as its page sets it up: a customer's bucket, the principal that the page names, exactly the policy
//! that it prints. The vendor is a profile; nothing here knows which.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::doctor::{DoctorReport, ProbeWrite, examine};
use bucketproof_connector::engine::{Connection, SyncError};
use bucketproof_connector::names::BucketName;
use bucketproof_connector::policy::identity_policy_below;
use bucketproof_connector::profile::{Dataset, KeyPrefix, PolicyAttachment, VendorProfile};
use bucketproof_connector::report::SyncReport;
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, FaultGuard, Scenario};
use bucketproof_fixtures::scenario::ADMINISTRATOR;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::sample_rows::sample_rows;
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Failure, Stop};
use crate::step::step;

/// The customer's bucket.
pub(crate) const CUSTOMER_BUCKET: &str = "customer-exports";
/// The file of the documented policy, as falsifiers name it.
pub(crate) const DOCUMENTED_POLICY: &str = "policies/documented.json";
/// The vendor's principal, where the bucket's policy names one.
pub(crate) const VENDOR_USER: &str = "arn:aws:iam::444455556666:user/exporter";
const KMS_KEY: &str = "1111aaaa-22bb-33cc-44dd-5555eeee6666";
/// The customer's key of KMS, where the set-up has one; `{key}` in configurations.
pub(crate) const KMS_KEY_ARN: &str =
    "arn:aws:kms:us-east-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666";
const KEY_ID: &str = "AKIAVENDORXXXEXAMPLE";
const SECRET: &str = "vendorUserSecretForTests/0/00EXAMPLEKEY00";
/// A policy that allows everything.
pub(crate) const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// What is otherwise than on the page.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// When the first run begins.
    pub(crate) now: &'static str,
    /// When the first row is of.
    pub(crate) rows_from: &'static str,
    /// The prefix of the connection.
    pub(crate) prefix: &'static str,
    /// More lines of the configuration's head.
    pub(crate) head: &'static str,
    /// What is taken out of the policy.
    pub(crate) without: Option<Element>,
    /// The bucket refuses writes whose header, as a condition key, has another value.
    pub(crate) insists: Option<(&'static str, &'static str)>,
    /// Other texts in the configuration.
    pub(crate) edit: Option<(&'static str, &'static str)>,
    /// There is a key of KMS, and this is its policy; if it is empty, that of a key made without one.
    pub(crate) key_policy: Option<String>,
}

impl Default for Setup {
    /// Half past four in the morning, so that every schedule has had its turn; rows of the evening before.
    fn default() -> Self {
        Self {
            now: "2026-03-08T04:30:00Z",
            rows_from: "2026-03-07T21:15:00Z",
            prefix: "exports/",
            head: "",
            without: None,
            insists: None,
            edit: None,
            key_policy: None,
        }
    }
}

/// An element of a policy that can be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// An action, as it is written.
    Action(&'static str),
    /// A resource: what stands behind the bucket's ARN.
    Resource(&'static str),
}

/// The policy of this profile for the customer's bucket, as its page prints it.
pub(crate) fn documented_policy(profile: &VendorProfile, prefix: &str) -> Result<Value, Stop> {
    let bucket = step("name the bucket").works(BucketName::new(CUSTOMER_BUCKET))?;
    let prefix = step("name the prefix").works(KeyPrefix::new(prefix))?;
    let text = identity_policy_below(profile, &bucket, &profile.prefix_of(&prefix));
    step("read the policy").works(serde_json::from_str(&text))
}

/// What no export does; it knows the condition keys of writes, so that it can stand where they stood.
pub(crate) const USELESS_ACTION: &str = "s3:PutObjectVersionAcl";

/// Whether an action applies to one of the resources: AWS takes no bucket policy with one that does not.
fn applies(action: &Value, resources: &[Value]) -> bool {
    let is_of_bucket = action.as_str().is_some_and(|action| action.contains("Bucket"));
    let is_bucket = |resource: &Value| resource.as_str().is_some_and(|resource| !resource.contains('/'));
    resources.iter().any(|resource| is_bucket(resource) == is_of_bucket)
}

/// The policy without an element; a statement that has nothing left allows something of no use.
pub(crate) fn without(policy: &mut Value, element: Element) -> Result<(), Stop> {
    let (member, gone) = match element {
        Element::Action(action) => ("Action", action.to_owned()),
        Element::Resource(rest) => ("Resource", format!("arn:aws:s3:::{CUSTOMER_BUCKET}{rest}")),
    };
    let mut found = false;
    for statement in policy.get_mut("Statement").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(list) = statement.get_mut(member) else { continue };
        let mut values = match list.take() {
            Value::Array(values) => values,
            single => vec![single],
        };
        let before = values.len();
        values.retain(|value| value.as_str() != Some(&gone));
        found |= values.len() < before;
        if values.is_empty() {
            let useless = format!("arn:aws:s3:::{CUSTOMER_BUCKET}/nothing-lies-here");
            if let Some(members) = statement.as_object_mut() {
                members.insert("Action".to_owned(), json!(USELESS_ACTION));
                members.insert("Resource".to_owned(), json!(useless));
            }
        } else {
            *list = Value::Array(values.clone());
            if let (Element::Resource(_), true, Some(Value::Array(actions))) =
                (element, values.len() < before, statement.get_mut("Action"))
                && actions.iter().any(|action| applies(action, &values))
            {
                actions.retain(|action| applies(action, &values));
            }
        }
    }
    let taken = found.then_some(());
    step(format!("take `{gone}` out of the documented policy")).some("a policy that has it", taken)
}

/// The policy, changed if that is the falsifier.
pub(crate) fn falsified_policy(context: &CheckContext, policy: Value) -> Result<Value, Stop> {
    let Some(Falsifier::PolicyEdit { file, edit }) = context.falsifier() else { return Ok(policy) };
    if file != DOCUMENTED_POLICY {
        return Ok(policy);
    }
    let text = step("print the policy").works(serde_json::to_string_pretty(&policy))?;
    let text = step("falsify the policy").works(edit.apply(&text))?;
    step("read the falsified policy").works(serde_json::from_str(&text))
}

/// A vendor's export at a customer's bucket.
pub(crate) struct VendorStage {
    pub(crate) emulator: Emulator,
    pub(crate) profile: VendorProfile,
    context: CheckContext,
    setup: Setup,
    folder: TempDir,
    _fault: Option<FaultGuard>,
}

/// The text of a built-in profile as it stands.
fn embedded(profile: &'static str) -> Result<&'static str, Stop> {
    let found = VendorProfile::embedded().find(|(id, _)| *id == profile);
    step(format!("find the profile `{profile}`")).some("a built-in profile", found).map(|(_, text)| text)
}

/// A built-in profile, changed if that is the falsifier.
pub(crate) fn profile_under_test(
    context: &CheckContext,
    profile: &'static str,
) -> Result<(String, VendorProfile), Stop> {
    let text = embedded(profile)?;
    let text = match context.falsifier() {
        Some(Falsifier::ProfileEdit(edit)) => step("falsify the profile").works(edit.apply(text))?,
        _ => text.to_owned(),
    };
    let parsed =
        step("read the profile").succeeds("a profile", VendorProfile::parse(&text, "vendor.toml"))?;
    Ok((text, parsed))
}

impl VendorStage {
    pub(crate) async fn open(
        context: CheckContext,
        profile: &'static str,
        setup: Setup,
    ) -> Result<Self, Stop> {
        let (text, edited) = profile_under_test(&context, profile)?;
        let page = step("read the profile").works(VendorProfile::parse(embedded(profile)?, "vendor.toml"))?;
        let scenario = scenario(&context, &page, &setup)?;
        let scenario = step("read the scenario").works(Scenario::from_toml(&scenario))?;
        let clock = Clock::manual(step("read the start time").works(setup.now.parse())?);
        let builder = Emulator::builder().scenario(scenario).clock(clock).seed(context.seed());
        let emulator = step("start the emulator").works(builder.start().await)?;
        let fault = match context.falsifier() {
            Some(Falsifier::Fault(fault)) => Some(emulator.inject(fault.clone())),
            _ => None,
        };
        let folder = step("make a folder").works(TempDir::new())?;
        step("write the profile").works(fs::write(folder.path().join("vendor.toml"), text))?;
        let stage = Self { emulator, profile: edited, context, setup, folder, _fault: fault };
        for dataset in stage.profile.datasets() {
            stage.deliver(dataset, "")?;
        }
        Ok(stage)
    }

    /// The administrator of the customer.
    pub(crate) fn administrator(&self) -> aws_sdk_s3::Client {
        self.emulator.s3(ADMINISTRATOR.principal)
    }

    fn source(&self, dataset: &Dataset) -> PathBuf {
        self.folder.path().join(format!("{}.ndjson", dataset.name()))
    }

    /// Adds lines to a dataset's source; those that come last may be falsified.
    pub(crate) fn deliver(&self, dataset: &Dataset, lines: &str) -> Result<(), Stop> {
        let lines = match self.context.falsifier() {
            Some(Falsifier::InputEdit { dataset: edited, edit })
                if edited == dataset.name().as_str() && !lines.is_empty() =>
            {
                step("falsify the input").works(edit.apply(lines))?
            }
            _ => lines.to_owned(),
        };
        let file = OpenOptions::new().create(true).append(true).open(self.source(dataset));
        let mut file = step("open the source").works(file)?;
        step("add to the source").works(file.write_all(lines.as_bytes()))
    }

    /// Adds sample rows to every source.
    pub(crate) fn deliver_samples(&self, numbers: &std::ops::Range<u32>) -> Result<(), Stop> {
        let from: Timestamp = step("read the first row's time").works(self.setup.rows_from.parse())?;
        for dataset in self.profile.datasets() {
            self.deliver(dataset, &sample_rows(dataset, numbers.clone(), from))?;
        }
        Ok(())
    }

    /// The configuration's text.
    fn config_text(&self) -> Result<String, Stop> {
        let names: Vec<&str> =
            self.profile.datasets().iter().map(|dataset| dataset.name().as_str()).collect();
        let mut text = format!(
            "profile_path = \"vendor.toml\"\nenabled = true\ndatasets = {names:?}\n{}\n\
             [bucket]\nname = \"{CUSTOMER_BUCKET}\"\nregion = \"us-east-1\"\nprefix = \"{}\"\n\
             [auth]\nmode = \"static_keys\"\naccess_key_id = \"{KEY_ID}\"\n\
             secret_access_key = {{ env = \"SECRET\" }}\n[state]\ndir = \"state\"\n",
            self.setup.head, self.setup.prefix
        );
        for name in names {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "[[source]]\ndataset = \"{name}\"\npath = \"{name}.ndjson\"");
        }
        if let Some((find, replace)) = self.setup.edit {
            text = text.replace(find, replace);
        }
        text = text.replace("{key}", KMS_KEY_ARN);
        match self.context.falsifier() {
            Some(Falsifier::ConfigEdit(edit)) => step("falsify the configuration").works(edit.apply(&text)),
            _ => Ok(text),
        }
    }

    /// The configuration, or what is wrong with it.
    pub(crate) fn config(&self) -> Result<Result<Config, String>, Stop> {
        let name = self.folder.path().join("connector.toml").display().to_string();
        let config = Config::parse(&self.config_text()?, &name).map_err(|error| error.to_string());
        Ok(config.and_then(|config| {
            // Some of it can be judged only together with the profile.
            let profile = config.load_profile().map_err(|error| error.to_string())?;
            let store = self.store(&config)?;
            Connection::new(config.clone(), profile, Arc::new(store), self.clock(), Entropy::seeded(1))
                .map(|_| config)
                .map_err(|error| error.to_string())
        }))
    }

    fn clock(&self) -> Clock {
        self.emulator.clock().clone()
    }

    fn store(&self, config: &Config) -> Result<S3Store, String> {
        let secret = |variable: &str| match variable {
            "SECRET" => Some(SECRET.to_owned()),
            _ => Some("another secret, which is not this key's".to_owned()),
        };
        let credentials = config.credentials(secret).map_err(|error| error.to_string())?;
        let http = Some(self.emulator.http_client());
        S3Store::new(config.store_settings(credentials), &self.clock(), http)
            .map_err(|error| error.to_string())
    }

    fn usable(&self) -> Result<(Config, S3Store), Stop> {
        let broken = |message: String| step("set the connector up").failure("a connector", message);
        let config = self.config()?.map_err(broken)?;
        let store = self.store(&config).map_err(broken)?;
        Ok((config, store))
    }

    /// One run of a fresh process.
    pub(crate) async fn try_sync(&self) -> Result<Result<SyncReport, SyncError>, Stop> {
        let (config, store) = self.usable()?;
        let profile = step("read the profile").works(config.load_profile())?;
        let connection = Connection::new(config, profile, Arc::new(store), self.clock(), Entropy::seeded(1));
        let connection = step("set the connector up").succeeds("a connector", connection)?;
        Ok(connection.sync().await)
    }

    /// One run that must do its work.
    pub(crate) async fn sync(&self, name: &str) -> Result<SyncReport, Stop> {
        let report = self.try_sync().await?.map_err(|error| self.failure(name, &error))?;
        for dataset in &report.datasets {
            step(format!("{name}: the counts of `{}` add up", dataset.dataset))
                .equal(&true, &dataset.reconciles())?;
        }
        Ok(report)
    }

    fn failure(&self, name: &str, error: &SyncError) -> Failure {
        let mut failure =
            step(name).failure("the export does its work", error.to_string()).help(error.help());
        let denied = self.emulator.journal().denied();
        for decision in &denied {
            failure = failure.missing(decision.action.as_str(), decision.resource.as_str());
        }
        match denied.last() {
            Some(last) => failure.trace(last.explain()),
            None => failure,
        }
    }

    /// What the connector's doctor says.
    pub(crate) async fn doctor(&self) -> Result<DoctorReport, Stop> {
        let (config, store) = self.usable()?;
        step("ask the doctor").works(examine(&config, &self.profile, &store, ProbeWrite::Allowed).await)
    }

    /// Every object of the bucket, read by the customer's administrator.
    pub(crate) async fn objects(&self) -> Result<BTreeMap<String, Bytes>, Stop> {
        let s3 = self.administrator();
        let listed = s3.list_objects_v2().bucket(CUSTOMER_BUCKET).send().await;
        let listed = step("list the bucket").succeeds("a listing", listed)?;
        let mut objects = BTreeMap::new();
        for key in listed.contents().iter().filter_map(|object| object.key()) {
            let got = s3.get_object().bucket(CUSTOMER_BUCKET).key(key).send().await;
            let got = step(format!("read `{key}`")).succeeds("the object", got)?;
            let body = step(format!("read `{key}`")).succeeds("its bytes", got.body.collect().await)?;
            objects.insert(key.to_owned(), body.into_bytes());
        }
        Ok(objects)
    }
}

/// The accounts of customer and vendor.
fn scenario(context: &CheckContext, page: &VendorProfile, setup: &Setup) -> Result<String, Stop> {
    let mut policy = documented_policy(page, setup.prefix)?;
    if let Some(element) = setup.without {
        without(&mut policy, element)?;
    }
    let policy = falsified_policy(context, policy)?;
    let on_bucket = page.policy_attachment() == PolicyAttachment::Bucket;
    let mut statements = Vec::new();
    if on_bucket {
        for statement in policy.get("Statement").and_then(Value::as_array).into_iter().flatten() {
            let mut statement = statement.clone();
            if let Some(members) = statement.as_object_mut() {
                members.insert("Principal".to_owned(), json!({ "AWS": VENDOR_USER }));
            }
            statements.push(statement);
        }
    }
    if let Some((key, value)) = setup.insists {
        statements.push(json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": format!("arn:aws:s3:::{CUSTOMER_BUCKET}/*"),
            "Condition": { "StringNotEquals": { key: value } },
        }));
    }
    let user = |name: &str, policy: &str, key: (&str, &str)| {
        format!(
            "[[account.user]]\nname = \"{name}\"\npolicies = ['''{policy}''']\n\
             [[account.user.access_key]]\nid = \"{}\"\nsecret = \"{}\"\n",
            key.0, key.1
        )
    };
    let bucket_policy = if statements.is_empty() {
        String::new()
    } else {
        format!("policy = '''{}'''\n", json!({ "Version": "2012-10-17", "Statement": statements }))
    };
    let mut text = format!(
        "[[account]]\nid = \"111122223333\"\nname = \"customer\"\n{}",
        user(ADMINISTRATOR.principal, EVERYTHING, (ADMINISTRATOR.id, ADMINISTRATOR.secret)),
    );
    if !on_bucket {
        text.push_str(&user("connector", &policy.to_string(), (KEY_ID, SECRET)));
    }
    if let Some(policy) = &setup.key_policy {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "[[account.kms_key]]\nid = \"{KMS_KEY}\"\n");
        if !policy.is_empty() {
            let _ = writeln!(text, "policy = '''{policy}'''");
        }
    }
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "[[account.bucket]]\nname = \"{CUSTOMER_BUCKET}\"\nregion = \"us-east-1\"\n{bucket_policy}"
    );
    if on_bucket {
        text.push_str("[[account]]\nid = \"444455556666\"\nname = \"vendor\"\n");
        text.push_str(&user("exporter", EVERYTHING, (KEY_ID, SECRET)));
    }
    Ok(text)
}
