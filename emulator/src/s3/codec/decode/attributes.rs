//! Requests about the attributes of an object.

use s3s::dto;

use super::{Decoded, customer_key, requester};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::attributes::{Attribute, GetObjectAttributes, PartsQuery};

pub(in crate::s3::codec) fn get_object_attributes(
    x: &Exchange,
    head: &Head,
    input: dto::GetObjectAttributesInput,
) -> Decoded<GetObjectAttributes> {
    Ok(GetObjectAttributes {
        bucket: input.bucket,
        key: input.key,
        version_id: input.version_id,
        attributes: attributes(head),
        customer_key: customer_key(head),
        requester: requester(x),
        page: PartsQuery {
            max_parts: number(head, "x-amz-max-parts")?.unwrap_or(1000),
            after: number(head, "x-amz-part-number-marker")?
                .map_or(0, |marker| i32::try_from(marker).unwrap_or(i32::MAX)),
        },
    })
}

/// The header may come several times, each time with a list; white space does not matter (recorded).
///
/// That an unknown name is refused, and how, is what other servers took from AWS.
fn attributes(head: &Head) -> Decoded<Vec<Attribute>> {
    let values = head.headers.get_all("x-amz-object-attributes").iter();
    let names =
        values.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(AwsError::missing_object_attributes());
    }
    names
        .into_iter()
        .map(|name| {
            Attribute::parse(name).ok_or_else(|| {
                let text = "Invalid attribute name specified.";
                AwsError::invalid_argument(text, "x-amz-object-attributes", name)
            })
        })
        .collect()
}

fn number(head: &Head, name: &str) -> Decoded<Option<u32>> {
    let Some(value) = head.header(name) else { return Ok(None) };
    let parsed = value.parse::<i32>().ok().and_then(|number| u32::try_from(number).ok());
    parsed.map(Some).ok_or_else(|| {
        let text = format!("Argument {name} must be an integer between 0 and 2147483647");
        AwsError::invalid_argument(text, name, value)
    })
}
