//! Requests about settings that travel as documents: a line for each.

use s3s::dto;

use super::{Decoded, claims};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::configuration::{DeleteConfiguration, GetConfiguration, PutConfiguration};
use crate::s3::document::Document;
use crate::state::Tags;

/// Whether AWS wants a checksum of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checked {
    Always,
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
    get_bucket_tagging: GetBucketTaggingInput => Tags;
}

put! {
    put_bucket_tagging: PutBucketTaggingInput => Tags, Checked::Always;
}

delete! {
    delete_bucket_tagging: DeleteBucketTaggingInput => Tags;
}

fn check_body(x: &Exchange, head: &Head, checked: Checked) -> Decoded<()> {
    let claims = claims(x, head)?;
    if checked == Checked::Always && claims.content_md5.is_none() && claims.checksums.is_empty() {
        return Err(AwsError::missing_body_checksum());
    }
    claims.check(x.body.clone(), DigestForm::Hex).map(|_| ())
}
