//! Requests as bytes: signed by the SDK's signer, which is not ours, and sent over a socket.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use bucketproof_clock::Clock;
use md5::Digest as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An access key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) token: Option<&'a str>,
}

impl<'a> Key<'a> {
    pub(crate) const fn new(id: &'a str, secret: &'a str) -> Self {
        Self { id, secret, token: None }
    }

    pub(crate) fn of(credentials: &'a Credentials) -> Self {
        Self {
            id: credentials.access_key_id(),
            secret: credentials.secret_access_key(),
            token: credentials.session_token(),
        }
    }
}

/// How a request is signed.
#[derive(Clone, Debug)]
pub(crate) struct Signing<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    /// Absent for the `Authorization` header; else the life of a presigned URL.
    pub(crate) presigned_for: Option<Duration>,
    /// Absent to sign the hash of the body; else the text to sign in its place.
    pub(crate) payload: Option<&'a str>,
}

impl<'a> Signing<'a> {
    pub(crate) fn with(key: Key<'a>) -> Self {
        Self { key, region: "us-east-1", service: "s3", presigned_for: None, payload: None }
    }

    pub(crate) fn presigned(key: Key<'a>, seconds: u64) -> Self {
        let presigned_for = Some(Duration::from_secs(seconds));
        Self { presigned_for, payload: Some("UNSIGNED-PAYLOAD"), ..Self::with(key) }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    /// Path and query, percent-encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The same request with another value of a header.
    pub(crate) fn replace(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self.header(name, value)
    }

    /// The same request, signed for `host` at `time`.
    pub(crate) fn signed(&self, signing: &Signing<'_>, host: &str, time: SystemTime) -> Self {
        let key = signing.key;
        let identity =
            Credentials::new(key.id, key.secret, key.token.map(str::to_owned), None, "tests").into();
        let mut settings = SigningSettings::default();
        if signing.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Some(expires_in) = signing.presigned_for {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(expires_in);
            settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(signing.region)
            .name(signing.service)
            .time(time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let body = match signing.payload {
            None => SignableBody::Bytes(&self.body),
            Some("UNSIGNED-PAYLOAD") => SignableBody::UnsignedPayload,
            Some(other) => SignableBody::Precomputed(other.to_owned()),
        };
        let uri = format!("http://{host}{}", self.target);
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new(&self.method, &uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        let mut request = http::Request::builder().method(self.method.as_str()).uri(&uri).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        let mut signed = self.clone();
        signed.target = request.uri().path_and_query().unwrap().to_string();
        for (name, value) in request.headers() {
            signed = signed.replace(name.as_str(), value.to_str().unwrap());
        }
        signed
    }

    /// The bytes of the request; `content-length` is added unless the request says another framing.
    pub(crate) fn bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.target);
        let mut add = |name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
        for (name, value) in &self.headers {
            add(name, value);
        }
        if self.find("host").is_none() {
            add("host", host);
        }
        if self.find("content-length").is_none() && self.find("transfer-encoding").is_none() {
            add("content-length", &self.body.len().to_string());
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    }

    /// Status and error code, as tests compare them; the code is empty for an answer without one.
    /// The texts of `fields` in each of the elements called one of `names`, in the order of the document per name.
    pub(crate) fn all_within(&self, names: &[&str], fields: &[&str]) -> Vec<Vec<String>> {
        let text = self.text();
        let mut found = Vec::new();
        for name in names {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            for part in text.split(&open).skip(1) {
                let part = part.split(&close).next().unwrap_or_default();
                let field = |field: &&str| {
                    let value = part.split(&format!("<{field}>")).nth(1);
                    value.and_then(|rest| rest.split("</").next()).unwrap_or_default().to_owned()
                };
                found.push(fields.iter().map(field).collect());
            }
        }
        found
    }

    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status, self.element("Code").unwrap_or_default())
    }
}

/// The other end of a listening emulator.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    address: SocketAddr,
    clock: Clock,
}

impl Wire {
    pub(crate) fn to(address: SocketAddr, clock: Clock) -> Self {
        Self { address, clock }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn sign(&self, ask: &Ask, signing: &Signing<'_>) -> Ask {
        let host = ask.find("host").map_or_else(|| self.host(), str::to_owned);
        ask.signed(signing, &host, self.clock.system_time())
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, ask: &Ask) -> Answer {
        Answer::parse(&self.send_bytes(&ask.bytes(&self.host())).await)
    }

    /// Sends a request to a server that may end meanwhile.
    pub(crate) async fn try_send(&self, ask: &Ask) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(&ask.bytes(&self.host())).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        if answer.is_empty() {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(Answer::parse(&answer))
        }
    }

    /// Signs a request with a key, for S3 in `us-east-1`, and sends it.
    pub(crate) async fn send_as(&self, key: Key<'_>, ask: &Ask) -> Answer {
        self.send(&self.sign(ask, &Signing::with(key))).await
    }

    /// Signs and sends a request with the digest of its body, which some take only so.
    pub(crate) async fn with_digest(&self, key: Key<'_>, ask: Ask) -> Answer {
        let digest = base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(&ask.body));
        self.send_as(key, &ask.header("content-md5", &digest)).await
    }

    /// Sends the document of a `DeleteObjects`.
    pub(crate) async fn delete_many(&self, key: Key<'_>, target: &str, xml: &str) -> Answer {
        self.with_digest(key, Ask::new("POST", target).body(xml)).await
    }

    /// Sends bytes and reads until the connection ends.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A server that refuses early may reset the connection behind its answer.
        let _reset = stream.read_to_end(&mut answer).await;
        answer
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}
