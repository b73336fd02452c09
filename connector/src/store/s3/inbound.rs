//! What an import asks of S3.

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::primitives::{ByteStream, DateTimeFormat};
use aws_sdk_s3::types::ObjectCannedAcl;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use bytes::Bytes;
use jiff::Timestamp;

use super::S3Store;
use crate::import::{FileRef, FoundFile, FoundPage, InboundStore, NewOutcome};
use crate::names::{BucketName, ObjectKey};
use crate::store::{Effect, Operation, Store as _, StoreError};

/// A status without which an answer is an error.
fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |raw| raw.status().as_u16())
}

fn unreadable(operation: Operation, what: &str) -> StoreError {
    StoreError::Rejected { operation, status: 200, code: String::new(), message: what.to_owned() }
}

/// When an object of a listing was created.
fn created(time: Option<&aws_sdk_s3::primitives::DateTime>) -> Result<Timestamp, StoreError> {
    time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok())
        .and_then(|text| text.parse::<Timestamp>().ok())
        .ok_or_else(|| unreadable(Operation::List, "an object has no LastModified"))
}

#[async_trait]
impl InboundStore for S3Store {
    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn list_files(&self, prefix: &str, page: Option<&str>) -> Result<FoundPage, StoreError> {
        self.provider.fresh().await?;
        let call = self
            .client
            .list_objects_v2()
            .bucket(self.bucket.as_str())
            .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
            .set_continuation_token(page.map(str::to_owned));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.error(Operation::List, None, error).await),
        };
        let files = answer.contents().iter().map(|object| {
            Ok(FoundFile {
                key: object.key().unwrap_or_default().to_owned(),
                etag: object.e_tag().unwrap_or_default().to_owned(),
                version: None,
                bytes: object.size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
                created: created(object.last_modified())?,
            })
        });
        let files = files.collect::<Result<_, StoreError>>()?;
        let next = answer.next_continuation_token().filter(|_| answer.is_truncated() == Some(true));
        Ok(FoundPage { files, next: next.map(str::to_owned) })
    }

    async fn list_versions(&self, prefix: &str, page: Option<&str>) -> Result<FoundPage, StoreError> {
        self.provider.fresh().await?;
        // Where a page begins: the id of a version, which has no line end, and its key.
        let (version, key) = page.and_then(|page| page.split_once('\n')).unzip();
        let call = self
            .client
            .list_object_versions()
            .bucket(self.bucket.as_str())
            .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
            .set_key_marker(key.map(str::to_owned))
            .set_version_id_marker(version.filter(|id| !id.is_empty()).map(str::to_owned));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.error(Operation::List, None, error).await),
        };
        let files = answer.versions().iter().map(|object| {
            Ok(FoundFile {
                key: object.key().unwrap_or_default().to_owned(),
                etag: object.e_tag().unwrap_or_default().to_owned(),
                version: Some(object.version_id().unwrap_or("null").to_owned()),
                bytes: object.size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
                created: created(object.last_modified())?,
            })
        });
        let files = files.collect::<Result<_, StoreError>>()?;
        let is_more = answer.is_truncated() == Some(true);
        let next = answer.next_key_marker().filter(|_| is_more);
        let version = answer.next_version_id_marker().unwrap_or_default();
        Ok(FoundPage { files, next: next.map(|key| format!("{version}\n{key}")) })
    }

    async fn read_file(&self, file: FileRef<'_>, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let FileRef { key, etag, version } = file;
        self.provider.fresh().await?;
        let last = range.end.saturating_sub(1);
        let call = self
            .client
            .get_object()
            .bucket(self.bucket.as_str())
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .if_match(etag)
            .range(format!("bytes={}-{last}", range.start));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let is_gone = matches!(status(&error), 404 | 412 | 416);
                let error = self.error(Operation::Get, ObjectKey::new(key).ok().as_ref(), error).await;
                return match error {
                    StoreError::NoSuchBucket { .. } => Err(error),
                    _ if is_gone => Ok(None),
                    error => Err(error),
                };
            }
        };
        let cut_off = |error: &dyn std::error::Error| StoreError::Unavailable {
            operation: Operation::Get,
            message: format!("the answer of `{}` was cut off: {error}", self.place),
            effect: Effect::None,
        };
        let body = answer.body.collect().await.map_err(|error| cut_off(&error))?.into_bytes();
        if body.len() as u64 != range.end - range.start {
            return Err(StoreError::Unavailable {
                operation: Operation::Get,
                message: format!("{} bytes came, {} were asked for", body.len(), range.end - range.start),
                effect: Effect::None,
            });
        }
        Ok(Some(body))
    }

    async fn write_new(&self, key: &str, body: Bytes, acl: &str) -> Result<NewOutcome, StoreError> {
        self.provider.fresh().await?;
        let call = self
            .client
            .put_object()
            .bucket(self.bucket.as_str())
            .key(key)
            .if_none_match("*")
            .acl(ObjectCannedAcl::from(acl))
            .content_type("application/json")
            .body(ByteStream::from(body));
        match call.send().await {
            Ok(_) => Ok(NewOutcome::Written),
            Err(error) if status(&error) == 412 => Ok(NewOutcome::Taken),
            Err(error) => Err(self.error(Operation::Put, ObjectKey::new(key).ok().as_ref(), error).await),
        }
    }

    async fn refresh(&self) {
        self.refresh_credentials().await;
    }
}
