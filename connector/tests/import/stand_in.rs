//! Something that signs messages as SNS does, and answers for its certificates: rightly or wrongly, as a test wants.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_clock::Entropy;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rsa::PrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{TryCryptoRng, TryRng};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:events";
pub(crate) const NOW: &str = "2026-01-01T00:00:00.000Z";

struct Drawn(Entropy);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::try_from(self.0.next_u64() >> 32).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

/// A key and its certificates in several qualities.
struct Keys {
    key: PrivateKey,
    other: PrivateKey,
    authority: String,
    /// By the name of the file.
    files: Vec<(&'static str, String)>,
}

/// Keys are made once; making them takes a while.
fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let make = |seed| PrivateKey::new(&mut Drawn(Entropy::seeded(seed)), 2048).unwrap();
        let (key, other) = (make(1), make(2));
        let pair = KeyPair::try_from(key.to_pkcs8_der().unwrap().as_bytes()).unwrap();
        let authority = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        let (trusted, stranger) = (authority("Trusted"), authority("Stranger"));
        let named = |name: &str, from: i32, until: i32| {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
            params
        };
        let sns = "sns.amazonaws.com";
        let signed = |params: CertificateParams, by| params.signed_by(&pair, by).unwrap().pem();
        let good = signed(named(sns, 2025, 2030), &*trusted);
        let files = vec![
            ("good.pem", good.clone()),
            ("region.pem", signed(named("sns.us-east-1.amazonaws.com", 2025, 2030), &*trusted)),
            ("expired.pem", signed(named(sns, 2020, 2021), &*trusted)),
            ("future.pem", signed(named(sns, 2027, 2030), &*trusted)),
            ("name.pem", signed(named("example.com", 2025, 2030), &*trusted)),
            ("stranger.pem", signed(named(sns, 2025, 2030), &*stranger)),
            ("broken-chain.pem", good + &stranger.pem()),
            ("text.pem", "no certificate\n".to_owned()),
        ];
        Keys { key, other, authority: trusted.pem(), files }
    })
}

/// The certificate that those of the stand-in lead to.
pub(crate) fn authority() -> String {
    keys().authority.clone()
}

/// A message before it is signed.
pub(crate) fn notification(id: &str, message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": id, "TopicArn": TOPIC, "Subject": "Amazon S3 Notification",
        "Message": message, "Timestamp": NOW,
    })
}

/// The event that S3 sends about a new object.
pub(crate) fn created(bucket: &str, key: &str, etag: &str, bytes: usize) -> String {
    created_at(bucket, key, etag, bytes, NOW)
}

pub(crate) fn created_at(bucket: &str, key: &str, etag: &str, bytes: usize, time: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": time,
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": bucket }, "object": { "key": encoded, "size": bytes, "eTag": etag } },
    }]})
    .to_string()
}

/// A server in SNS's place.
pub(crate) struct StandIn {
    pub(crate) host: String,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// What it answers to everything; 200 with what was asked for, if nothing is said.
    pub(crate) status: Arc<Mutex<u16>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (asked, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(200)));
        let (noted, code) = (Arc::clone(&asked), Arc::clone(&status));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 8192];
                let length = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8(head[..length].to_vec()).unwrap();
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                noted.lock().unwrap().push(target.clone());
                let file = keys().files.iter().find(|(name, _)| target == format!("/{name}"));
                let body = match file {
                    Some((_, pem)) => pem.clone(),
                    None if target.starts_with("/?Action=ConfirmSubscription") => {
                        format!("<x><SubscriptionArn>{TOPIC}:1</SubscriptionArn></x>")
                    }
                    None => String::new(),
                };
                let status = if body.is_empty() { 404 } else { *code.lock().unwrap() };
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { host, asked, status, task }
    }

    /// Signs a message with the key of the certificate.
    pub(crate) fn signed(&self, message: Value, version: &str, certificate: &str) -> Value {
        self.signed_with(message, version, certificate, &keys().key)
    }

    /// Signs a message with a key that is not the certificate's.
    pub(crate) fn signed_by_a_stranger(&self, message: Value) -> Value {
        self.signed_with(message, "1", "good.pem", &keys().other)
    }

    fn signed_with(&self, mut message: Value, version: &str, certificate: &str, key: &PrivateKey) -> Value {
        let names: &[&str] = match message["Type"].as_str().unwrap() {
            "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
            _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
        };
        let text: String = names
            .iter()
            .filter_map(|name| Some(format!("{name}\n{}\n", message.get(*name)?.as_str()?)))
            .collect();
        let signature = match version {
            "1" => key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(&text)),
            _ => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)),
        };
        message["SignatureVersion"] = version.into();
        message["Signature"] = STANDARD.encode(signature.unwrap()).into();
        message["SigningCertURL"] = format!("http://{}/{certificate}", self.host).into();
        message
    }
}

/// Posts to an endpoint: status and text of the answer.
pub(crate) async fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    send("POST", url, headers, body).await
}

pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // Who answers before all is read may close the connection.
    let _cut_off = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), text.trim_end().to_owned())
}
