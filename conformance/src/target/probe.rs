//! What an endpoint offers: asked, not assumed. A capability is missing only if the endpoint itself says that it does not
//! have it; one that it has wrongly is for the checks to find.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectAttributes, Tagging, VersioningConfiguration};

use bucketproof_clock::Clock;
use bytes::Bytes;
use http::Request;

use super::Endpoint;
use crate::check::Capability;
use crate::wire::{Signing, signed};

/// Why an endpoint cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nobody answers.
    #[error("cannot reach `{name}` at {url}: {message}")]
    Down {
        /// The target's name.
        name: String,
        /// Its URL.
        url: String,
        /// What went wrong.
        message: String,
    },
    /// The answer takes too long.
    #[error("`{name}` at {url} does not answer within {} s", limit.as_secs_f32())]
    Slow {
        /// The target's name.
        name: String,
        /// Its URL.
        url: String,
        /// The time it had.
        limit: Duration,
    },
    /// What answers is not S3.
    #[error("what answers at {url} is not S3: status {status}, content type `{content_type}`")]
    NotS3 {
        /// Its URL.
        url: String,
        /// The status of the answer.
        status: u16,
        /// What the answer says that it is.
        content_type: String,
    },
    /// It fails whatever it is asked.
    #[error("`{name}` at {url} answers {answer} to a listing of buckets")]
    Failing {
        /// The target's name.
        name: String,
        /// Its URL.
        url: String,
        /// Status and code.
        answer: String,
    },
    /// Nobody is known under these credentials.
    #[error("`{name}` refuses the credentials `{key_id}`: {answer}")]
    Refused {
        /// The target's name.
        name: String,
        /// The access key's id.
        key_id: String,
        /// Status and code.
        answer: String,
    },
    /// The account may not do what every check does.
    #[error("the credentials `{key_id}` may not {what} at `{name}`: {answer}")]
    NoRights {
        /// The target's name.
        name: String,
        /// The access key's id.
        key_id: String,
        /// What is not allowed.
        what: &'static str,
        /// Status and code.
        answer: String,
    },
    /// What was made cannot be taken away.
    #[error("`{name}` does not let the bucket `{bucket}` be deleted, which this run has made")]
    Unclean {
        /// The target's name.
        name: String,
        /// The bucket.
        bucket: String,
    },
}

impl TargetError {
    /// The next step.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Down { .. } => "start the endpoint, or name another URL with `--target`",
            Self::Slow { .. } => "give it more time with `--timeout SECONDS`, or look why it is slow",
            Self::NotS3 { .. } => "name the URL of the S3 endpoint itself, not of a console or a proxy",
            Self::Failing { .. } => "look into the endpoint's log",
            Self::Refused { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) to credentials of the endpoint"
            }
            Self::NoRights { .. } => {
                "the checks make buckets of their own and take them away; use an account that may"
            }
            Self::Unclean { .. } => "delete it by hand, with what is in it",
        }
    }

    /// Whether other credentials or another URL would mend it.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NoRights { .. } | Self::NotS3 { .. })
    }
}

const REFUSED: [&str; 7] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "InvalidClientTokenId",
    "AuthFailure",
    "RequestTimeTooSkewed",
];

/// Whether an error says that the endpoint does not have what it was asked for.
fn lacks<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    matches!(status, Some(501 | 405))
        || matches!(code, "NotImplemented" | "MethodNotAllowed" | "NotSupported" | "UnsupportedOperation")
}

/// `403 AccessDenied`.
fn answer<E: ProvideErrorMetadata + Debug>(error: &SdkError<E, HttpResponse>) -> String {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    format!("{status} {}", code.unwrap_or("without a code"))
}

