//! The cheapest call for each documented action, and what its answer says.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectCannedAcl;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{S3Store, is_code};
use crate::names::{ETag, ObjectKey};
use crate::store::{Operation, StoreError};

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// The call is allowed; what it told, if that matters.
    Allowed(String),
    /// There is no object that it could be about. Whether the answer is 404 or 403 then depends on `s3:ListBucket`, not on
    /// the action that was asked for.
    NoObject,
    /// It is not.
    Refused(StoreError),
}

impl S3Store {
    /// The bucket's region, which an answer of HeadBucket tells even if the call is refused.
    pub(crate) async fn probe_region(&self) -> Probed {
        match self.client.head_bucket().bucket(self.bucket.as_str()).send().await {
            Ok(answer) => Probed::Allowed(answer.bucket_region().unwrap_or(&self.region).to_owned()),
            Err(error) if is_code(&error, "NotFound") || is_status(&error, 404) => {
                let operation = Operation::List;
                Probed::Refused(StoreError::NoSuchBucket { operation, bucket: self.bucket.clone() })
            }
            Err(error) => {
                let told = match &error {
                    SdkError::ServiceError(service) => {
                        service.raw().headers().get("x-amz-bucket-region").map(str::to_owned)
                    }
                    _ => None,
                };
                match told {
                    Some(actual) if actual == self.region => Probed::Allowed(actual),
                    Some(actual) => Probed::Refused(StoreError::WrongRegion {
                        operation: Operation::List,
                        bucket: self.bucket.clone(),
                        configured: self.region.clone(),
                        actual: Some(actual),
                    }),
                    None => Probed::Refused(self.error(Operation::Head, None, error).await),
                }
            }
        }
    }

    /// `s3:GetBucketLocation`.
    pub(crate) async fn probe_location(&self) -> Probed {
        let answer = self.client.get_bucket_location().bucket(self.bucket.as_str()).send().await;
        self.probed(answer.map(|_| String::new()), "s3:GetBucketLocation", None).await
    }

    /// `s3:GetObject` of the first byte of a key that need not exist.
    pub(crate) async fn probe_get(&self, key: &ObjectKey) -> Probed {
        let call = self.client.get_object().bucket(self.bucket.as_str()).key(key.as_str()).range("bytes=0-0");
        match call.send().await {
            Err(error) if is_code(&error, "NoSuchKey") => Probed::NoObject,
            // Of an object without bytes.
            Err(error) if is_code(&error, "InvalidRange") => Probed::Allowed(String::new()),
            answer => self.probed(answer.map(|_| String::new()), "s3:GetObject", Some(key)).await,
        }
    }

    /// The first object below `prefix`, if the listing of it is allowed and there is one.
    pub(crate) async fn probe_first(&self, prefix: &str) -> Option<ObjectKey> {
        let call = self.client.list_objects_v2().bucket(self.bucket.as_str()).max_keys(20);
        let page = call.set_prefix((!prefix.is_empty()).then(|| prefix.to_owned())).send().await.ok()?;
        page.contents().iter().find_map(|object| ObjectKey::new(object.key()?).ok())
    }

    /// `s3:PutObject` without a write and without any right to read, which a condition takes: no body has this digest.
    pub(crate) async fn probe_blind_put(&self, key: &ObjectKey) -> Probed {
        let call = self.client.put_object().bucket(self.bucket.as_str()).key(key.as_str());
        let call = call.content_md5("AAAAAAAAAAAAAAAAAAAAAA==").body(ByteStream::from_static(b"probe"));
        match call.send().await {
            Err(error) if is_code(&error, "BadDigest") => Probed::Allowed(String::new()),
            answer => self.probed(answer.map(|_| "written".to_owned()), "s3:PutObject", Some(key)).await,
        }
    }

    /// `s3:PutObjectAcl` on an object that exists.
    pub(crate) async fn probe_acl(&self, key: &ObjectKey) -> Probed {
        let call = self.client.put_object_acl().bucket(self.bucket.as_str()).key(key.as_str());
        match call.acl(ObjectCannedAcl::BucketOwnerFullControl).send().await {
            // Without ACLs in the bucket the call was allowed and had nothing to do.
            Err(error) if is_code(&error, "AccessControlListNotSupported") => Probed::Allowed(String::new()),
            Err(error) if is_code(&error, "NoSuchKey") => Probed::NoObject,
            answer => self.probed(answer.map(|_| String::new()), "s3:PutObjectAcl", Some(key)).await,
        }
    }

