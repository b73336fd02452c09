//! Answers about settings that travel as documents: a line for each.

use bucketproof_authz::{ObjectOwnership, PublicAccessBlock};
use s3s::dto;

use super::super::decode::token;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::acl::ShownAcl;
use crate::s3::bucket_encryption::EncryptionSetting;
use crate::s3::document::{Document, Element};
use crate::s3::listed::{ListedKind, ListedPage};
use crate::s3::policy::PolicyStatus;
use crate::s3::tagging::{ObjectTags, write_tags};
use crate::s3::{Acceleration, Cors, Logging, Notifications, Payer, Replication, Website};
use crate::state::{Tags, VersionId};

macro_rules! get {
    ($($name:ident: $setting:ty => $output:ident;)*) => {
        $(
            pub(in crate::s3::codec) fn $name(x: &Exchange, _: &Head, setting: $setting) -> dto::$output {
                answer(x, &setting.write());
                dto::$output::default()
            }
        )*
    };
}

macro_rules! done {
    ($($name:ident => $output:ident;)*) => {
        $(
            pub(in crate::s3::codec) fn $name(_: &Exchange, _: &Head, (): ()) -> dto::$output {
                dto::$output::default()
            }
        )*
    };
}

get! {
    get_bucket_accelerate_configuration: Acceleration => GetBucketAccelerateConfigurationOutput;
    get_bucket_acl: ShownAcl => GetBucketAclOutput;
    get_bucket_cors: Cors => GetBucketCorsOutput;
    get_bucket_logging: Logging => GetBucketLoggingOutput;
    get_bucket_notification_configuration: Notifications => GetBucketNotificationConfigurationOutput;
    get_bucket_ownership_controls: ObjectOwnership => GetBucketOwnershipControlsOutput;
    get_bucket_replication: Replication => GetBucketReplicationOutput;
    get_bucket_request_payment: Payer => GetBucketRequestPaymentOutput;
    get_bucket_encryption: EncryptionSetting => GetBucketEncryptionOutput;
    get_bucket_tagging: Tags => GetBucketTaggingOutput;
    get_bucket_website: Website => GetBucketWebsiteOutput;
    get_object_acl: ShownAcl => GetObjectAclOutput;
    get_public_access_block: PublicAccessBlock => GetPublicAccessBlockOutput;
}

done! {
    delete_bucket_analytics_configuration => DeleteBucketAnalyticsConfigurationOutput;
    delete_bucket_cors => DeleteBucketCorsOutput;
    delete_bucket_intelligent_tiering_configuration => DeleteBucketIntelligentTieringConfigurationOutput;
    delete_bucket_inventory_configuration => DeleteBucketInventoryConfigurationOutput;
    delete_bucket_metrics_configuration => DeleteBucketMetricsConfigurationOutput;
    delete_bucket_ownership_controls => DeleteBucketOwnershipControlsOutput;
    delete_bucket_replication => DeleteBucketReplicationOutput;
    put_bucket_encryption => PutBucketEncryptionOutput;
    delete_bucket_encryption => DeleteBucketEncryptionOutput;
    delete_bucket_tagging => DeleteBucketTaggingOutput;
    delete_bucket_website => DeleteBucketWebsiteOutput;
    delete_public_access_block => DeletePublicAccessBlockOutput;
    put_bucket_accelerate_configuration => PutBucketAccelerateConfigurationOutput;
    put_bucket_acl => PutBucketAclOutput;
    put_bucket_cors => PutBucketCorsOutput;
    put_bucket_logging => PutBucketLoggingOutput;
    put_bucket_notification_configuration => PutBucketNotificationConfigurationOutput;
    put_bucket_ownership_controls => PutBucketOwnershipControlsOutput;
    put_bucket_replication => PutBucketReplicationOutput;
    put_bucket_request_payment => PutBucketRequestPaymentOutput;
    put_bucket_website => PutBucketWebsiteOutput;
    put_object_acl => PutObjectAclOutput;
    put_public_access_block => PutPublicAccessBlockOutput;
}

