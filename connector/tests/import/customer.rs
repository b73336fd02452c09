//! A customer's account on the emulator: bucket, topic and queue as the vendor's page says, and calls to SNS and SQS.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::import::{Endpoint, ImportConfig, Importer, InboundStore, StatusReport};
use bucketproof_connector::runner::StopSignal;
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, Scenario};
use bytes::Bytes;
use hyper::Request;
use tokio::net::TcpListener;

use crate::rig::{BUCKET, config_text};

pub(crate) const IMPORTER: &str = "arn:aws:iam::444455556666:user/importer";
pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:events";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:events";

/// What of the customer's set-up is to be otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrong {
    /// This action of the bucket's policy is missing.
    pub(crate) action: &'static str,
    /// The topic lets nobody publish but its owner.
    pub(crate) topic_policy: bool,
    /// In place of the notification's own prefix, suffix or events.
    pub(crate) notification: Option<&'static str>,
}

/// A customer with a served emulator, and an import that listens.
pub(crate) struct Customer {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) emulator: Emulator,
    pub(crate) config: ImportConfig,
    listener: Option<TcpListener>,
}

impl Customer {
    pub(crate) async fn new(wrong: Wrong) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let path = directory.path().join("import.toml");
        let with_endpoint = |host: &str| {
            let endpoint = format!(
                "role_arn = \"{IMPORTER}\"\n[endpoint]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://{}\"\n\
                 allow_http = true\n[endpoint.stand_in]\nhost = \"{host}\"\nallow_http = true\n[[connection]]",
                listener.local_addr().unwrap()
            );
            let text = config_text(&[("events", "my_statuses")])
                .replacen("[state]", "[limits]\nunpacked_mib = 64\n[state]", 1)
                .replacen("[[connection]]", &endpoint, 1)
                .replace(
                    "environments",
                    &format!("topic_arn = \"{TOPIC}\"\nsuffix = \".parquet\"\nenvironments"),
                );
            // Top-level fields come before tables.
            let role = format!("role_arn = \"{IMPORTER}\"\n");
            let text = format!("{role}{}", text.replace(&role, ""));
            ImportConfig::parse(&text, path.to_str().unwrap()).unwrap()
        };
        let config = with_endpoint("placeholder");
        let mut policy = config.bucket_policies(None).unwrap()["events"].clone();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            statement["Action"].as_array_mut().unwrap().retain(|action| action != wrong.action);
            if statement["Action"].as_array().unwrap().is_empty() {
                statement["Action"] = "s3:GetBucketTagging".into();
            }
        }
        let topic_policy = |account| config.topic_policies(None, Some(account)).unwrap()["events"].clone();
        let right = topic_policy("111122223333");
        let notification = wrong
            .notification
            .unwrap_or("events = [\"s3:ObjectCreated:*\"]\nprefix = \"events/\"\nsuffix = \".parquet\"");
        let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let scenario = format!(
            r#"
            [[account]]
            id = "111122223333"
            name = "customer"
            [[account.user]]
            name = "owner"
            policies = ['{all}']
            [[account.user.access_key]]
            id = "AKIAOWNERUSEREXAMPLE"
            secret = "ownerSecret"
            [[account.bucket]]
            name = "{BUCKET}"
            policy = '{policy}'
            [[account.bucket.notifications]]
            topic = "{TOPIC}"
            {notification}
            [[account.topic]]
            name = "events"
            policy = '{right}'
            [[account.queue]]
            name = "events"
            policy = '''{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{IMPORTER}"}},
              "Action":["sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"{QUEUE}"}},
              {{"Effect":"Allow","Principal":{{"Service":["s3.amazonaws.com","sns.amazonaws.com"]}},
              "Action":"sqs:SendMessage","Resource":"{QUEUE}"}}]}}'''
            [[account]]
            id = "444455556666"
            name = "vendor"
            [[account.user]]
            name = "importer"
            policies = ['{all}']
            [[account.user.access_key]]
            id = "AKIAIMPORTEREXAMPLE0"
            secret = "importerSecret"
            "#
        );
        let emulator = Emulator::builder()
            .scenario(Scenario::from_toml(&scenario).unwrap())
            .clock(Clock::system_from("2026-01-01T00:00:00Z".parse().unwrap()))
            .seed(7)
            .listen("127.0.0.1:0".parse().unwrap())
            .start()
            .await
            .unwrap();
        let host = emulator.endpoint_url().replace("http://", "");
        let foreign = topic_policy("999999999999").to_string();
        let config = with_endpoint(&host);
        let customer = Self { directory, emulator, config, listener: Some(listener) };
        if wrong.topic_policy {
            let change = [
                ("Action", "SetTopicAttributes"),
                ("TopicArn", TOPIC),
                ("AttributeName", "Policy"),
                ("AttributeValue", foreign.as_str()),
            ];
            customer.sns(&change).await;
        }
        customer
    }

    pub(crate) fn store(&self) -> S3Store {
        let settings =
            self.config.connections[0].store_settings(|_| Some("importerSecret".to_owned())).unwrap();
        S3Store::new(settings, self.emulator.clock(), Some(self.emulator.http_client())).unwrap()
    }

    pub(crate) fn importer(&self) -> Importer {
        let store: Arc<dyn InboundStore> = Arc::new(self.store());
        let stores = [("events".to_owned(), store)].into();
        let clock = self.emulator.clock().clone();
        Importer::new(self.config.clone(), stores, clock, Entropy::seeded(1)).unwrap()
    }

    /// Serves the endpoint of the import.
    pub(crate) fn listen(&mut self, importer: &Importer, stop: &StopSignal) {
        let endpoint = Endpoint::new(&self.config, importer.inbox(), self.emulator.clock().clone()).unwrap();
        tokio::spawn(Arc::new(endpoint).serve(self.listener.take().unwrap(), stop.clone()));
    }

    pub(crate) fn endpoint_url(&self) -> String {
        self.config.endpoint_urls()["events"].clone()
    }

    /// One call of the owner to SNS; the answer must be good.
    pub(crate) async fn sns(&self, parameters: &[(&str, &str)]) -> String {
        let encode = |value: &str| {
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let mut body = "Version=2010-03-31".to_owned();
        for (name, value) in parameters {
            write!(body, "&{name}={}", encode(value)).unwrap();
        }
        self.call("sns", &[("content-type", "application/x-www-form-urlencoded")], body).await
    }

    pub(crate) async fn call(&self, service: &str, headers: &[(&str, &str)], body: String) -> String {
        let identity = Credentials::new("AKIAOWNERUSEREXAMPLE", "ownerSecret", None, None, "tests").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(self.emulator.clock().system_time())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let uri = format!("{}/", self.emulator.endpoint_url());
        let host = uri.replace("http://", "").replace('/', "");
        let mut request = Request::post(&uri).header("host", &host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Bytes::from(body.clone())).unwrap();
        let all = std::iter::once(("host", host.as_str())).chain(headers.iter().copied());
        let signable = SignableRequest::new("POST", &uri, all, SignableBody::Bytes(body.as_bytes())).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let answer = self.emulator.send(request).await.unwrap();
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(answer.status(), 200, "{text}");
        text
    }

    /// Subscribes the endpoint as the customer does in the console.
    pub(crate) async fn subscribe(&self) {
        let url = self.endpoint_url();
        let parameters =
            [("Action", "Subscribe"), ("TopicArn", TOPIC), ("Protocol", "http"), ("Endpoint", url.as_str())];
        self.sns(&parameters).await;
        self.emulator.deliver().await;
    }

    pub(crate) async fn put(&self, key: &str, body: Bytes) {
        let put = self.emulator.s3("owner").put_object().bucket(BUCKET).key(key).body(ByteStream::from(body));
        put.send().await.unwrap();
    }

    /// The reports of the customer's bucket, by key.
    pub(crate) async fn reports(&self) -> Vec<(String, StatusReport)> {
        let s3 = self.emulator.s3("owner");
        let listed = s3.list_objects_v2().bucket(BUCKET).prefix("my_statuses/").send().await.unwrap();
        let mut reports = Vec::new();
        for object in listed.contents() {
            let key = object.key().unwrap();
            let got = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
            let body = got.body.collect().await.unwrap().into_bytes();
            reports.push((key.to_owned(), serde_json::from_slice(&body).unwrap()));
        }
        reports
    }

    /// The keys of the files that are stored.
    pub(crate) fn stored_files(&self) -> Vec<String> {
        let path = self.directory.path().join("state/import.sqlite");
        let database = rusqlite::Connection::open(path).unwrap();
        let mut select = database.prepare("SELECT key FROM file WHERE state = 'stored' ORDER BY id").unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}