    /// `s3:DeleteObject`: of the object if it is the one of that entity tag.
    pub(crate) async fn probe_delete(&self, key: &ObjectKey, etag: Option<&ETag>) -> Probed {
        let call = self.client.delete_object().bucket(self.bucket.as_str()).key(key.as_str());
        let call = call.set_if_match(etag.map(|etag| etag.as_str().to_owned()));
        match call.send().await {
            Err(error) if is_code(&error, "NoSuchKey") || is_code(&error, "PreconditionFailed") => {
                Probed::Allowed(String::new())
            }
            answer => self.probed(answer.map(|_| String::new()), "s3:DeleteObject", Some(key)).await,
        }
    }

    /// Uploads in parts that somebody began and never finished, below `prefix`.
    pub(crate) async fn probe_leftovers(&self, prefix: &str) -> Probed {
        let call = self.client.list_multipart_uploads().bucket(self.bucket.as_str());
        let answer = call.set_prefix((!prefix.is_empty()).then(|| prefix.to_owned())).send().await;
        let told = answer.map(|found| {
            found.uploads().iter().filter_map(|upload| upload.key()).collect::<Vec<_>>().join(", ")
        });
        self.probed(told, "s3:ListBucketMultipartUploads", None).await
    }

    /// How the bucket encrypts by default.
    pub(crate) async fn probe_encryption(&self) -> Probed {
        let answer = self.client.get_bucket_encryption().bucket(self.bucket.as_str()).send().await;
        let told = answer.map(|found| {
            found
                .server_side_encryption_configuration()
                .and_then(|configuration| configuration.rules().first())
                .and_then(|rule| rule.apply_server_side_encryption_by_default())
                .map_or_else(|| "AES256".to_owned(), |default| default.sse_algorithm().as_str().to_owned())
        });
        self.probed(told, "s3:GetEncryptionConfiguration", None).await
    }

    /// Whether all four settings of Block Public Access are on.
    pub(crate) async fn probe_public_access(&self) -> Probed {
        match self.client.get_public_access_block().bucket(self.bucket.as_str()).send().await {
            Err(error) if is_code(&error, "NoSuchPublicAccessBlockConfiguration") => {
                Probed::Allowed("off".to_owned())
            }
            answer => {
                let told = answer.map(|found| {
                    let is_whole = found.public_access_block_configuration().is_some_and(|block| {
                        [
                            block.block_public_acls(),
                            block.ignore_public_acls(),
                            block.block_public_policy(),
                            block.restrict_public_buckets(),
                        ]
                        .iter()
                        .all(|setting| *setting == Some(true))
                    });
                    if is_whole { "on" } else { "in part" }.to_owned()
                });
                self.probed(told, "s3:GetBucketPublicAccessBlock", None).await
            }
        }
    }

    /// Assumes the role, if one is used.
    pub(crate) async fn assume(&self) -> Result<(), StoreError> {
        self.provider.fresh().await.map(|_| ())
    }

    /// Every key below `prefix`.
    pub(crate) async fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.provider.fresh().await?;
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let call =
                self.client.list_objects_v2().bucket(self.bucket.as_str()).set_continuation_token(after);
            match call.set_prefix((!prefix.is_empty()).then(|| prefix.to_owned())).send().await {
                Err(error) => return Err(self.error(Operation::List, None, error).await),
                Ok(page) => {
                    keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
                    match page.next_continuation_token() {
                        Some(next) => after = Some(next.to_owned()),
                        None => return Ok(keys),
                    }
                }
            }
        }
    }

    /// Whether the role can be assumed without the external id, which must not be.
    pub(crate) async fn probe_without_external_id(&self) -> Option<Result<(), StoreError>> {
        self.provider.assume_without_external_id().await
    }

    async fn probed<E>(
        &self,
        answer: Result<String, SdkError<E, HttpResponse>>,
        action: &str,
        key: Option<&ObjectKey>,
    ) -> Probed
    where
        E: ProvideErrorMetadata + std::fmt::Debug,
    {
        let error = match answer {
            Ok(told) => return Probed::Allowed(told),
            Err(error) => error,
        };
        let operation = if key.is_some() { Operation::Get } else { Operation::List };
        Probed::Refused(match self.error(operation, key, error).await {
            StoreError::Denied { operation, resource, message, .. }
                if !message.contains("is not authorized to perform: ") =>
            {
                StoreError::Denied { operation, action: action.to_owned(), resource, message }
            }
            other => other,
        })
    }
}

fn is_status<E>(error: &SdkError<E, HttpResponse>, status: u16) -> bool {
    matches!(error, SdkError::ServiceError(service) if service.raw().status().as_u16() == status)
}
