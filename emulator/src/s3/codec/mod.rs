//! Between the wire and our operations: `s3s` routes and parses, we decode into an [`Operation`] and back.
//!
//! The types of `s3s` stay within this folder. By the time it sees a request, the request is authenticated and its
//! body unframed and verified; what it does not route to a method below is refused by name.

mod decode;
mod encode;
mod headers;
mod refused;
mod reword;
mod stand_in;

use std::sync::Arc;

use http::Response;
use s3s::dto;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::operation::{Op, Operation};
use crate::s3::copy::CopyObject;
use crate::s3::digest::ToDigest;
use crate::s3::object::DeleteObject;
use crate::s3::post::Form;
use crate::s3::upload_part::{UploadPart, UploadPartCopy};
use crate::state::Content;

pub(crate) use refused::{check_headers, check_subresource, names_subresource};
pub(crate) use reword::reword;
pub(crate) use stand_in::stand_in;

/// Where a request keeps its exchange while `s3s` carries it.
#[derive(Clone, Debug)]
pub(crate) struct Slot(pub(crate) Arc<Exchange>);

/// The methods that `s3s` calls.
#[derive(Debug)]
pub(crate) struct S3Codec;

/// Decode, perform, encode.
fn serve<I, O: Operation, T>(
    request: S3Request<I>,
    decode: impl FnOnce(&Exchange, &Head, I) -> Result<O, AwsError>,
    encode: impl FnOnce(&Exchange, &Head, O::Output) -> T,
) -> S3Result<S3Response<T>> {
    serve_prepared(request, decode, |_, _, _| (), encode)
}

/// Decode, do what takes time and needs no lock, perform, encode.
fn serve_prepared<I, O: Operation, T>(
    request: S3Request<I>,
    decode: impl FnOnce(&Exchange, &Head, I) -> Result<O, AwsError>,
    prepare: impl FnOnce(&Exchange, &Head, &mut O),
    encode: impl FnOnce(&Exchange, &Head, O::Output) -> T,
) -> S3Result<S3Response<T>> {
    within(request, |exchange, input| {
        let head = exchange.begin(O::OP)?;
        let mut operation = decode(exchange, &head, input)?;
        prepare(exchange, &head, &mut operation);
        let output = exchange.perform(&head, operation)?;
        Ok(encode(exchange, &head, output))
    })
}

/// Runs `work` on the request's exchange; a refusal is kept there, to be worded by the pipeline.
fn within<I, T>(
    request: S3Request<I>,
    work: impl FnOnce(&Exchange, I) -> Result<T, AwsError>,
) -> S3Result<S3Response<T>> {
    let exchange = request.extensions.get::<Slot>().map(|slot| Arc::clone(&slot.0));
    let exchange = exchange.ok_or_else(|| S3Error::new(S3ErrorCode::InternalError))?;
    work(&exchange, request.input).map(S3Response::new).map_err(|error| {
        exchange.refuse(error);
        S3Error::new(S3ErrorCode::InternalError)
    })
}

