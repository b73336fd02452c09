//! The S3 store against scripted answers: headers of requests, and how refusals are told apart.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use bucketproof_clock::Clock;
use bucketproof_connector::credentials::{AccessKey, BaseCredentials, CredentialSource};
use bucketproof_connector::names::{BucketName, ETag, IntentId, ObjectKey};
use bucketproof_connector::secret::Secret;
use bucketproof_connector::store::{
    Addressing, Condition, Encryption, ErrorClass, Operation, PutOutcome, PutRequest, S3Settings, S3Store,
    Store as _, StoreError, Transport,
};

/// Status, headers and body of one answer.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// Request line and headers.
type Seen = (String, Vec<(String, String)>);

/// Answers requests in turn, the last answer again and again, and remembers them.
#[derive(Clone, Debug)]
struct Script {
    answers: Arc<Mutex<Vec<Answer>>>,
    requests: Arc<Mutex<Vec<Seen>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers =
            request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let line = format!("{} {}", request.method(), request.uri());
        self.requests.lock().unwrap().push((line, headers));
        let mut answers = self.answers.lock().unwrap();
        let (status, headers, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl Script {
    fn new(answers: Vec<Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers)), requests: Arc::default() }
    }

    fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    fn request(&self, at: usize) -> Seen {
        self.requests.lock().unwrap()[at].clone()
    }
}

fn header(request: &Seen, name: &str) -> Option<String> {
    request.1.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn key_pair() -> AccessKey {
    AccessKey { id: "AKIDEXAMPLE".to_owned(), secret: Secret::new("secret"), session_token: None }
}

fn settings(credentials: CredentialSource) -> S3Settings {
    S3Settings {
        bucket: BucketName::new("notification-logs").unwrap(),
        region: "eu-central-1".to_owned(),
        endpoint: None,
        sts_endpoint: None,
        addressing: Addressing::VirtualHost,
        transport: Transport::TlsOnly,
        encryption: Encryption::SseS3,
        storage_class: Some("STANDARD_IA".to_owned()),
        credentials,
    }
}

fn clock() -> Clock {
    Clock::manual("2025-01-15T16:00:00Z".parse().unwrap())
}

fn store(script: &Script) -> S3Store {
    S3Store::new(settings(CredentialSource::Static(key_pair())), &clock(), Some(script.client())).unwrap()
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, vec![], body)
}

fn put(condition: Condition) -> PutRequest {
    PutRequest {
        key: ObjectKey::new("year=2025/a b.parquet").unwrap(),
        body: bytes::Bytes::from_static(b"PAR1").into(),
        content_type: "application/vnd.apache.parquet",
        condition,
        intent: IntentId::new("c8a2b3f2-4e0f-5f0e-9d1e-0a8d5f6b7c8d").unwrap(),
        epoch: 0,
        generation: 3,
        acl: Some("bucket-owner-full-control".to_owned()),
        acl_is_required: false,
    }
}

