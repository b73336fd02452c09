//! Which bucket the host names, if any.
//!
//! Path style: `http://localhost:4566/bucket/key`, and any bare address. Virtual-hosted style: `bucket.DOMAIN` for each
//! of [`Domains`], `bucket.s3.amazonaws.com`, `bucket.s3.REGION.amazonaws.com`, `bucket.s3-REGION.amazonaws.com` and
//! their dualstack forms.

use std::sync::Arc;

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

use crate::s3::is_region;

/// Names of this machine, and those under which other emulators are known. The longest comes first: `s3.localhost` is
/// how some tools name the endpoint itself.
const LOCAL_DOMAINS: [&str; 4] =
    ["s3.localhost.localstack.cloud", "localhost.localstack.cloud", "s3.localhost", "localhost"];

/// The domains whose subdomains are buckets, beside AWS's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Domains(Arc<[String]>);

impl Domains {
    /// These domains in addition to the names of this machine.
    pub(crate) fn with(domains: Vec<String>) -> Self {
        Self(domains.into_iter().map(|domain| domain.to_ascii_lowercase()).collect())
    }

    /// Whether a host, without its port, is a name of this machine or one that its operator gave.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        self.0.iter().map(String::as_str).chain(LOCAL_DOMAINS).any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The bucket of a virtual-hosted host; absent for path style.
    pub(crate) fn bucket_in_host<'a>(&self, host: &'a str) -> Option<&'a str> {
        let name = without_port(host);
        for domain in self.0.iter().map(String::as_str).chain(LOCAL_DOMAINS) {
            let Some(rest) = strip_suffix_ignoring_case(name, domain) else { continue };
            return match rest.strip_suffix('.') {
                Some(bucket) if !bucket.is_empty() => Some(bucket),
                _ if rest.is_empty() => None,
                // `mylocalhost` is another domain.
                _ => continue,
            };
        }
        let rest = name.strip_suffix(".amazonaws.com")?;
        // A region and `dualstack` may follow `s3`; the bucket, which may hold dots, is all that stands before it.
        let labels: Vec<&str> = rest.split('.').collect();
        let service = labels.iter().rposition(|label| *label == "s3" || dashed_region(label).is_some())?;
        let bucket_bytes: usize = labels.iter().take(service).map(|label| label.len() + 1).sum();
        rest.get(..bucket_bytes.checked_sub(1)?).filter(|bucket| !bucket.is_empty())
    }
}

/// What a host of the website endpoint names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WebsiteHost {
    Bucket(String),
    /// The endpoint itself.
    Endpoint,
}

impl Domains {
    /// `BUCKET.s3-website.DOMAIN`, and on AWS `BUCKET.s3-website-REGION.amazonaws.com` and
    /// `BUCKET.s3-website.REGION.amazonaws.com`; absent for hosts of the API.
    pub(crate) fn website_in_host(&self, host: &str) -> Option<WebsiteHost> {
        let name = without_port(host);
        let before = if let Some(rest) = name.strip_suffix(".amazonaws.com") {
            let labels: Vec<&str> = rest.split('.').collect();
            let service = labels.iter().position(|label| {
                *label == "s3-website"
                    || label.strip_prefix("s3-website-").is_some_and(|region| !region.is_empty())
            })?;
            labels.get(..service)?.join(".")
        } else {
            let below = self.bucket_in_host(host)?;
            if below == "s3-website" { String::new() } else { below.strip_suffix(".s3-website")?.to_owned() }
        };
        Some(if before.is_empty() { WebsiteHost::Endpoint } else { WebsiteHost::Bucket(before) })
    }
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host })
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// The region of a label of the old form `s3-REGION`.
fn dashed_region(label: &str) -> Option<&str> {
    label.strip_prefix("s3-").filter(|region| is_region(region))
}

/// The region that an AWS host names: `s3.REGION.amazonaws.com`, `sts.REGION.amazonaws.com`; absent for the global
/// endpoints, and for hosts that are not AWS's.
pub(crate) fn region_in_host(host: &str) -> Option<&str> {
    let name = host.split(':').next()?;
    let labels: Vec<&str> = name.strip_suffix(".amazonaws.com")?.split('.').collect();
    if let Some(region) = labels.last().copied().and_then(dashed_region) {
        return Some(region);
    }
    let service =
        labels.iter().rposition(|label| matches!(*label, "s3" | "sts" | "iam" | "kms" | "sns" | "sqs"))?;
    labels.get(service + 1..)?.iter().copied().find(|label| *label != "dualstack")
}

/// The service other than S3 that an AWS host names: `SERVICE.amazonaws.com`, `SERVICE.REGION.amazonaws.com`.
pub(crate) fn service_in_host(host: &str) -> Option<&'static str> {
    let name = without_port(host).strip_suffix(".amazonaws.com")?;
    let (service, region) = match name.split_once('.') {
        Some((service, region)) => (service, Some(region)),
        None => (name, None),
    };
    let known = ["sts", "iam", "kms", "sns", "sqs"].into_iter().find(|known| *known == service)?;
    region.is_none_or(is_region).then_some(known)
}

/// The codec's view of the same rule.
#[derive(Debug)]
pub(crate) struct Host(pub(crate) Domains);

impl S3Host for Host {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(host);
        Ok(match self.0.bucket_in_host(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Domains, region_in_host, service_in_host};

    #[test]
    fn hosts_name_buckets_and_regions() {
        let domains = Domains::with(vec!["s3.Example.test".to_owned()]);
        let check = |host: &str, bucket: Option<&str>, region: Option<&str>| {
            assert_eq!((domains.bucket_in_host(host), region_in_host(host)), (bucket, region), "{host}");
        };
        check("localhost:4566", None, None);
        check("127.0.0.1", None, None);
        check("s3.localhost:4566", None, None);
        check("logs.localhost:4566", Some("logs"), None);
        check("s3.amazonaws.com", None, None);
        check("s3.eu-central-1.amazonaws.com", None, Some("eu-central-1"));
        check("logs.s3.amazonaws.com", Some("logs"), None);
        check("a.b.s3.dualstack.eu-west-1.amazonaws.com", Some("a.b"), Some("eu-west-1"));
        check("sts.eu-west-1.amazonaws.com", None, Some("eu-west-1"));
        check("kms.eu-west-1.amazonaws.com:443", None, Some("eu-west-1"));
        check("sts.s3.amazonaws.com", Some("sts"), None);
        check("s3-eu-west-1.amazonaws.com", None, Some("eu-west-1"));
        check("a.b.s3-eu-west-1.amazonaws.com", Some("a.b"), Some("eu-west-1"));
        check("s3-external-1.amazonaws.com", None, None);
        check("[::1]:4566", None, None);
        check("s3.example.test:9000", None, None);
        check("logs.prod.S3.example.test", Some("logs.prod"), None);
        check("other.example.test", None, None);
        check("mylocalhost", None, None);
        check("logs.s3.localhost:4566", Some("logs"), None);
        check("s3.localhost.localstack.cloud:4566", None, None);
        check("logs.s3.localhost.localstack.cloud:4566", Some("logs"), None);
    }

    #[test]
    fn hosts_name_services() {
        let check = |host: &str, service: Option<&str>| assert_eq!(service_in_host(host), service, "{host}");
        check("sts.amazonaws.com", Some("sts"));
        check("kms.eu-west-1.amazonaws.com:443", Some("kms"));
        check("sts.s3.amazonaws.com", None);
        check("s3.amazonaws.com", None);
        check("sts.localhost", None);
    }
}