/// The methods whose input may be refused while it is decoded, and those whose input cannot be wrong.
macro_rules! methods {
    (
        checked { $($checked:ident: $checked_input:ident -> $checked_output:ident;)* }
        plain { $($plain:ident: $plain_input:ident -> $plain_output:ident;)* }
    ) => {
        #[async_trait::async_trait]
        impl S3 for S3Codec {
            $(
                async fn $checked(
                    &self,
                    request: S3Request<dto::$checked_input>,
                ) -> S3Result<S3Response<dto::$checked_output>> {
                    serve(request, decode::$checked, encode::$checked)
                }
            )*
            $(
                async fn $plain(
                    &self,
                    request: S3Request<dto::$plain_input>,
                ) -> S3Result<S3Response<dto::$plain_output>> {
                    serve(request, |x, head, input| Ok(decode::$plain(x, head, input)), encode::$plain)
                }
            )*

            async fn copy_object(
                &self,
                request: S3Request<dto::CopyObjectInput>,
            ) -> S3Result<S3Response<dto::CopyObjectOutput>> {
                let prepare = |x: &Exchange, head: &Head, operation: &mut CopyObject| {
                    operation.digest = x.preview(head, operation, CopyObject::to_digest).map(ToDigest::digest);
                };
                serve_prepared(request, decode::copy_object, prepare, encode::copy_object)
            }

            async fn upload_part(
                &self,
                request: S3Request<dto::UploadPartInput>,
            ) -> S3Result<S3Response<dto::UploadPartOutput>> {
                let prepare = |x: &Exchange, head: &Head, operation: &mut UploadPart| {
                    let algorithm = x.preview(head, operation, |part, world, _| part.algorithm(world));
                    operation.digest(algorithm);
                };
                serve_prepared(request, decode::upload_part, prepare, encode::upload_part)
            }

            async fn upload_part_copy(
                &self,
                request: S3Request<dto::UploadPartCopyInput>,
            ) -> S3Result<S3Response<dto::UploadPartCopyOutput>> {
                let prepare = |x: &Exchange, head: &Head, operation: &mut UploadPartCopy| {
                    operation.digest = x.preview(head, operation, UploadPartCopy::to_digest).map(ToDigest::digest);
                };
                serve_prepared(request, decode::upload_part_copy, prepare, encode::upload_part_copy)
            }

            async fn delete_objects(
                &self,
                request: S3Request<dto::DeleteObjectsInput>,
            ) -> S3Result<S3Response<dto::DeleteObjectsOutput>> {
                within(request, delete_objects)
            }
        }
    };
}