/// Claims ENG-03, ENG-08, DAT-12, DAT-13.
#[tokio::test]
async fn a_write_carries_condition_metadata_encryption_and_type() {
    let script = Script::new(vec![(200, vec![("etag", "\"e1\"".to_owned())], String::new())]);
    let outcome = store(&script).put(&put(Condition::Absent)).await.unwrap();
    assert_eq!(outcome, PutOutcome::Written(ETag::new("\"e1\"").unwrap()));
    let request = script.request(0);
    assert!(
        request.0.starts_with(
            "PUT https://notification-logs.s3.eu-central-1.amazonaws.com/year%3D2025/a%20b.parquet"
        ),
        "{}",
        request.0
    );
    assert_eq!(header(&request, "if-none-match").as_deref(), Some("*"));
    assert_eq!(header(&request, "if-match"), None);
    assert_eq!(header(&request, "x-amz-server-side-encryption").as_deref(), Some("AES256"));
    assert_eq!(header(&request, "content-type").as_deref(), Some("application/vnd.apache.parquet"));
    assert_eq!(header(&request, "x-amz-acl").as_deref(), Some("bucket-owner-full-control"));
    assert_eq!(header(&request, "x-amz-storage-class").as_deref(), Some("STANDARD_IA"));
    assert_eq!(header(&request, "x-amz-meta-bucketproof-generation").as_deref(), Some("3"));
    assert_eq!(
        header(&request, "x-amz-meta-bucketproof-intent").as_deref(),
        Some("c8a2b3f2-4e0f-5f0e-9d1e-0a8d5f6b7c8d")
    );
    assert_eq!(
        header(&request, "x-amz-date").as_deref(),
        Some("20250115T160000Z"),
        "signed on the injected clock"
    );

    let etag = ETag::new("\"e1\"").unwrap();
    store(&script).put(&put(Condition::Matches(etag))).await.unwrap();
    assert_eq!(header(&script.request(1), "if-match").as_deref(), Some("\"e1\""));
    assert_eq!(header(&script.request(1), "if-none-match"), None);
}

#[tokio::test]
async fn encryption_headers_follow_the_configuration() {
    let kms = Encryption::SseKms { key_id: Some("alias/k".to_owned()) };
    for (encryption, algorithm, key_id) in
        [(Encryption::BucketDefault, None, None), (kms, Some("aws:kms"), Some("alias/k"))]
    {
        let script = Script::new(vec![(200, vec![("etag", "\"e1\"".to_owned())], String::new())]);
        let settings = S3Settings { encryption, ..settings(CredentialSource::Static(key_pair())) };
        let store = S3Store::new(settings, &clock(), Some(script.client())).unwrap();
        store.put(&put(Condition::Absent)).await.unwrap();
        let request = script.request(0);
        assert_eq!(header(&request, "x-amz-server-side-encryption").as_deref(), algorithm);
        assert_eq!(header(&request, "x-amz-server-side-encryption-aws-kms-key-id").as_deref(), key_id);
    }
}

