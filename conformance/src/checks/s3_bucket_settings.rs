//! Settings of buckets: tags, CORS, lifecycle, notifications.

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, CorsConfiguration, CorsRule, Event, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, NotificationConfiguration, TopicConfiguration,
};
use bucketproof_emulator::{Fault, Op};
use bytes::Bytes;
use http::{Request, StatusCode};

use super::anywhere;
use super::refusal::refused;
use super::s3_object_settings::{owned, tags};
use crate::check::{Area, Capability, Check};
use crate::outcome::{Conclusion, Stop};
use crate::stage::Ground;
use crate::step::step;

#[expect(clippy::too_many_lines, reason = "a table of checks")]
pub(super) fn checks() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Bucket,
            "s3.bucket-tagging.none",
            "a bucket without tags is 404 NoSuchTagSet",
            "S3 API Reference, GetBucketTagging",
            &[Capability::BucketTagging],
            Fault::on(Op::GetBucketTagging).status(StatusCode::OK).body("<Tagging><TagSet/></Tagging>"),
            no_bucket_tags,
        ),
        anywhere(
            Area::S3Bucket,
            "s3.bucket-tagging.round-trip",
            "the tags of a bucket are read back as they were put",
            "S3 API Reference, PutBucketTagging",
            &[Capability::BucketTagging],
            Fault::on(Op::GetBucketTagging).body("<Tagging><TagSet/></Tagging>"),
            bucket_tags,
        ),
        anywhere(
            Area::S3Cors,
            "s3.cors.none",
            "a bucket without CORS rules is 404 NoSuchCORSConfiguration",
            "S3 API Reference, GetBucketCors",
            &[Capability::Cors],
            Fault::on(Op::GetBucketCors).status(StatusCode::OK).body("<CORSConfiguration/>"),
            no_cors,
        ),
        anywhere(
            Area::S3Cors,
            "s3.cors.round-trip",
            "CORS rules are read back as they were put",
            "S3 API Reference, PutBucketCors",
            &[Capability::Cors],
            Fault::on(Op::GetBucketCors).body("<CORSConfiguration/>"),
            cors,
        ),
        anywhere(
            Area::S3Cors,
            "s3.cors.preflight.allowed",
            "a preflight request that a rule covers is told what it may do",
            "S3 User Guide, Using cross-origin resource sharing (CORS)",
            &[Capability::Cors],
            Fault::on(Op::PreflightRequest).without_header("access-control-allow-origin"),
            preflight_allowed,
        ),
        anywhere(
            Area::S3Cors,
            "s3.cors.preflight.forbidden",
            "a preflight request of an origin that no rule names is 403",
            "S3 User Guide, Using cross-origin resource sharing (CORS)",
            &[Capability::Cors],
            Fault::on(Op::PreflightRequest).status(StatusCode::OK),
            preflight_forbidden,
        ),
        anywhere(
            Area::S3Lifecycle,
            "s3.lifecycle.none",
            "a bucket without lifecycle rules is 404 NoSuchLifecycleConfiguration",
            "S3 API Reference, GetBucketLifecycleConfiguration",
            &[Capability::Lifecycle],
            Fault::on(Op::GetBucketLifecycleConfiguration)
                .status(StatusCode::OK)
                .body("<LifecycleConfiguration/>"),
            no_lifecycle,
        ),
        anywhere(
            Area::S3Lifecycle,
            "s3.lifecycle.round-trip",
            "lifecycle rules are read back as they were put",
            "S3 API Reference, PutBucketLifecycleConfiguration",
            &[Capability::Lifecycle],
            Fault::on(Op::GetBucketLifecycleConfiguration).body("<LifecycleConfiguration/>"),
            lifecycle,
        ),
        anywhere(
            Area::S3Lifecycle,
            "s3.lifecycle.deleted",
            "deleted lifecycle rules are gone",
            "S3 API Reference, DeleteBucketLifecycle",
            &[Capability::Lifecycle],
            Fault::on(Op::DeleteBucketLifecycle).refuse(StatusCode::NO_CONTENT, "Ignored", ""),
            lifecycle_deleted,
        ),
        anywhere(
            Area::S3Lifecycle,
            "s3.lifecycle.rule-without-action",
            "a lifecycle rule that does nothing is refused",
            "S3 API Reference, PutBucketLifecycleConfiguration",
            &[Capability::Lifecycle],
            Fault::on(Op::PutBucketLifecycleConfiguration).status(StatusCode::OK),
            lifecycle_without_action,
        ),
        anywhere(
            Area::Events,
            "events.none",
            "a bucket without notifications has an empty configuration",
            "S3 API Reference, GetBucketNotificationConfiguration",
            &[Capability::Notifications],
            Fault::on(Op::GetBucketNotificationConfiguration)
                .body("<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>"),
            no_notifications,
        ),
        anywhere(
            Area::Events,
            "events.unknown-event",
            "a notification of an event that does not exist is refused",
            "S3 API Reference, PutBucketNotificationConfiguration",
            &[Capability::Notifications],
            Fault::on(Op::PutBucketNotificationConfiguration).status(StatusCode::OK),
            unknown_event,
        ),
    ]
}

async fn no_bucket_tags(ground: Ground) -> Conclusion {
    let found = ground.s3().get_bucket_tagging().bucket(ground.bucket()).send().await;
    refused("ask for the tags", "404 NoSuchTagSet", found).map(drop)
}

async fn bucket_tags(ground: Ground) -> Conclusion {
    let pairs = [("owner", "tests")];
    let put = ground.s3().put_bucket_tagging().bucket(ground.bucket()).tagging(tags(&pairs)?).send().await;
    step("put tags").succeeds("204", put)?;
    let found = ground.s3().get_bucket_tagging().bucket(ground.bucket()).send().await;
    let found = step("get the tags").succeeds("tags", found)?;
    let tags: Vec<_> =
        found.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    step("the tags").equal(&owned(&pairs), &tags)
}

