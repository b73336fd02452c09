//! An import from a customer's bucket as the vendor's page sets it up: the bucket's policy, a folder of data, a folder of
//! status reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::import::{
    ImportConfig, ImportError, ImportSummary, Importer, InboundStore, StatusReport,
};
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, FaultGuard, Scenario};
use bucketproof_fixtures::scenario::ADMINISTRATOR;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{CUSTOMER_BUCKET, EVERYTHING, Element, falsified_policy, without};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Failure, Stop};
use crate::step::step;

const IMPORTER: &str = "arn:aws:iam::444455556666:user/importer";
const SECRET: &str = "importerUserSecretForTests/0/00EXAMPLEKEY";

/// What is otherwise than on the page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InboundSetup {
    /// What is taken out of the bucket's policy.
    pub(crate) without: Option<Element>,
    /// Reports must give the bucket's owner full control.
    pub(crate) insists_on_acl: bool,
    /// A text in the configuration, and what stands in its place.
    pub(crate) edit: Option<(&'static str, &'static str)>,
}

/// A vendor's import from a customer's bucket.
pub(crate) struct Inbound {
    pub(crate) emulator: Emulator,
    context: CheckContext,
    folder: TempDir,
    setup: InboundSetup,
    _fault: Option<FaultGuard>,
}

/// The policy of the vendor's page, for the folders of the stage.
fn documented() -> Value {
    let bucket = format!("arn:aws:s3:::{CUSTOMER_BUCKET}");
    let of = |actions: [&str; 2], resources: Vec<String>| json!({ "Effect": "Allow", "Principal": { "AWS": IMPORTER }, "Action": actions, "Resource": resources });
    let data = vec![bucket.clone(), format!("{bucket}/events/*")];
    let status = vec![format!("{bucket}/my_statuses/*")];
    let statements = [of(["s3:Get*", "s3:List*"], data), of(["s3:PutObject", "s3:PutObjectAcl"], status)];
    json!({ "Version": "2012-10-17", "Statement": statements })
}

