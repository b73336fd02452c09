//! Listings of objects and versions.

use jiff::Timestamp;
use s3s::dto;

use super::super::decode::token;
use super::settings::answer;
use super::{Names, algorithm_name, bucket, etag, kind, owner, storage_class, time};
use crate::exchange::Exchange;
use crate::head::Head;
use crate::instant::with_zero_millis;
use crate::s3::document::Element;
use crate::s3::list::{ListedObject, Page};
use crate::s3::list_versions::{ListedVersion, VersionsPage};
use crate::s3::restore::{self, RestoreState};
use crate::state::{Object, Version, VersionId};

pub(in crate::s3::codec) fn list_objects(x: &Exchange, head: &Head, page: Page) -> dto::ListObjectsOutput {
    let names = Names::of(head);
    // AWS says where to go on only where a delimiter makes the last key no answer to that.
    let delimiter = head.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let next = page.next.as_deref().filter(|_| delimiter.is_some());
    dto::ListObjectsOutput {
        name: bucket(head),
        prefix: Some(names.write(head.parameter("prefix").unwrap_or_default())),
        marker: Some(names.write(head.parameter("marker").unwrap_or_default())),
        max_keys: i32::try_from(page.max_keys).ok(),
        is_truncated: Some(page.next.is_some()),
        delimiter: delimiter.map(|delimiter| names.write(delimiter)),
        next_marker: next.map(|next| names.write(next)),
        encoding_type: names.encoding(),
        common_prefixes: Some(prefixes(&names, &page.common_prefixes)),
        contents: Some(contents(x, head, &names, page, Owners::Shown)),
        ..Default::default()
    }
}

pub(in crate::s3::codec) fn list_objects_v2(
    x: &Exchange,
    head: &Head,
    page: Page,
) -> dto::ListObjectsV2Output {
    let names = Names::of(head);
    let continuation_token = head.parameter("continuation-token");
    let owners = match head.parameter("fetch-owner") {
        Some("true") => Owners::Shown,
        _ => Owners::Hidden,
    };
    let delimiter = head.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    dto::ListObjectsV2Output {
        name: bucket(head),
        prefix: Some(names.write(head.parameter("prefix").unwrap_or_default())),
        max_keys: i32::try_from(page.max_keys).ok(),
        key_count: i32::try_from(page.objects.len() + page.common_prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        delimiter: delimiter.map(|delimiter| names.write(delimiter)),
        continuation_token: continuation_token.map(str::to_owned),
        start_after: head
            .parameter("start-after")
            .filter(|_| continuation_token.is_none())
            .map(|start_after| names.write(start_after)),
        next_continuation_token: page.next.as_deref().map(token),
        encoding_type: names.encoding(),
        common_prefixes: Some(prefixes(&names, &page.common_prefixes)),
        contents: Some(contents(x, head, &names, page, owners)),
        ..Default::default()
    }
}

/// Whether a listing tells whose objects they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    Shown,
    Hidden,
}

fn contents(x: &Exchange, head: &Head, names: &Names, page: Page, owners: Owners) -> Vec<dto::Object> {
    x.answer_header("x-amz-bucket-region", &page.region);
    let now = wants_restores(head).then(|| x.clock.now());
    let list = page.objects.into_iter().map(|ListedObject { key, object, owner: owner_id }| dto::Object {
        checksum_algorithm: object.checksum.as_ref().map(|own| vec![algorithm_name(own.algorithm)]),
        checksum_type: object.checksum.as_ref().map(kind),
        e_tag: Some(etag(object.etag.as_str())),
        key: Some(names.write(&key)),
        last_modified: Some(time(object.last_modified)),
        owner: (owners == Owners::Shown).then(|| owner(&owner_id)),
        restore_status: now.and_then(|now| restore_status(&object, now)),
        size: i64::try_from(object.content.len()).ok(),
        storage_class: Some(storage_class(&object.attributes.headers).into()),
    });
    list.collect()
}

/// Whether the request asks for what became of restores.
fn wants_restores(head: &Head) -> bool {
    let attributes = head.header("x-amz-optional-object-attributes").unwrap_or_default();
    attributes.split(',').any(|attribute| attribute.trim() == "RestoreStatus")
}