#[tokio::test]
async fn conditions_that_do_not_hold_are_outcomes_and_not_errors() {
    for (status, code, outcome) in [
        (412, "PreconditionFailed", PutOutcome::PreconditionFailed),
        (409, "ConditionalRequestConflict", PutOutcome::Conflict),
        (404, "NoSuchKey", PutOutcome::BaseMissing),
    ] {
        let script = Script::new(vec![refusal(status, code, "m")]);
        assert_eq!(store(&script).put(&put(Condition::Absent)).await.unwrap(), outcome);
        assert_eq!(script.requests.lock().unwrap().len(), 1, "the SDK repeated the request");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let denied = "User: arn:aws:iam::1:user/u is not authorized to perform: s3:ListBucket on resource: \
                  &quot;arn:aws:s3:::notification-logs&quot; because no identity-based policy allows the s3:ListBucket action";
    let region = |status, code| {
        let (status, mut headers, body) = refusal(status, code, "m");
        headers.push(("x-amz-bucket-region", "us-west-2".to_owned()));
        (status, headers, body)
    };
    let cases: Vec<(Answer, ErrorClass)> = vec![
        (refusal(404, "NoSuchBucket", "m"), ErrorClass::Fatal),
        (refusal(403, "InvalidAccessKeyId", "m"), ErrorClass::Fatal),
        (refusal(403, "SignatureDoesNotMatch", "m"), ErrorClass::Fatal),
        (refusal(403, "AccessDenied", denied), ErrorClass::Fatal),
        (refusal(403, "AccessDenied", "Access Denied"), ErrorClass::Fatal),
        (region(301, "PermanentRedirect"), ErrorClass::Fatal),
        (region(400, "AuthorizationHeaderMalformed"), ErrorClass::Fatal),
        (refusal(400, "ExpiredToken", "m"), ErrorClass::Refresh),
        (refusal(503, "SlowDown", "m"), ErrorClass::Retryable),
        (refusal(500, "InternalError", "m"), ErrorClass::Retryable),
        (refusal(400, "InvalidRequest", "m"), ErrorClass::Fatal),
    ];
    let mut shown = String::new();
    for (answer, class) in cases {
        let error = store(&Script::new(vec![answer])).list_probe("").await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        writeln!(shown, "{error}").unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn a_refused_head_without_a_body_is_diagnosed_from_the_call() {
    let script = Script::new(vec![(403, vec![], String::new())]);
    let key = ObjectKey::new("k.parquet").unwrap();
    let error = store(&script).head(&key).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Denied { action, resource, operation: Operation::Head, .. }
            if action == "s3:GetObject" && resource == "arn:aws:s3:::notification-logs/k.parquet"),
        "{error}"
    );
    let absent = Script::new(vec![(404, vec![], String::new())]);
    assert_eq!(store(&absent).head(&key).await.unwrap(), None);
    let absent = Script::new(vec![refusal(404, "NoSuchKey", "m")]);
    assert_eq!(store(&absent).get(&key).await.unwrap(), None);
}

fn session(number: u32, expires: &str) -> Answer {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    (200, vec![], body)
}

fn listing() -> Answer {
    (200, vec![], "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>".to_owned())
}

fn role() -> CredentialSource {
    CredentialSource::Role {
        role_arn: "arn:aws:iam::111122223333:role/export".to_owned(),
        external_id: Some(Secret::new("5d1f-Ab")),
        base: BaseCredentials::Key(key_pair()),
        session: Duration::from_hours(1),
    }
}

#[tokio::test]
async fn a_role_session_is_used_until_shortly_before_its_end_and_then_renewed() {
    let script = Script::new(vec![
        session(1, "2025-01-15T17:00:00Z"),
        listing(),
        listing(),
        session(2, "2025-01-15T18:00:00Z"),
        listing(),
    ]);
    let clock = clock();
    let store = S3Store::new(settings(role()), &clock, Some(script.client())).unwrap();
    store.list_probe("").await.unwrap();
    clock.advance(Duration::from_mins(54));
    store.list_probe("").await.unwrap();
    clock.advance(Duration::from_mins(1));
    store.list_probe("").await.unwrap();
    let lines: Vec<String> = script.requests.lock().unwrap().iter().map(|(line, _)| line.clone()).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("sts.")).count(), 2, "{lines:?}");
    let signer = |at: usize| header(&script.request(at), "authorization").unwrap();
    assert!(signer(0).contains("AKIDEXAMPLE") && signer(2).contains("ASIA1") && signer(4).contains("ASIA2"));
}

#[tokio::test]
async fn refused_roles_wrong_keys_and_wrong_secrets_are_told_apart() {
    let sts = |status, code: &str| {
        let body =
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>");
        Script::new(vec![(status, vec![], body)])
    };
    let error = |script: Script| async move {
        S3Store::new(settings(role()), &clock(), Some(script.client()))
            .unwrap()
            .list_probe("")
            .await
            .unwrap_err()
    };
    assert!(matches!(error(sts(403, "AccessDenied")).await, StoreError::RoleDenied { .. }));
    assert!(matches!(error(sts(403, "InvalidClientTokenId")).await, StoreError::UnknownAccessKey { .. }));
    assert!(matches!(error(sts(403, "SignatureDoesNotMatch")).await, StoreError::SignatureMismatch { .. }));
}

#[test]
fn plain_http_needs_a_word() {
    let plain = |transport| S3Settings {
        endpoint: Some("http://127.0.0.1:4566".to_owned()),
        transport,
        ..settings(CredentialSource::Static(key_pair()))
    };
    assert!(S3Store::new(plain(Transport::TlsOnly), &clock(), None).is_err());
    assert!(S3Store::new(plain(Transport::AllowHttp), &clock(), None).is_ok());
}