/// The errors behind an error, the last of which says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl Endpoint {
    fn key_id(&self) -> String {
        self.account(0).map(|key| key.access_key_id().to_owned()).unwrap_or_default()
    }

    /// Everything that the endpoint offers.
    pub(super) async fn probe(&self) -> Result<BTreeSet<Capability>, TargetError> {
        self.answers().await?;
        let bucket = self.bucket_name();
        let s3 = self.s3();
        self.made(&bucket);
        let no_rights = |what, answer| TargetError::NoRights {
            name: self.name().to_owned(),
            key_id: self.key_id(),
            what,
            answer,
        };
        let created = s3.create_bucket().bucket(&bucket).send().await;
        created.map_err(|error| no_rights("make a bucket", answer(&error)))?;
        let put = s3.put_object().bucket(&bucket).key("probe");
        let put = put.body(ByteStream::from_static(b"probe")).send().await;
        put.map_err(|error| no_rights("write an object", answer(&error)))?;
        let mut found = self.of_objects(&s3, &bucket).await;
        found.extend(self.of_buckets(&s3, &bucket).await);
        found.extend(self.of_others(&bucket).await);
        Ok(found)
    }

    /// Whether something that speaks S3 answers, and knows us.
    async fn answers(&self) -> Result<(), TargetError> {
        let (name, url) = (self.name().to_owned(), self.url().to_string());
        let limit = self.timeout();
        let Err(error) = self.s3().list_buckets().send().await else { return Ok(()) };
        let raw = error.raw_response().map(|response| {
            let content_type = response.headers().get("content-type").unwrap_or_default().to_owned();
            (response.status().as_u16(), content_type)
        });
        match (&error, raw) {
            (SdkError::TimeoutError(_), _) => Err(TargetError::Slow { name, url, limit }),
            (SdkError::DispatchFailure(failure), _) if failure.is_timeout() => {
                Err(TargetError::Slow { name, url, limit })
            }
            (_, None) => Err(TargetError::Down { name, url, message: cause(&error) }),
            (_, Some((status, content_type))) => {
                let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
                match code {
                    Some(code) if REFUSED.contains(&code) => {
                        Err(TargetError::Refused { name, key_id: self.key_id(), answer: answer(&error) })
                    }
                    Some(_) if status >= 500 && status != 501 => {
                        Err(TargetError::Failing { name, url, answer: answer(&error) })
                    }
                    // A caller that may not list may still make a bucket.
                    Some(_) => Ok(()),
                    None if status >= 500 => Err(TargetError::Failing { name, url, answer: answer(&error) }),
                    None => Err(TargetError::NotS3 { url, status, content_type }),
                }
            }
        }
    }

    async fn of_objects(&self, s3: &Client, bucket: &str) -> BTreeSet<Capability> {
        let mut found = BTreeSet::new();
        let mut note = |capability, is_there: bool| {
            if is_there {
                found.insert(capability);
            }
        };
        let put = s3.put_object().bucket(bucket).key("conditional").if_none_match("*").send().await;
        note(Capability::ConditionalWrite, put.map_or_else(|error| !lacks(&error), |_| true));
        let begun = s3.create_multipart_upload().bucket(bucket).key("parts").send().await;
        if let Ok(upload) = &begun {
            let id = upload.upload_id().unwrap_or_default();
            // An upload that stays is taken away with the bucket.
            let _aborted = s3.abort_multipart_upload().bucket(bucket).key("parts").upload_id(id).send().await;
        }
        note(Capability::Multipart, begun.map_or_else(|error| !lacks(&error), |_| true));
        let source = format!("{bucket}/probe");
        let copied = s3.copy_object().bucket(bucket).key("copy").copy_source(source).send().await;
        note(Capability::Copy, copied.map_or_else(|error| !lacks(&error), |_| true));
        if let Ok(tagging) = Tagging::builder().set_tag_set(Some(Vec::new())).build() {
            let tagged = s3.put_object_tagging().bucket(bucket).key("probe").tagging(tagging).send().await;
            note(Capability::Tagging, tagged.map_or_else(|error| !lacks(&error), |_| true));
        }
        let acl = s3.get_object_acl().bucket(bucket).key("probe").send().await;
        note(Capability::Acl, acl.map_or_else(|error| !lacks(&error), |_| true));
        let attributes = s3.get_object_attributes().bucket(bucket).key("probe");
        let attributes = attributes.object_attributes(ObjectAttributes::Etag).send().await;
        note(Capability::Attributes, attributes.map_or_else(|error| !lacks(&error), |_| true));
        found
    }

    async fn of_buckets(&self, s3: &Client, bucket: &str) -> BTreeSet<Capability> {
        let mut found = BTreeSet::new();
        macro_rules! asks {
            ($($capability:ident: $operation:ident),* $(,)?) => {
                $({
                    let asked = s3.$operation().bucket(bucket).send().await;
                    if asked.map_or_else(|error| !lacks(&error), |_| true) {
                        found.insert(Capability::$capability);
                    }
                })*
            };
        }
        asks! {
            BucketPolicy: get_bucket_policy,
            Cors: get_bucket_cors,
            Lifecycle: get_bucket_lifecycle_configuration,
            ObjectLock: get_object_lock_configuration,
            Encryption: get_bucket_encryption,
            Notifications: get_bucket_notification_configuration,
            BucketTagging: get_bucket_tagging,
            UploadListing: list_multipart_uploads,
        }
        let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let set = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versioned).send().await;
        if set.map_or_else(|error| !lacks(&error), |_| true) {
            found.insert(Capability::Versioning);
        }
        found
    }

    async fn of_others(&self, bucket: &str) -> BTreeSet<Capability> {
        let mut found = BTreeSet::from([Capability::PresignedUrl]);
        let stranger = self.s3_with(None).get_object().bucket(bucket).key("probe").send().await;
        if stranger.is_err() {
            found.insert(Capability::PolicyEnforcement);
        }
        for (capability, service, request, marker) in services(self.url().as_str()) {
            if self.offers(service, request, marker).await {
                found.insert(capability);
            }
        }
        if self.sts().get_caller_identity().send().await.is_ok() {
            found.insert(Capability::Sts);
        }
        if let Some(second) = self.account(1) {
            let seen =
                self.s3_with(Some(second.clone())).get_object().bucket(bucket).key("probe").send().await;
            let code = seen.err().and_then(|error| {
                error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned)
            });
            if code.as_deref() == Some("AccessDenied") {
                found.insert(Capability::SecondAccount);
            }
        }
        found
    }
}

