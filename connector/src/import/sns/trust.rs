//! Which places are SNS: hosts of AWS over TLS, or one stand-in that the configuration names.

use std::sync::Arc;

use hyper::Uri;
use percent_encoding::percent_decode_str;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::refusal::Refusal;
use crate::import::endpoint_config::StandIn;
use crate::serving::TlsError;

/// What is believed to be SNS.
pub(super) struct Trust {
    stand_in: Option<StandIn>,
    /// To whom signing certificates must lead; without a stand-in, only those that come with their chain.
    pub(super) anchors: Option<Arc<WebPkiServerVerifier>>,
    pub(super) tls: Arc<ClientConfig>,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").field("stand_in", &self.stand_in).finish_non_exhaustive()
    }
}

impl Trust {
    pub(super) fn new(stand_in: Option<&StandIn>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let _added = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let mut signers = roots.clone();
        if let Some(path) = stand_in.and_then(|own| own.trust_anchor.as_ref()) {
            let shown = path.display().to_string();
            let unusable = |reason: String| TlsError::Pem { path: shown.clone(), reason };
            signers = RootCertStore::empty();
            let found = CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                // It may stand for the host's own TLS as well.
                for store in [&mut signers, &mut roots] {
                    store.add(certificate.clone()).map_err(|error| unusable(error.to_string()))?;
                }
            }
            if signers.is_empty() {
                return Err(unusable("it holds no certificate".to_owned()));
            }
        }
        let provider = Arc::new(ring::default_provider());
        let anchors =
            WebPkiServerVerifier::builder_with_provider(Arc::new(signers), Arc::clone(&provider)).build();
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Unusable { reason: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { stand_in: stand_in.cloned(), anchors: anchors.ok(), tls: Arc::new(tls) })
    }

    /// Whether every signing certificate must lead to an anchor.
    pub(super) fn must_chain(&self) -> bool {
        self.stand_in.as_ref().is_some_and(|own| own.trust_anchor.is_some())
    }

    /// Where a signing certificate is, if that is SNS in the region of the topic.
    pub(super) fn certificate_place(&self, url: &str, topic: &str) -> Result<Uri, Refusal> {
        let foreign = |reason| Refusal::ForeignPlace { field: "SigningCertURL", reason };
        let uri = self.place(url, topic).map_err(foreign)?;
        let path = uri.path();
        if uri.query().is_some() || path.rfind('/') != Some(0) || path.strip_suffix(".pem").is_none() {
            return Err(foreign(format!("`{}` is no certificate of SNS", shown(url))));
        }
        Ok(uri)
    }

    /// Where a subscription is confirmed, if that is SNS and the topic is the one of the message.
    pub(super) fn confirmation_place(&self, url: &str, topic: &str) -> Result<Uri, Refusal> {
        let foreign = |reason| Refusal::ForeignPlace { field: "SubscribeURL", reason };
        let uri = self.place(url, topic).map_err(foreign)?;
        let query = uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(own, _)| *own == name));
            pair.and_then(|(_, value)| percent_decode_str(value).decode_utf8().ok())
        };
        let confirms = parameter("Action").is_some_and(|action| action == "ConfirmSubscription");
        if uri.path() != "/" || !confirms || parameter("TopicArn").is_none_or(|found| found != topic) {
            return Err(foreign(format!("`{}` does not confirm a subscription of the topic", shown(url))));
        }
        Ok(uri)
    }

    fn place(&self, url: &str, topic: &str) -> Result<Uri, String> {
        let uri: Uri = url.parse().map_err(|_| format!("`{}` is no URL", shown(url)))?;
        let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        let authority = authority.ok_or_else(|| format!("`{}` has no host", shown(url)))?;
        let is_encrypted = uri.scheme_str() == Some("https");
        if let Some(own) = &self.stand_in {
            if authority != own.host {
                return Err(format!("`{}` is not of `{}`", shown(url), own.host));
            }
            return if is_encrypted || own.allow_http {
                Ok(uri)
            } else {
                Err(format!("`{}` is not encrypted", shown(url)))
            };
        }
        if !is_encrypted {
            return Err(format!("`{}` is not https", shown(url)));
        }
        let region = topic.split(':').nth(3).unwrap_or_default();
        let host = authority.strip_suffix(":443").unwrap_or(&authority);
        if is_sns_host(host, region) { Ok(uri) } else { Err(format!("the host is `{}`", shown(host))) }
    }
}

/// Whether a host is SNS's in that region.
pub(super) fn is_sns_host(host: &str, region: &str) -> bool {
    let is_region =
        region.len() >= 3 && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let own = host.strip_prefix("sns.").and_then(|rest| rest.strip_prefix(region));
    is_region && matches!(own, Some(".amazonaws.com" | ".amazonaws.com.cn"))
}

/// A text of a stranger, short enough to be logged.
fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:events";

    #[test]
    fn only_sns_in_the_region_of_the_topic_is_sns() {
        let trust = Trust::new(None).unwrap();
        let name = "SimpleNotificationService-0000000000000000000000.pem";
        let accepts = |host: &str| trust.certificate_place(&format!("{host}/{name}"), TOPIC).is_ok();
        assert!(accepts("https://sns.eu-central-1.amazonaws.com"));
        assert!(accepts("https://SNS.eu-central-1.amazonaws.com:443"));
        for host in [
            "http://sns.eu-central-1.amazonaws.com",
            "https://sns.us-east-1.amazonaws.com",
            "https://sns.eu-central-1.amazonaws.com:8443",
            "https://sns.eu-central-1.amazonaws.com.evil.example",
            "https://sns.eu-central-1.amazonaws.com@evil.example",
            "https://evil.example/sns.eu-central-1.amazonaws.com",
            "https://x.sns.eu-central-1.amazonaws.com",
            "https://s3.eu-central-1.amazonaws.com",
            "https://sns.eu-central-1.amazonaws.comx",
            "ftp://sns.eu-central-1.amazonaws.com",
            "sns.eu-central-1.amazonaws.com",
            "",
        ] {
            assert!(!accepts(host), "{host}");
        }
        let place = |path: &str| format!("https://sns.eu-central-1.amazonaws.com/{path}");
        for path in ["x.txt", "a/b.pem", "x.pem?y", ""] {
            assert!(trust.certificate_place(&place(path), TOPIC).is_err(), "{path}");
        }
        let confirm = |query: &str| trust.confirmation_place(&place(query), TOPIC).is_ok();
        assert!(confirm(&format!("?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=1")));
        assert!(confirm(&format!(
            "?Action=ConfirmSubscription&TopicArn={}&Token=1",
            TOPIC.replace(':', "%3A")
        )));
        assert!(!confirm("?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:1:other&Token=1"));
        assert!(!confirm(&format!("?Action=DeleteTopic&TopicArn={TOPIC}")));
        assert!(!confirm(&format!("x?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=1")));
    }
}
