//! Who signed the policy of a form, both signature versions.
//!
//! Version 2 is taken where presigned URLs of Version 2 are: recorded answers of 2026 show that AWS verifies it there.

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::payload::Payload;
use super::sigv4::{self, ALGORITHM, Credential};
use super::{Authenticated, Carrier, Verifier, sigv2};
use crate::addressing;
use crate::error::AwsError;
use crate::head::Head;
use crate::instant;
use crate::s3::Form;
use crate::service::Service;
use crate::state::Accounts;

/// The fields of Version 4, as forms write and as AWS names them.
const VERSION_4: [(&str, &str); 4] = [
    ("x-amz-signature", "X-Amz-Signature"),
    ("x-amz-algorithm", "X-Amz-Algorithm"),
    ("x-amz-credential", "X-Amz-Credential"),
    ("x-amz-date", "X-Amz-Date"),
];
/// The fields of Version 2.
const VERSION_2: [(&str, &str); 2] = [("signature", "Signature"), ("awsaccesskeyid", "AWSAccessKeyId")];

/// Authenticates a form; one without policy and signature comes from nobody.
pub(crate) fn authenticate_form(
    form: &Form,
    head: &Head,
    accounts: &Accounts,
    now: Timestamp,
) -> Result<Authenticated, AwsError> {
    let verifier = Verifier { head, service: &Service::S3, accounts, now };
    let has_any = |fields: &[(&str, &str)]| fields.iter().any(|(name, _)| form.field(name).is_some());
    let policy = form.field("policy");
    let complete = |fields: &[(&str, &'static str)]| {
        let missing = fields.iter().find(|(name, _)| form.field(name).is_none());
        missing.map_or(Ok(()), |(_, name)| Err(AwsError::missing_form_field(name)))
    };
    if has_any(&VERSION_4) {
        complete(&VERSION_4)?;
        version_4(&verifier, form, policy.ok_or_else(|| AwsError::missing_form_field("policy"))?)
    } else if has_any(&VERSION_2) {
        complete(&VERSION_2)?;
        version_2(&verifier, form, policy.ok_or_else(|| AwsError::missing_form_field("policy"))?)
    } else if policy.is_some() {
        Err(AwsError::access_denied("Access Denied"))
    } else {
        Ok(Authenticated::anonymous())
    }
}

fn version_4(verifier: &Verifier<'_>, form: &Form, policy: &str) -> Result<Authenticated, AwsError> {
    let field = |name: &str| form.field(name).unwrap_or_default();
    let text = field("x-amz-credential");
    let refuse = |defect: String| AwsError::invalid_argument(defect, "X-Amz-Credential", text);
    if field("x-amz-algorithm") != ALGORITHM {
        let text = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"";
        return Err(AwsError::invalid_argument(text, "X-Amz-Algorithm", field("x-amz-algorithm")));
    }
    let credential = Credential::parse(text).ok_or_else(|| {
        refuse(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
                .to_owned(),
        )
    })?;
    let (region, service) = (&credential.scope.region, &credential.scope.service);
    if let Some(wanted) = addressing::region_in_host(verifier.head.host()).filter(|wanted| wanted != region) {
        let defect = format!(
            "Error parsing the X-Amz-Credential parameter; the region '{region}' is wrong; expecting '{wanted}'"
        );
        return Err(refuse(defect).with("Region", wanted));
    }
    if service != "s3" {
        return Err(refuse(format!(
            "Error parsing the X-Amz-Credential parameter; incorrect service \"{service}\". This endpoint belongs to \
             \"s3\"."
        )));
    }
    let signed_at = instant::parse_basic(field("x-amz-date")).ok_or_else(|| {
        let text = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
        AwsError::invalid_argument(text, "X-Amz-Date", field("x-amz-date"))
    })?;
    let key = verifier.key(&credential.access_key_id, form.field("x-amz-security-token"))?;
    let signing_key = key.secret.signing_key(&credential.scope);
    let computed = sigv4::hex_of(&sigv4::hmac_sha256(&signing_key, policy.as_bytes()));
    let signature = field("x-amz-signature");
    let date_matches = field("x-amz-date").starts_with(credential.scope.date.as_str());
    if !date_matches || !bool::from(computed.as_bytes().ct_eq(signature.as_bytes())) {
        return Err(verifier.mismatch(&credential.access_key_id, policy, signature, None));
    }
    verifier.check_no_token(form.field("x-amz-security-token"), key)?;
    Ok(Authenticated {
        caller: verifier.caller(key)?,
        carrier: Some(Carrier::Post),
        region: Some(credential.scope.region),
        signed_at: Some(signed_at),
        payload: Payload::Unsigned,
    })
}

fn version_2(verifier: &Verifier<'_>, form: &Form, policy: &str) -> Result<Authenticated, AwsError> {
    let field = |name: &str| form.field(name).unwrap_or_default();
    let id = field("awsaccesskeyid");
    let key = verifier.key(id, form.field("x-amz-security-token"))?;
    let computed = sigv2::sign(key.secret.expose(), policy);
    let signature = field("signature");
    if !bool::from(computed.as_bytes().ct_eq(signature.as_bytes())) {
        return Err(verifier.mismatch(id, policy, signature, None));
    }
    verifier.check_no_token(form.field("x-amz-security-token"), key)?;
    Ok(Authenticated {
        caller: verifier.caller(key)?,
        carrier: Some(Carrier::PostV2),
        region: None,
        signed_at: None,
        payload: Payload::Unsigned,
    })
}
