//! TLS on the socket.

use std::sync::Arc;

use bucketproof_emulator::{Emulator, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::fixture::{ADMIN, new_year, scenario};
use crate::forms::Form;

/// A client that trusts what `pem` says, and what it negotiates.
async fn connect(
    emulator: &Emulator,
    pem: &str,
    name: &str,
    protocols: &[&str],
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(emulator.address().unwrap()).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

async fn started(tls: Tls) -> Emulator {
    let address = "127.0.0.1:0".parse().unwrap();
    Emulator::builder().listen(address).domain("s3.example.test").tls(tls).start().await.unwrap()
}

#[tokio::test]
async fn a_made_certificate_serves_this_machines_names_and_the_domains() {
    let tls = Tls::generated(&["s3.example.test".to_owned()]).unwrap();
    let pem = tls.trusted_pem().to_owned();
    let emulator = started(tls).await;
    assert!(emulator.endpoint_url().starts_with("https://127.0.0.1:"));
    for name in ["localhost", "127.0.0.1", "logs.s3.localhost", "logs.s3.example.test"] {
        let mut stream = connect(&emulator, &pem, name, &["http/1.1"]).await.unwrap();
        let request =
            format!("GET /missing-bucket/key HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // The server may end the connection without a farewell.
        let _end = stream.read_to_string(&mut answer).await;
        assert!(answer.contains("<Code>NoSuchBucket</Code>"), "{name}: {answer}");
        let bucket = if name.starts_with("logs.") { "logs" } else { "missing-bucket" };
        assert!(answer.contains(&format!("<BucketName>{bucket}</BucketName>")), "{name}: {answer}");
    }
    assert!(connect(&emulator, &pem, "elsewhere.test", &[]).await.is_err());
}

/// The answer to a form says where the object is, as the client reaches it.
#[tokio::test]
async fn a_form_is_told_an_https_location() {
    let tls = Tls::generated(&[]).unwrap();
    let pem = tls.trusted_pem().to_owned();
    let builder = Emulator::builder().scenario(scenario()).clock(new_year());
    let emulator = builder.listen("127.0.0.1:0".parse().unwrap()).tls(tls).start().await.unwrap();
    let body = Form::new(&[("key", "posted")]).signed(ADMIN, ",{\"key\":\"posted\"}").body();
    let mut stream = connect(&emulator, &pem, "localhost", &["http/1.1"]).await.unwrap();
    let head = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=b0und\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = String::new();
    let _end = stream.read_to_string(&mut answer).await;
    assert!(answer.contains("location: https://localhost/logs/posted\r\n"), "{answer}");
}

#[tokio::test]
async fn http_2_is_agreed_upon() {
    let tls = Tls::generated(&[]).unwrap();
    let pem = tls.trusted_pem().to_owned();
    let emulator = started(tls).await;
    for (offered, agreed) in [(vec!["h2", "http/1.1"], "h2"), (vec!["http/1.1"], "http/1.1")] {
        let stream = connect(&emulator, &pem, "localhost", &offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed.as_bytes()));
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_without_its_key() {
    let made = Tls::generated(&[]).unwrap();
    for (certificate, key, text) in [
        ("", "", "the certificate is not PEM"),
        ("no PEM", "", "the certificate is not PEM"),
        (made.trusted_pem(), "-----BEGIN SECRET-----", "the private key is not PEM"),
    ] {
        let error = Tls::from_pem(certificate, key).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert!(!error.contains("SECRET"), "{error}");
    }
    assert!(Tls::generated(&["not a name ü".to_owned()]).is_err());
}