async fn no_cors(ground: Ground) -> Conclusion {
    let found = ground.s3().get_bucket_cors().bucket(ground.bucket()).send().await;
    refused("ask for the rules", "404 NoSuchCORSConfiguration", found).map(drop)
}

async fn put_cors(ground: &Ground) -> Conclusion {
    let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("https://app.example.com").build();
    let rules = rule.and_then(|rule| CorsConfiguration::builder().cors_rules(rule).build());
    let rules = step("make a rule").works(rules)?;
    let put = ground.s3().put_bucket_cors().bucket(ground.bucket()).cors_configuration(rules).send().await;
    step("put the rule").succeeds("200", put).map(drop)
}

async fn cors(ground: Ground) -> Conclusion {
    put_cors(&ground).await?;
    let found = ground.s3().get_bucket_cors().bucket(ground.bucket()).send().await;
    let found = step("get the rules").succeeds("rules", found)?;
    let origins: Vec<&[String]> = found.cors_rules().iter().map(CorsRule::allowed_origins).collect();
    step("the origins").equal(&[&["https://app.example.com".to_owned()][..]][..], &origins[..])
}

async fn preflight(ground: &Ground, origin: &str) -> Result<http::Response<Bytes>, Stop> {
    put_cors(ground).await?;
    let request = Request::options(ground.url(&format!("/{}/hello.txt", ground.bucket())))
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .body(Bytes::new());
    let request = step("make a preflight request").works(request)?;
    ground.send("send it", request).await
}

async fn preflight_allowed(ground: Ground) -> Conclusion {
    let answer = preflight(&ground, "https://app.example.com").await?;
    step("the status").equal(&200, &answer.status().as_u16())?;
    let origin = answer.headers().get("access-control-allow-origin");
    step("the origin that may")
        .equal(&Some("https://app.example.com"), &origin.and_then(|one| one.to_str().ok()))
}

async fn preflight_forbidden(ground: Ground) -> Conclusion {
    let answer = preflight(&ground, "https://other.example.com").await?;
    step("the status").equal(&403, &answer.status().as_u16())
}

async fn no_lifecycle(ground: Ground) -> Conclusion {
    let found = ground.s3().get_bucket_lifecycle_configuration().bucket(ground.bucket()).send().await;
    refused("ask for the rules", "404 NoSuchLifecycleConfiguration", found).map(drop)
}

fn rule(expiration: Option<i32>) -> Result<BucketLifecycleConfiguration, Stop> {
    let rule = LifecycleRule::builder()
        .id("old-logs")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("logs/").build())
        .set_expiration(expiration.map(|days| LifecycleExpiration::builder().days(days).build()))
        .build();
    let rules = rule.and_then(|rule| BucketLifecycleConfiguration::builder().rules(rule).build());
    step("make a rule").works(rules)
}

async fn put_lifecycle(ground: &Ground) -> Conclusion {
    let put = ground.s3().put_bucket_lifecycle_configuration().bucket(ground.bucket());
    let put = put.lifecycle_configuration(rule(Some(30))?).send().await;
    step("put the rule").succeeds("200", put).map(drop)
}

async fn lifecycle(ground: Ground) -> Conclusion {
    put_lifecycle(&ground).await?;
    let found = ground.s3().get_bucket_lifecycle_configuration().bucket(ground.bucket()).send().await;
    let found = step("get the rules").succeeds("rules", found)?;
    let days: Vec<Option<i32>> =
        found.rules().iter().map(|rule| rule.expiration().and_then(LifecycleExpiration::days)).collect();
    step("the days").equal(&[Some(30)][..], &days[..])
}

async fn lifecycle_deleted(ground: Ground) -> Conclusion {
    put_lifecycle(&ground).await?;
    let deleted = ground.s3().delete_bucket_lifecycle().bucket(ground.bucket()).send().await;
    step("delete the rules").succeeds("204", deleted)?;
    no_lifecycle(ground).await
}

async fn lifecycle_without_action(ground: Ground) -> Conclusion {
    let put = ground.s3().put_bucket_lifecycle_configuration().bucket(ground.bucket());
    let put = put.lifecycle_configuration(rule(None)?).send().await;
    refused("put a rule without an action", "400 InvalidRequest", put).map(drop)
}

async fn no_notifications(ground: Ground) -> Conclusion {
    let found = ground.s3().get_bucket_notification_configuration().bucket(ground.bucket()).send().await;
    let found = step("ask for the notifications").succeeds("a configuration", found)?;
    let number = found.topic_configurations().len()
        + found.queue_configurations().len()
        + found.lambda_function_configurations().len();
    step("the number of destinations").equal(&0, &number)?;
    step("no event bridge").equal(&true, &found.event_bridge_configuration().is_none())
}

async fn unknown_event(ground: Ground) -> Conclusion {
    let topic = TopicConfiguration::builder()
        .topic_arn("arn:aws:sns:us-east-1:111122223333:nobody")
        .events(Event::from("s3:ObjectImagined:*"))
        .build();
    let topic = step("make a configuration").works(topic)?;
    let configuration = NotificationConfiguration::builder().topic_configurations(topic).build();
    let put = ground.s3().put_bucket_notification_configuration().bucket(ground.bucket());
    let put = put.notification_configuration(configuration).send().await;
    let step = step("put a notification of `s3:ObjectImagined:*`");
    let error = step.refuses("a refusal with 400", put)?;
    let status = error.raw_response().map(|response| response.status().as_u16());
    step.equal(&Some(400), &status)
}