/// A request to each of the other services, and what stands in the answer of one that has it.
fn services(url: &str) -> Vec<(Capability, &'static str, http::Result<Request<Bytes>>, &'static str)> {
    let form = |action: &'static str| {
        let request = Request::post(url).header("content-type", "application/x-www-form-urlencoded");
        request.body(Bytes::from_static(action.as_bytes()))
    };
    let json = |target: &str, kind: &str| {
        let request = Request::post(url).header("content-type", kind).header("x-amz-target", target);
        request.body(Bytes::from_static(b"{}"))
    };
    vec![
        (Capability::Iam, "iam", form("Action=ListUsers&Version=2010-05-08"), "ListUsersResult"),
        (Capability::Sns, "sns", form("Action=ListTopics&Version=2010-03-31"), "ListTopicsResult"),
        (Capability::Kms, "kms", json("TrentService.ListKeys", "application/x-amz-json-1.1"), "Keys"),
        (Capability::Sqs, "sqs", json("AmazonSQS.ListQueues", "application/x-amz-json-1.0"), "{"),
    ]
}

impl Endpoint {
    /// Whether another service answers at the URL as itself.
    async fn offers(
        &self,
        service: &'static str,
        request: http::Result<Request<Bytes>>,
        marker: &str,
    ) -> bool {
        let (Ok(request), Some(credentials)) = (request, self.account(0).cloned()) else { return false };
        let time = Clock::system().system_time();
        let Ok(request) = signed(request, Signing { service, region: self.region(), time, credentials })
        else {
            return false;
        };
        let Ok(answer) = self.send(request).await else { return false };
        answer.status().is_success() && String::from_utf8_lossy(answer.body()).contains(marker)
    }
}

/// Empties a bucket and deletes it; whether it is gone.
pub(super) async fn take_away(s3: &Client, bucket: &str) -> bool {
    // What cannot be taken away shows when the bucket is deleted. A policy may stand in the way of everything else.
    let _deleted = s3.delete_bucket_policy().bucket(bucket).send().await;
    if let Ok(uploads) = s3.list_multipart_uploads().bucket(bucket).send().await {
        for upload in uploads.uploads() {
            let abort = s3.abort_multipart_upload().bucket(bucket);
            let abort = abort.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
            let _aborted = abort.send().await;
        }
    }
    let mut objects: Vec<(String, Option<String>)> = Vec::new();
    if let Ok(versions) = s3.list_object_versions().bucket(bucket).send().await {
        let of = |key: Option<&str>, id: Option<&str>| Some((key?.to_owned(), id.map(str::to_owned)));
        objects.extend(versions.versions().iter().filter_map(|one| of(one.key(), one.version_id())));
        objects.extend(versions.delete_markers().iter().filter_map(|one| of(one.key(), one.version_id())));
    }
    if let Ok(listed) = s3.list_objects_v2().bucket(bucket).send().await {
        let keys = listed.contents().iter().filter_map(|object| object.key());
        let unknown: Vec<_> = keys
            .filter(|key| !objects.iter().any(|(known, _)| known == key))
            .map(|key| (key.to_owned(), None))
            .collect();
        objects.extend(unknown);
    }
    for (key, version) in objects {
        let delete = s3.delete_object().bucket(bucket).key(&key).set_version_id(version.clone());
        if delete.send().await.is_ok() {
            continue;
        }
        let delete = s3.delete_object().bucket(bucket).key(&key).set_version_id(version.clone());
        let deleted = delete.bypass_governance_retention(true).send().await;
        // Some know the version `null` only without its name.
        if deleted.is_err() && version.as_deref() == Some("null") {
            let _deleted = s3.delete_object().bucket(bucket).key(&key).send().await;
        }
    }
    match s3.delete_bucket().bucket(bucket).send().await {
        Ok(_) => true,
        Err(error) => {
            let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
            code == Some("NoSuchBucket")
        }
    }
}