impl Inbound {
    pub(crate) async fn open(context: CheckContext, setup: InboundSetup) -> Result<Self, Stop> {
        let mut policy = documented();
        if let Some(element) = setup.without {
            without(&mut policy, element)?;
        }
        let mut policy = falsified_policy(&context, policy)?;
        if setup.insists_on_acl
            && let Some(statements) = policy.get_mut("Statement").and_then(Value::as_array_mut)
        {
            statements.push(json!({
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": format!("arn:aws:s3:::{CUSTOMER_BUCKET}/my_statuses/*"),
                "Condition": { "StringNotEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } },
            }));
        }
        let user = |name: &str, id: &str, secret: &str| {
            format!(
                "[[account.user]]\nname = \"{name}\"\npolicies = ['''{EVERYTHING}''']\n\
                 [[account.user.access_key]]\nid = \"{id}\"\nsecret = \"{secret}\"\n"
            )
        };
        let scenario = format!(
            "[[account]]\nid = \"111122223333\"\nname = \"customer\"\n{}[[account.bucket]]\n\
             name = \"{CUSTOMER_BUCKET}\"\npolicy = '''{policy}'''\n[[account]]\nid = \"444455556666\"\n\
             name = \"vendor\"\n{}",
            user(ADMINISTRATOR.principal, ADMINISTRATOR.id, ADMINISTRATOR.secret),
            user("importer", "AKIAIMPORTEREXAMPLE0", SECRET),
        );
        let scenario = step("read the scenario").works(Scenario::from_toml(&scenario))?;
        let clock = Clock::manual(step("read the start time").works("2026-01-01T00:00:00Z".parse())?);
        let builder = Emulator::builder().scenario(scenario).clock(clock).seed(context.seed());
        let emulator = step("start the emulator").works(builder.start().await)?;
        let fault = match context.falsifier() {
            Some(Falsifier::Fault(fault)) => Some(emulator.inject(fault.clone())),
            _ => None,
        };
        let folder = step("make a folder").works(TempDir::new())?;
        Ok(Self { emulator, context, folder, setup, _fault: fault })
    }

    /// The rows as they are delivered: changed if that is the falsifier.
    pub(crate) fn rows(&self, rows: &str) -> Result<String, Stop> {
        match self.context.falsifier() {
            Some(Falsifier::InputEdit { edit, .. }) => step("falsify the input").works(edit.apply(rows)),
            _ => Ok(rows.to_owned()),
        }
    }

    /// The customer puts an object.
    pub(crate) async fn put(&self, key: &str, body: Bytes) -> Result<(), Stop> {
        let s3 = self.emulator.s3(ADMINISTRATOR.principal);
        let put = s3.put_object().bucket(CUSTOMER_BUCKET).key(key).body(ByteStream::from(body)).send().await;
        step(format!("put `{key}`")).works(put).map(drop)
    }

    /// What lies under a key, read by the customer.
    pub(crate) async fn get(&self, key: &str) -> Result<Bytes, Stop> {
        let s3 = self.emulator.s3(ADMINISTRATOR.principal);
        let got = s3.get_object().bucket(CUSTOMER_BUCKET).key(key).send().await;
        let got = step(format!("read `{key}`")).succeeds("the object", got)?;
        let body = step(format!("read `{key}`")).succeeds("its bytes", got.body.collect().await)?;
        Ok(body.into_bytes())
    }

    /// A report as a reader of strict JSON sees it.
    pub(crate) async fn report(&self, key: &str) -> Result<StatusReport, Stop> {
        let body = self.get(key).await?;
        step(format!("read the report `{key}`")).succeeds("a report", serde_json::from_slice(&body))
    }

    fn config_text(&self) -> Result<String, Stop> {
        let mut text = format!(
            "profile = \"split_events_import\"\n[state]\ndir = \"state\"\n[[connection]]\nname = \"events\"\n\
             data_prefix = \"events/\"\nstatus_folder = \"my_statuses\"\nenvironments = [\"prod\", \"staging\"]\n\
             [connection.bucket]\nname = \"{CUSTOMER_BUCKET}\"\nregion = \"us-east-1\"\n[connection.auth]\n\
             mode = \"static_keys\"\naccess_key_id = \"AKIAIMPORTEREXAMPLE0\"\n\
             secret_access_key = {{ env = \"IMPORT_SECRET\" }}\n"
        );
        if let Some((find, replace)) = self.setup.edit {
            text = text.replace(find, replace);
        }
        match self.context.falsifier() {
            Some(Falsifier::ConfigEdit(edit)) => step("falsify the configuration").works(edit.apply(&text)),
            _ => Ok(text),
        }
    }

    /// One pass of a fresh process.
    pub(crate) async fn try_import(&self) -> Result<Result<ImportSummary, ImportError>, Stop> {
        let name = self.folder.path().join("import.toml").display().to_string();
        let config = ImportConfig::parse(&self.config_text()?, &name);
        let config = step("read the configuration").succeeds("a configuration", config)?;
        let clock = self.emulator.clock().clone();
        let mut stores: BTreeMap<String, Arc<dyn InboundStore>> = BTreeMap::new();
        for connection in &config.connections {
            let settings = connection.store_settings(|_| Some(SECRET.to_owned()));
            let settings = step("read the credentials").works(settings)?;
            let store = S3Store::new(settings, &clock, Some(self.emulator.http_client()));
            stores.insert(connection.name.clone(), Arc::new(step("open the bucket").works(store)?));
        }
        let importer = Importer::new(config, stores, clock, Entropy::seeded(1));
        let mut importer = step("set the import up").succeeds("an import", importer)?;
        // The state of an import is for one thread at a time.
        let runtime = tokio::runtime::Handle::current();
        let pass = tokio::task::spawn_blocking(move || runtime.block_on(importer.once()));
        step("wait for the import").works(pass.await)
    }

    /// One pass that must do its work.
    pub(crate) async fn import(&self, name: &str) -> Result<ImportSummary, Stop> {
        self.try_import().await?.map_err(|error| self.failure(name, &error).into())
    }

    fn failure(&self, name: &str, error: &ImportError) -> Failure {
        let mut failure =
            step(name).failure("the import does its work", error.to_string()).help(error.help());
        let denied = self.emulator.journal().denied();
        for decision in &denied {
            failure = failure.missing(decision.action.as_str(), decision.resource.as_str());
        }
        match denied.last() {
            Some(last) => failure.trace(last.explain()),
            None => failure,
        }
    }
}

/// A Parquet file of the page's seven columns. A row a line: environment, key, timestamp, value, with `-` for null; with
/// `wide` the values are whole numbers, which the page does not allow.
pub(crate) fn events_file(rows: &str, codec: Compression, wide: bool) -> Result<Bytes, Stop> {
    let rows: Vec<Vec<Option<&str>>> = rows
        .lines()
        .map(|line| line.split_whitespace().map(|field| (field != "-").then_some(field)).collect())
        .collect();
    let field = |at: usize| rows.iter().map(move |row| row.get(at).copied().flatten());
    let constant = |text: &'static str| -> ArrayRef {
        Arc::new(rows.iter().map(|_| Some(text)).collect::<StringArray>())
    };
    let mut properties = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for _ in &rows {
        properties.keys().append_value("plan");
        properties.values().append_value("pro");
        step("make the properties").works(properties.append(true))?;
    }
    let timestamps = field(2).map(|text| text.and_then(|text| text.parse().ok())).collect::<Int64Array>();
    let values: ArrayRef = if wide {
        Arc::new(rows.iter().map(|_| Some(1)).collect::<Int64Array>())
    } else {
        Arc::new(field(3).map(|text| text.and_then(|text| text.parse().ok())).collect::<Float64Array>())
    };
    let columns: [(&str, ArrayRef); 7] = [
        ("environmentId", Arc::new(field(0).collect::<StringArray>())),
        ("trafficTypeId", constant("user")),
        ("eventTypeId", constant("page.load")),
        ("key", Arc::new(field(1).collect::<StringArray>())),
        ("timestamp", Arc::new(timestamps)),
        ("value", values),
        ("properties", Arc::new(properties.finish())),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, array)| array).collect();
    let batch = step("make the rows").works(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns))?;
    let properties = WriterProperties::builder().set_compression(codec).build();
    let writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties));
    let mut writer = step("begin a file").works(writer)?;
    step("write the rows").works(writer.write(&batch))?;
    step("end the file").works(writer.into_inner()).map(Bytes::from)
}