fn restore_status(object: &Object, now: Timestamp) -> Option<dto::RestoreStatus> {
    let (is_ongoing, expires_at) = match restore::state_of(object, now) {
        RestoreState::None => return None,
        RestoreState::Ongoing => (true, None),
        RestoreState::Ready { expires_at } => (false, Some(expires_at)),
    };
    Some(dto::RestoreStatus {
        is_restore_in_progress: Some(is_ongoing),
        restore_expiry_date: expires_at.map(time),
    })
}

pub(super) fn prefixes(names: &Names, common_prefixes: &[String]) -> Vec<dto::CommonPrefix> {
    common_prefixes.iter().map(|prefix| dto::CommonPrefix { prefix: Some(names.write(prefix)) }).collect()
}

/// Written here, because AWS has versions and delete markers in one order, that of keys, and `s3s` has two lists.
#[expect(clippy::needless_pass_by_value, reason = "every answer is encoded from its value")]
pub(in crate::s3::codec) fn list_object_versions(
    x: &Exchange,
    head: &Head,
    page: VersionsPage,
) -> dto::ListObjectVersionsOutput {
    let names = Names::of(head);
    let now = wants_restores(head).then(|| x.clock.now());
    let name = |parameter: &str| names.write(head.parameter(parameter).unwrap_or_default());
    let (next_key, next_version) = match &page.next {
        Some((key, version)) => (Some(names.write(key)), version.as_ref()),
        None => (None, None),
    };
    let versions = page.versions.iter().map(|listed| version(listed, &names, now));
    let prefixes = page.common_prefixes.iter();
    let document = Element::new("ListVersionsResult")
        .with_text("Name", bucket(head).unwrap_or_default())
        .with_text("Prefix", name("prefix"))
        .with_text("KeyMarker", name("key-marker"))
        .with_text("VersionIdMarker", head.parameter("version-id-marker").unwrap_or_default())
        .with_some("NextKeyMarker", next_key)
        .with_some("NextVersionIdMarker", next_version.map(VersionId::as_str))
        .with_text("MaxKeys", page.max_keys.to_string())
        .with_some("Delimiter", head.parameter("delimiter").filter(|d| !d.is_empty()).map(|d| names.write(d)))
        .with_some("EncodingType", names.encoding().map(|_| "url"))
        .with_text("IsTruncated", page.next.is_some().to_string())
        .with_all(versions)
        .with_all(prefixes.map(|text| Element::new("CommonPrefixes").with_text("Prefix", names.write(text))));
    answer(x, &document);
    dto::ListObjectVersionsOutput::default()
}

fn version(listed: &ListedVersion, names: &Names, now: Option<Timestamp>) -> Element {
    let ListedVersion { key, version, is_latest, owner } = listed;
    let (name, last_modified) = match version {
        Version::Object(object) => ("Version", object.last_modified),
        Version::Marker(marker) => ("DeleteMarker", marker.last_modified),
    };
    let owner = Element::new("Owner").with_text("ID", owner.to_string());
    let element = Element::new(name)
        .with_text("Key", names.write(key))
        .with_text("VersionId", version.id().as_str())
        .with_text("IsLatest", is_latest.to_string())
        .with_text("LastModified", with_zero_millis(last_modified));
    let Version::Object(object) = version else { return element.with(owner) };
    let element = element
        .with_text("ETag", format!("\"{}\"", object.etag))
        .with_some("ChecksumAlgorithm", object.checksum.as_ref().map(|own| own.algorithm.name()))
        .with_some("ChecksumType", object.checksum.as_ref().map(|own| own.kind.name()))
        .with_text("Size", object.content.len().to_string())
        .with(owner)
        .with_text("StorageClass", storage_class(&object.attributes.headers));
    let restore = match now.map(|now| restore::state_of(object, now)) {
        None | Some(RestoreState::None) => return element,
        Some(RestoreState::Ongoing) => Element::new("RestoreStatus").with_text("IsRestoreInProgress", "true"),
        Some(RestoreState::Ready { expires_at }) => Element::new("RestoreStatus")
            .with_text("IsRestoreInProgress", "false")
            .with_text("RestoreExpiryDate", with_zero_millis(expires_at)),
    };
    element.with(restore)
}