/// `s3s` would leave out the name space.
pub(in crate::s3::codec) fn get_bucket_policy_status(
    x: &Exchange,
    _: &Head,
    status: PolicyStatus,
) -> dto::GetBucketPolicyStatusOutput {
    let is_public = status == PolicyStatus::Public;
    answer(x, &Element::new("PolicyStatus").with_text("IsPublic", is_public.to_string()));
    dto::GetBucketPolicyStatusOutput::default()
}

/// Most settings that are put are answered with 200, these with 204.
macro_rules! done_without_content {
    ($($name:ident => $output:ident;)*) => {
        $(
            pub(in crate::s3::codec) fn $name(x: &Exchange, _: &Head, (): ()) -> dto::$output {
                x.answer_status(http::StatusCode::NO_CONTENT);
                dto::$output::default()
            }
        )*
    };
}

done_without_content! {
    put_bucket_analytics_configuration => PutBucketAnalyticsConfigurationOutput;
    put_bucket_intelligent_tiering_configuration => PutBucketIntelligentTieringConfigurationOutput;
    put_bucket_inventory_configuration => PutBucketInventoryConfigurationOutput;
    put_bucket_metrics_configuration => PutBucketMetricsConfigurationOutput;
    put_bucket_tagging => PutBucketTaggingOutput;
}

macro_rules! listed {
    ($($kind:ident: $get:ident -> $get_output:ident, $list:ident -> $list_output:ident;)*) => {
        $(
            pub(in crate::s3::codec) fn $get(x: &Exchange, _: &Head, document: Element) -> dto::$get_output {
                answer(x, &document);
                dto::$get_output::default()
            }

            pub(in crate::s3::codec) fn $list(x: &Exchange, head: &Head, page: ListedPage) -> dto::$list_output {
                answer(x, &listing(ListedKind::$kind, head, page));
                dto::$list_output::default()
            }
        )*
    };
}

listed! {
    Analytics: get_bucket_analytics_configuration -> GetBucketAnalyticsConfigurationOutput,
        list_bucket_analytics_configurations -> ListBucketAnalyticsConfigurationsOutput;
    IntelligentTiering: get_bucket_intelligent_tiering_configuration -> GetBucketIntelligentTieringConfigurationOutput,
        list_bucket_intelligent_tiering_configurations -> ListBucketIntelligentTieringConfigurationsOutput;
    Inventory: get_bucket_inventory_configuration -> GetBucketInventoryConfigurationOutput,
        list_bucket_inventory_configurations -> ListBucketInventoryConfigurationsOutput;
    Metrics: get_bucket_metrics_configuration -> GetBucketMetricsConfigurationOutput,
        list_bucket_metrics_configurations -> ListBucketMetricsConfigurationsOutput;
}

fn listing(kind: ListedKind, head: &Head, page: ListedPage) -> Element {
    let ListedPage { documents, next } = page;
    Element::new(kind.list_root())
        .with_all(documents)
        .with_text("IsTruncated", next.is_some().to_string())
        .with_some("ContinuationToken", head.parameter("continuation-token"))
        .with_some("NextContinuationToken", next.as_deref().map(token))
}

pub(in crate::s3::codec) fn get_object_tagging(
    x: &Exchange,
    _: &Head,
    ObjectTags { tags, version }: ObjectTags,
) -> dto::GetObjectTaggingOutput {
    answer(x, &write_tags(&tags));
    dto::GetObjectTaggingOutput { version_id: version.map(VersionId::into_text), ..Default::default() }
}

pub(in crate::s3::codec) fn put_object_tagging(
    _: &Exchange,
    _: &Head,
    version: Option<VersionId>,
) -> dto::PutObjectTaggingOutput {
    dto::PutObjectTaggingOutput { version_id: version.map(VersionId::into_text) }
}

pub(in crate::s3::codec) fn delete_object_tagging(
    _: &Exchange,
    _: &Head,
    version: Option<VersionId>,
) -> dto::DeleteObjectTaggingOutput {
    dto::DeleteObjectTaggingOutput { version_id: version.map(VersionId::into_text) }
}

/// Answers with a document instead of what `s3s` would write.
pub(super) fn answer(x: &Exchange, document: &Element) {
    x.answer_header("content-type", "application/xml");
    x.answer_document(bytes::Bytes::from(document.document()));
}
