//! Requests about settings that travel as documents: a line for each.

use std::marker::PhantomData;

use bucketproof_authz::{ObjectOwnership, PublicAccessBlock};
use s3s::dto;

use super::{Decoded, claims, parse_token};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::bucket_encryption::EncryptionSetting;
use crate::s3::checksum::DigestForm;
use crate::s3::configuration::{DeleteConfiguration, GetConfiguration, PutConfiguration};
use crate::s3::document::Document;
use crate::s3::listed::{
    Analytics, DeleteListed, GetListed, IntelligentTiering, Inventory, ListListed, Listed as _, ListedRef,
    Metrics, PutListed,
};
use crate::s3::{Acceleration, Cors, Logging, Notifications, Payer, Replication, Website};
use crate::state::Tags;

/// Whether AWS wants a checksum of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    Always,
    /// What comes along has to be right.
    IfSent,
}

macro_rules! get {
    ($($name:ident: $input:ident => $setting:ty;)*) => {
        $(
            pub(in crate::s3::codec) fn $name(
                _: &Exchange,
                _: &Head,
                input: dto::$input,
            ) -> GetConfiguration<$setting> {
                GetConfiguration::of(input.bucket)
            }
        )*
    };
}

macro_rules! put {
    ($($name:ident: $input:ident => $setting:ty, $checked:expr;)*) => {
        $(
            pub(in crate::s3::codec) fn $name(
                x: &Exchange,
                head: &Head,
                input: dto::$input,
            ) -> Decoded<PutConfiguration<$setting>> {
                check_body(x, head, $checked)?;
                Ok(PutConfiguration::of(input.bucket, Document::parse(&x.body)))
            }
        )*
    };
}

macro_rules! delete {
    ($($name:ident: $input:ident => $setting:ty;)*) => {
        $(
            pub(in crate::s3::codec) fn $name(
                _: &Exchange,
                _: &Head,
                input: dto::$input,
            ) -> DeleteConfiguration<$setting> {
                DeleteConfiguration::of(input.bucket)
            }
        )*
    };
}

get! {
    get_bucket_accelerate_configuration: GetBucketAccelerateConfigurationInput => Acceleration;
    get_bucket_cors: GetBucketCorsInput => Cors;
    get_bucket_logging: GetBucketLoggingInput => Logging;
    get_bucket_notification_configuration: GetBucketNotificationConfigurationInput => Notifications;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput => ObjectOwnership;
    get_bucket_replication: GetBucketReplicationInput => Replication;
    get_bucket_request_payment: GetBucketRequestPaymentInput => Payer;
    get_bucket_encryption: GetBucketEncryptionInput => EncryptionSetting;
    get_bucket_tagging: GetBucketTaggingInput => Tags;
    get_bucket_website: GetBucketWebsiteInput => Website;
    get_public_access_block: GetPublicAccessBlockInput => PublicAccessBlock;
}

put! {
    put_bucket_accelerate_configuration: PutBucketAccelerateConfigurationInput => Acceleration, Checked::IfSent;
    put_bucket_cors: PutBucketCorsInput => Cors, Checked::Always;
    put_bucket_logging: PutBucketLoggingInput => Logging, Checked::IfSent;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput => ObjectOwnership, Checked::IfSent;
    put_bucket_replication: PutBucketReplicationInput => Replication, Checked::IfSent;
    put_bucket_request_payment: PutBucketRequestPaymentInput => Payer, Checked::IfSent;
    put_bucket_encryption: PutBucketEncryptionInput => EncryptionSetting, Checked::IfSent;
    put_bucket_tagging: PutBucketTaggingInput => Tags, Checked::Always;
    put_bucket_website: PutBucketWebsiteInput => Website, Checked::IfSent;
    put_public_access_block: PutPublicAccessBlockInput => PublicAccessBlock, Checked::IfSent;
}

delete! {
    delete_bucket_cors: DeleteBucketCorsInput => Cors;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput => ObjectOwnership;
    delete_bucket_replication: DeleteBucketReplicationInput => Replication;
    delete_bucket_encryption: DeleteBucketEncryptionInput => EncryptionSetting;
    delete_bucket_tagging: DeleteBucketTaggingInput => Tags;
    delete_bucket_website: DeleteBucketWebsiteInput => Website;
    delete_public_access_block: DeletePublicAccessBlockInput => PublicAccessBlock;
}

