//! Answers about the attributes of an object.

use s3s::dto;

use super::{answer, storage_class, time};
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::attributes::{Attribute, Described, Parts};
use crate::s3::checksum::Checksum;
use crate::s3::document::Element;

/// The elements stand in AWS's order, and the entity tag without quotes.
pub(in crate::s3::codec) fn get_object_attributes(
    x: &Exchange,
    _: &Head,
    described: Described,
) -> dto::GetObjectAttributesOutput {
    let Described { object, version, attributes, parts } = described;
    let wanted = |attribute: Attribute| attributes.contains(&attribute).then_some(());
    let checksum = object.checksum.as_ref().map(|checksum| {
        with_checksum(Element::new("Checksum"), checksum).with_text("ChecksumType", checksum.kind.name())
    });
    let document = Element::new("GetObjectAttributesResponse")
        .with_some("ETag", wanted(Attribute::ETag).map(|()| object.etag.as_str()))
        .with_all(wanted(Attribute::Checksum).and(checksum))
        .with_all(wanted(Attribute::ObjectParts).and(parts.as_ref()).map(object_parts))
        .with_some(
            "StorageClass",
            wanted(Attribute::StorageClass).map(|()| storage_class(&object.attributes.headers)),
        )
        .with_some("ObjectSize", wanted(Attribute::ObjectSize).map(|()| object.content.len().to_string()));
    answer(x, &document);
    dto::GetObjectAttributesOutput {
        last_modified: Some(time(object.last_modified)),
        version_id: version.map(|version| version.as_str().to_owned()),
        ..Default::default()
    }
}

/// Here, and only here, a composite has no number of parts behind it (recorded).
fn with_checksum(element: Element, checksum: &Checksum) -> Element {
    element.with_text(&format!("Checksum{}", checksum.algorithm.name()), checksum.bare_value())
}

fn object_parts(parts: &Parts) -> Element {
    let element = Element::new("ObjectParts").with_text("PartsCount", parts.count.to_string());
    let Some(page) = &parts.page else { return element };
    let part = |(number, bytes, checksum): &(i32, u64, Option<Checksum>)| {
        let part = Element::new("Part")
            .with_text("PartNumber", number.to_string())
            .with_text("Size", bytes.to_string());
        match checksum {
            Some(checksum) => with_checksum(part, checksum),
            None => part,
        }
    };
    element
        .with_text("PartNumberMarker", page.query.after.to_string())
        .with_text("NextPartNumberMarker", page.last().to_string())
        .with_text("MaxParts", page.query.max_parts.to_string())
        .with_text("IsTruncated", page.truncated.to_string())
        .with_all(page.parts.iter().map(part))
}
