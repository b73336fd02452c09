//! Which bucket the host names, if any.
//!
//! Path style: `http://localhost:4566/bucket/key`, and any bare address. Virtual-hosted style:
//! `bucket.localhost`, `bucket.s3.amazonaws.com`, `bucket.s3.REGION.amazonaws.com` and their dualstack forms.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The bucket of a virtual-hosted host; absent for path style.
pub(crate) fn bucket_in_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    if let Some(bucket) = name.strip_suffix(".localhost") {
        // `s3.localhost` is how some tools name the endpoint itself.
        return (bucket != "s3" && !bucket.is_empty()).then_some(bucket);
    }
    let rest = name.strip_suffix(".amazonaws.com")?;
    // A region and `dualstack` may follow `s3`; the bucket, which may hold dots, is all that stands before it.
    let labels: Vec<&str> = rest.split('.').collect();
    let service = labels.iter().rposition(|label| *label == "s3")?;
    let bucket_bytes: usize = labels.iter().take(service).map(|label| label.len() + 1).sum();
    rest.get(..bucket_bytes.checked_sub(1)?).filter(|bucket| !bucket.is_empty())
}

/// The region that an AWS host names: `s3.REGION.amazonaws.com`, `sts.REGION.amazonaws.com`; absent for the global
/// endpoints, and for hosts that are not AWS's.
pub(crate) fn region_in_host(host: &str) -> Option<&str> {
    let name = host.split(':').next()?;
    let labels: Vec<&str> = name.strip_suffix(".amazonaws.com")?.split('.').collect();
    let service = labels.iter().rposition(|label| matches!(*label, "s3" | "sts"))?;
    labels.get(service + 1..)?.iter().copied().find(|label| *label != "dualstack")
}

/// The codec's view of the same rule.
#[derive(Debug)]
pub(crate) struct Host;

impl S3Host for Host {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(host);
        Ok(match bucket_in_host(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{bucket_in_host, region_in_host};

    #[test]
    fn hosts_name_buckets_and_regions() {
        let check = |host: &str, bucket: Option<&str>, region: Option<&str>| {
            assert_eq!((bucket_in_host(host), region_in_host(host)), (bucket, region), "{host}");
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
        check("[::1]:4566", None, None);
    }
}
