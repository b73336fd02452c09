//! Listings of objects and versions.

use jiff::Timestamp;
use s3s::dto;

use super::super::decode::token;
use super::{Names, algorithm_name, bucket, etag, kind, owner, storage_class, time};
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::list::{ListedObject, Page};
use crate::s3::list_versions::{ListedVersion, VersionsPage};
use crate::s3::restore::{self, RestoreState};
use crate::state::{Object, Version};

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

fn prefixes(names: &Names, common_prefixes: &[String]) -> Vec<dto::CommonPrefix> {
    common_prefixes.iter().map(|prefix| dto::CommonPrefix { prefix: Some(names.write(prefix)) }).collect()
}

pub(in crate::s3::codec) fn list_object_versions(
    x: &Exchange,
    head: &Head,
    page: VersionsPage,
) -> dto::ListObjectVersionsOutput {
    let names = Names::of(head);
    let VersionsPage { versions, common_prefixes, next, max_keys } = page;
    let is_truncated = next.is_some();
    let (next_key, next_version) = next.unzip();
    let now = wants_restores(head).then(|| x.clock.now());
    let mut objects = Vec::new();
    let mut markers = Vec::new();
    for ListedVersion { key, version, is_latest, owner: owner_id } in versions {
        let listed = |object: &Object| dto::ObjectVersion {
            checksum_algorithm: object.checksum.as_ref().map(|own| vec![algorithm_name(own.algorithm)]),
            checksum_type: object.checksum.as_ref().map(kind),
            e_tag: Some(etag(object.etag.as_str())),
            is_latest: Some(is_latest),
            key: Some(names.write(&key)),
            last_modified: Some(time(object.last_modified)),
            owner: Some(owner(&owner_id)),
            size: i64::try_from(object.content.len()).ok(),
            restore_status: now.and_then(|now| restore_status(object, now)),
            storage_class: Some(storage_class(&object.attributes.headers).into()),
            version_id: Some(object.version.as_str().to_owned()),
        };
        match &version {
            Version::Object(object) => objects.push(listed(object)),
            Version::Marker(marker) => markers.push(dto::DeleteMarkerEntry {
                is_latest: Some(is_latest),
                key: Some(names.write(&key)),
                last_modified: Some(time(marker.last_modified)),
                owner: Some(owner(&owner_id)),
                version_id: Some(marker.version.as_str().to_owned()),
            }),
        }
    }
    dto::ListObjectVersionsOutput {
        name: bucket(head),
        prefix: Some(names.write(head.parameter("prefix").unwrap_or_default())),
        delimiter: head.parameter("delimiter").filter(|d| !d.is_empty()).map(|d| names.write(d)),
        key_marker: Some(names.write(head.parameter("key-marker").unwrap_or_default())),
        version_id_marker: Some(head.parameter("version-id-marker").unwrap_or_default().to_owned()),
        next_key_marker: next_key.map(|key| names.write(&key)),
        next_version_id_marker: next_version.flatten().map(|version| version.as_str().to_owned()),
        max_keys: i32::try_from(max_keys).ok(),
        is_truncated: Some(is_truncated),
        encoding_type: names.encoding(),
        common_prefixes: Some(prefixes(&names, &common_prefixes)),
        versions: Some(objects),
        delete_markers: Some(markers),
        ..Default::default()
    }
}
