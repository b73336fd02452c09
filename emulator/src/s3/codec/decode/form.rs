//! Uploads by form.

use super::{Decoded, claims, write_settings};
use crate::exchange::{Address, Exchange};
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::conditions::WriteCondition;
use crate::s3::object::PutObject;
use crate::s3::post::Form;

pub(in crate::s3::codec) fn post_object(x: &Exchange, head: &Head, form: &Form) -> Decoded<PutObject> {
    let mut settings = write_settings(x, head);
    settings.tags = form.tags();
    let claims = claims(x, head)?;
    Ok(PutObject {
        has_digest: claims.is_any(),
        upload: claims.check(x.body.clone(), DigestForm::Hex),
        condition: WriteCondition::None,
        bucket: Address::of(head).bucket.unwrap_or_default(),
        key: form.key().to_owned(),
        settings,
    })
}
