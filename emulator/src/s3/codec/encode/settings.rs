//! Answers about settings that travel as documents: a line for each.

use s3s::dto;

use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::document::{Document, Element};
use crate::s3::tagging::{ObjectTags, write_tags};
use crate::state::{Content, Tags, VersionId};

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
    get_bucket_tagging: Tags => GetBucketTaggingOutput;
}

done! {
    delete_bucket_tagging => DeleteBucketTaggingOutput;
}

/// Alone among the settings that are put, tags are answered with 204.
pub(in crate::s3::codec) fn put_bucket_tagging(
    x: &Exchange,
    _: &Head,
    (): (),
) -> dto::PutBucketTaggingOutput {
    x.answer_status(http::StatusCode::NO_CONTENT);
    dto::PutBucketTaggingOutput::default()
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
fn answer(x: &Exchange, document: &Element) {
    x.answer_header("content-type", "application/xml");
    x.answer_content(Content::from(bytes::Bytes::from(document.document())));
}