pub(in crate::s3::codec) fn put_bucket_notification_configuration(
    x: &Exchange,
    head: &Head,
    input: dto::PutBucketNotificationConfigurationInput,
) -> Decoded<PutConfiguration<Notifications>> {
    check_body(x, head, Checked::IfSent)?;
    let skips = head
        .header("x-amz-skip-destination-validation")
        .is_some_and(|skips| skips.eq_ignore_ascii_case("true"));
    let notifications = Notifications::parse(&x.body)
        .map(|parsed| if skips { parsed.skipping_destinations() } else { parsed });
    Ok(PutConfiguration::of(input.bucket, notifications))
}

macro_rules! listed {
    ($($kind:ident:
        $get:ident $get_input:ident, $put:ident $put_input:ident,
        $delete:ident $delete_input:ident, $list:ident $list_input:ident;)*) => {
        $(
            pub(in crate::s3::codec) fn $get(
                _: &Exchange,
                _: &Head,
                input: dto::$get_input,
            ) -> GetListed<$kind> {
                GetListed { of: ListedRef { bucket: input.bucket, id: input.id }, kind: PhantomData }
            }

            pub(in crate::s3::codec) fn $put(
                x: &Exchange,
                head: &Head,
                input: dto::$put_input,
            ) -> Decoded<PutListed<$kind>> {
                check_body(x, head, Checked::IfSent)?;
                let document = $kind::KIND.parse(&x.body, &input.id);
                let of = ListedRef { bucket: input.bucket, id: input.id };
                Ok(PutListed { of, kind: PhantomData, document })
            }

            pub(in crate::s3::codec) fn $delete(
                _: &Exchange,
                _: &Head,
                input: dto::$delete_input,
            ) -> DeleteListed<$kind> {
                DeleteListed { of: ListedRef { bucket: input.bucket, id: input.id }, kind: PhantomData }
            }

            pub(in crate::s3::codec) fn $list(
                _: &Exchange,
                _: &Head,
                input: dto::$list_input,
            ) -> Decoded<ListListed<$kind>> {
                let after = input.continuation_token.as_deref().map(parse_token).transpose()?;
                Ok(ListListed { bucket: input.bucket, after, kind: PhantomData })
            }
        )*
    };
}

listed! {
    Analytics:
        get_bucket_analytics_configuration GetBucketAnalyticsConfigurationInput,
        put_bucket_analytics_configuration PutBucketAnalyticsConfigurationInput,
        delete_bucket_analytics_configuration DeleteBucketAnalyticsConfigurationInput,
        list_bucket_analytics_configurations ListBucketAnalyticsConfigurationsInput;
    IntelligentTiering:
        get_bucket_intelligent_tiering_configuration GetBucketIntelligentTieringConfigurationInput,
        put_bucket_intelligent_tiering_configuration PutBucketIntelligentTieringConfigurationInput,
        delete_bucket_intelligent_tiering_configuration DeleteBucketIntelligentTieringConfigurationInput,
        list_bucket_intelligent_tiering_configurations ListBucketIntelligentTieringConfigurationsInput;
    Inventory:
        get_bucket_inventory_configuration GetBucketInventoryConfigurationInput,
        put_bucket_inventory_configuration PutBucketInventoryConfigurationInput,
        delete_bucket_inventory_configuration DeleteBucketInventoryConfigurationInput,
        list_bucket_inventory_configurations ListBucketInventoryConfigurationsInput;
    Metrics:
        get_bucket_metrics_configuration GetBucketMetricsConfigurationInput,
        put_bucket_metrics_configuration PutBucketMetricsConfigurationInput,
        delete_bucket_metrics_configuration DeleteBucketMetricsConfigurationInput,
        list_bucket_metrics_configurations ListBucketMetricsConfigurationsInput;
}

pub(super) fn check_body(x: &Exchange, head: &Head, checked: Checked) -> Decoded<()> {
    let claims = claims(x, head)?;
    if checked == Checked::Always && claims.content_md5.is_none() && claims.checksums.is_empty() {
        return Err(AwsError::missing_body_checksum());
    }
    claims.check(x.body.clone(), DigestForm::Hex).map(|_| ())
}