methods! {
    checked {
        complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput;
        create_bucket: CreateBucketInput -> CreateBucketOutput;
        create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput;
        delete_object: DeleteObjectInput -> DeleteObjectOutput;
        get_object: GetObjectInput -> GetObjectOutput;
        get_object_attributes: GetObjectAttributesInput -> GetObjectAttributesOutput;
        head_object: HeadObjectInput -> HeadObjectOutput;
        list_bucket_analytics_configurations: ListBucketAnalyticsConfigurationsInput -> ListBucketAnalyticsConfigurationsOutput;
        list_bucket_intelligent_tiering_configurations: ListBucketIntelligentTieringConfigurationsInput -> ListBucketIntelligentTieringConfigurationsOutput;
        list_bucket_inventory_configurations: ListBucketInventoryConfigurationsInput -> ListBucketInventoryConfigurationsOutput;
        list_bucket_metrics_configurations: ListBucketMetricsConfigurationsInput -> ListBucketMetricsConfigurationsOutput;
        list_buckets: ListBucketsInput -> ListBucketsOutput;
        list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput;
        list_object_versions: ListObjectVersionsInput -> ListObjectVersionsOutput;
        list_objects: ListObjectsInput -> ListObjectsOutput;
        list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output;
        list_parts: ListPartsInput -> ListPartsOutput;
        put_bucket_accelerate_configuration: PutBucketAccelerateConfigurationInput -> PutBucketAccelerateConfigurationOutput;
        put_bucket_acl: PutBucketAclInput -> PutBucketAclOutput;
        put_bucket_analytics_configuration: PutBucketAnalyticsConfigurationInput -> PutBucketAnalyticsConfigurationOutput;
        put_bucket_cors: PutBucketCorsInput -> PutBucketCorsOutput;
        put_bucket_intelligent_tiering_configuration: PutBucketIntelligentTieringConfigurationInput -> PutBucketIntelligentTieringConfigurationOutput;
        put_bucket_inventory_configuration: PutBucketInventoryConfigurationInput -> PutBucketInventoryConfigurationOutput;
        put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput -> PutBucketLifecycleConfigurationOutput;
        put_bucket_logging: PutBucketLoggingInput -> PutBucketLoggingOutput;
        put_bucket_metrics_configuration: PutBucketMetricsConfigurationInput -> PutBucketMetricsConfigurationOutput;
        put_bucket_notification_configuration: PutBucketNotificationConfigurationInput -> PutBucketNotificationConfigurationOutput;
        put_bucket_ownership_controls: PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput;
        restore_object: RestoreObjectInput -> RestoreObjectOutput;
        put_bucket_encryption: PutBucketEncryptionInput -> PutBucketEncryptionOutput;
        put_bucket_tagging: PutBucketTaggingInput -> PutBucketTaggingOutput;
        put_bucket_policy: PutBucketPolicyInput -> PutBucketPolicyOutput;
        put_bucket_replication: PutBucketReplicationInput -> PutBucketReplicationOutput;
        put_bucket_request_payment: PutBucketRequestPaymentInput -> PutBucketRequestPaymentOutput;
        put_bucket_versioning: PutBucketVersioningInput -> PutBucketVersioningOutput;
        put_bucket_website: PutBucketWebsiteInput -> PutBucketWebsiteOutput;
        put_object: PutObjectInput -> PutObjectOutput;
        put_object_acl: PutObjectAclInput -> PutObjectAclOutput;
        put_object_legal_hold: PutObjectLegalHoldInput -> PutObjectLegalHoldOutput;
        put_object_lock_configuration: PutObjectLockConfigurationInput -> PutObjectLockConfigurationOutput;
        put_object_retention: PutObjectRetentionInput -> PutObjectRetentionOutput;
        put_object_tagging: PutObjectTaggingInput -> PutObjectTaggingOutput;
        put_public_access_block: PutPublicAccessBlockInput -> PutPublicAccessBlockOutput;
    }
    plain {
        abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput;
        delete_bucket: DeleteBucketInput -> DeleteBucketOutput;
        delete_bucket_analytics_configuration: DeleteBucketAnalyticsConfigurationInput -> DeleteBucketAnalyticsConfigurationOutput;
        delete_bucket_cors: DeleteBucketCorsInput -> DeleteBucketCorsOutput;
        delete_bucket_intelligent_tiering_configuration: DeleteBucketIntelligentTieringConfigurationInput -> DeleteBucketIntelligentTieringConfigurationOutput;
        delete_bucket_inventory_configuration: DeleteBucketInventoryConfigurationInput -> DeleteBucketInventoryConfigurationOutput;
        delete_bucket_lifecycle: DeleteBucketLifecycleInput -> DeleteBucketLifecycleOutput;
        delete_bucket_metrics_configuration: DeleteBucketMetricsConfigurationInput -> DeleteBucketMetricsConfigurationOutput;
        delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput;
        delete_bucket_policy: DeleteBucketPolicyInput -> DeleteBucketPolicyOutput;
        delete_bucket_replication: DeleteBucketReplicationInput -> DeleteBucketReplicationOutput;
        get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput;
        delete_bucket_encryption: DeleteBucketEncryptionInput -> DeleteBucketEncryptionOutput;
        get_bucket_encryption: GetBucketEncryptionInput -> GetBucketEncryptionOutput;
        get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput;
        get_bucket_policy: GetBucketPolicyInput -> GetBucketPolicyOutput;
        delete_bucket_tagging: DeleteBucketTaggingInput -> DeleteBucketTaggingOutput;
        delete_bucket_website: DeleteBucketWebsiteInput -> DeleteBucketWebsiteOutput;
        delete_object_tagging: DeleteObjectTaggingInput -> DeleteObjectTaggingOutput;
        delete_public_access_block: DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput;
        get_bucket_accelerate_configuration: GetBucketAccelerateConfigurationInput -> GetBucketAccelerateConfigurationOutput;
        get_bucket_acl: GetBucketAclInput -> GetBucketAclOutput;
        get_bucket_analytics_configuration: GetBucketAnalyticsConfigurationInput -> GetBucketAnalyticsConfigurationOutput;
        get_bucket_cors: GetBucketCorsInput -> GetBucketCorsOutput;
        get_bucket_intelligent_tiering_configuration: GetBucketIntelligentTieringConfigurationInput -> GetBucketIntelligentTieringConfigurationOutput;
        get_bucket_inventory_configuration: GetBucketInventoryConfigurationInput -> GetBucketInventoryConfigurationOutput;
        get_bucket_logging: GetBucketLoggingInput -> GetBucketLoggingOutput;
        get_bucket_metrics_configuration: GetBucketMetricsConfigurationInput -> GetBucketMetricsConfigurationOutput;
        get_bucket_notification_configuration: GetBucketNotificationConfigurationInput -> GetBucketNotificationConfigurationOutput;
        get_bucket_ownership_controls: GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput;
        get_bucket_policy_status: GetBucketPolicyStatusInput -> GetBucketPolicyStatusOutput;
        get_bucket_replication: GetBucketReplicationInput -> GetBucketReplicationOutput;
        get_bucket_request_payment: GetBucketRequestPaymentInput -> GetBucketRequestPaymentOutput;
        get_bucket_tagging: GetBucketTaggingInput -> GetBucketTaggingOutput;
        get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput;
        get_bucket_website: GetBucketWebsiteInput -> GetBucketWebsiteOutput;
        get_object_acl: GetObjectAclInput -> GetObjectAclOutput;
        get_object_legal_hold: GetObjectLegalHoldInput -> GetObjectLegalHoldOutput;
        get_object_lock_configuration: GetObjectLockConfigurationInput -> GetObjectLockConfigurationOutput;
        get_object_retention: GetObjectRetentionInput -> GetObjectRetentionOutput;
        get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput;
        get_public_access_block: GetPublicAccessBlockInput -> GetPublicAccessBlockOutput;
        head_bucket: HeadBucketInput -> HeadBucketOutput;
    }
}

