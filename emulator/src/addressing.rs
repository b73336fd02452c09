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