/// The bucket is missing or elsewhere, or what the request says of all keys is wrong.
fn refuses_all(error: &AwsError) -> bool {
    matches!(&*error.code, "NoSuchBucket" | "PermanentRedirect") || *error == AwsError::bypass_without_lock()
}

/// An upload that came as a form: the fields have become headers, the file is the body.
pub(crate) fn post_object(x: &Exchange, form: &Form) -> Result<Response<Content>, AwsError> {
    let head = x.begin(Op::PostObject)?;
    let written = x.perform(&head, decode::post_object(x, &head, form)?)?;
    Ok(encode::post_object(&head, form, &written))
}

/// Each key is an operation of its own: authorised alone, and its refusal is an entry of a 200 answer.
fn delete_objects(
    exchange: &Exchange,
    input: dto::DeleteObjectsInput,
) -> Result<dto::DeleteObjectsOutput, AwsError> {
    let head = exchange.begin(Op::DeleteObjects)?;
    let (objects, quiet) = decode::delete_objects(exchange, &head, input)?;
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for operation in objects {
        let DeleteObject { key, version_id, .. } = &operation;
        let (key, version_id) = (key.clone(), version_id.clone());
        let performed = match exchange.failing_key(&key) {
            Some(error) => Err(error),
            None => exchange.perform(&head, operation),
        };
        match performed {
            Ok(done) => deleted.push(encode::deleted(key, version_id, &done)),
            Err(error) if refuses_all(&error) => return Err(error),
            Err(error) => {
                // Of one key among many AWS does not say that its version id can be none.
                let version = version_id.as_deref().unwrap_or_default();
                let error = if error == AwsError::invalid_version_id(version) {
                    AwsError::no_such_version(&key, version)
                } else {
                    error
                };
                errors.push(encode::delete_error(key, version_id, &error));
            }
        }
    }
    Ok(dto::DeleteObjectsOutput {
        deleted: if quiet { None } else { Some(deleted) },
        errors: (!errors.is_empty()).then_some(errors),
        request_charged: None,
    })
}
