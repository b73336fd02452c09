//! Who the connector is, in TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::secrets::{CsvColumn, RawKeyId, RawSecret};
use super::{AuthConfig, BaseConfig, KeyPlaces, SecretPlace};
use crate::credentials::AmbientSource;
use crate::document::{Document, DocumentError};
use crate::profile::AuthMode;
use crate::secret::Secret;

/// Bounds of a role session (STS API reference, AssumeRole, DurationSeconds).
const SESSION_SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAuth {
    mode: Spanned<AuthMode>,
    role_arn: Option<Spanned<String>>,
    external_id: Option<Spanned<String>>,
    session_seconds: Option<Spanned<u64>>,
    access_key_id: Option<Spanned<RawKeyId>>,
    secret_access_key: Option<Spanned<RawSecret>>,
    session_token: Option<Spanned<RawSecret>>,
    credentials_csv: Option<Spanned<PathBuf>>,
    aws_profile: Option<Spanned<String>>,
    key_created: Option<Spanned<String>>,
}

pub(crate) fn auth(
    document: &Document<'_>,
    mut raw: RawAuth,
    directory: &Path,
) -> Result<AuthConfig, DocumentError> {
    let mode_span = raw.mode.span();
    let mode = *raw.mode.get_ref();
    let created = raw.key_created.take();
    if let (Some(created), AuthMode::AssumeRole | AuthMode::Ambient) = (&created, mode) {
        return Err(document.error(
            created.span(),
            "credentials of roles and machines are not rotated here",
            "remove `key_created`",
        ));
    }
    if mode != AuthMode::AssumeRole {
        let of_a_role = [
            raw.role_arn.as_ref().map(|field| (field.span(), "role_arn")),
            raw.external_id.as_ref().map(|field| (field.span(), "external_id")),
            raw.session_seconds.as_ref().map(|field| (field.span(), "session_seconds")),
        ];
        if let Some((span, name)) = of_a_role.into_iter().flatten().next() {
            let word = if mode == AuthMode::Ambient { "ambient" } else { "static_keys" };
            return Err(document.error(
                span,
                format!("`{name}` has no meaning with `mode = \"{word}\"`"),
                "remove it, or set `mode = \"assume_role\"`",
            ));
        }
    }
    let given = base(document, &mut raw, directory)?;
    match (mode, given) {
        (AuthMode::StaticKeys, Some(BaseConfig::Keys(key))) => {
            Ok(AuthConfig::StaticKeys { key, created: key_created(document, created)? })
        }
        (AuthMode::StaticKeys, Some(BaseConfig::Ambient(_))) => Err(document.error(
            raw.aws_profile.as_ref().map_or(mode_span, Spanned::span),
            "`aws_profile` has no meaning with `mode = \"static_keys\"`",
            "remove it, or set `mode = \"ambient\"`",
        )),
        (AuthMode::StaticKeys, None) => Err(document.error(
            mode_span,
            "`static_keys` needs `access_key_id` and `secret_access_key`",
            "name their places, as in `secret_access_key = { env = \"NAME\" }`; or give `credentials_csv`",
        )),
        (AuthMode::Ambient, Some(BaseConfig::Keys(_))) => {
            let spans = [
                raw.access_key_id.as_ref().map(Spanned::span),
                raw.credentials_csv.as_ref().map(Spanned::span),
            ];
            Err(document.error(
                spans.into_iter().flatten().next().unwrap_or(mode_span),
                "keys are given, but `ambient` takes what the machine has",
                "remove the keys, or set `mode = \"static_keys\"`",
            ))
        }
        (AuthMode::Ambient, given) => Ok(AuthConfig::Ambient(ambient(given))),
        (AuthMode::AssumeRole, given) => role(document, raw, given),
    }
}

/// What the machine has, if nothing else is given.
fn ambient(given: Option<BaseConfig>) -> AmbientSource {
    match given {
        Some(BaseConfig::Ambient(source)) => source,
        _ => AmbientSource::default(),
    }
}

/// The keys, or the profile of the AWS files; `None` if neither is given.
fn base(
    document: &Document<'_>,
    raw: &mut RawAuth,
    directory: &Path,
) -> Result<Option<BaseConfig>, DocumentError> {
    let place = |place: &SecretPlace| place.clone().below(directory);
    let key = match (&raw.access_key_id, &raw.secret_access_key) {
        (Some(id), Some(secret)) => Some((place(&id.get_ref().0), place(&secret.get_ref().0))),
        (Some(id), None) => {
            return Err(document.error(
                id.span(),
                "`access_key_id` is given without `secret_access_key`",
                "name its place: `{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`",
            ));
        }
        (None, Some(secret)) => {
            return Err(document.error(
                secret.span(),
                "`secret_access_key` is given without `access_key_id`",
                "write the id, or name its place: `{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`",
            ));
        }
        (None, None) => None,
    };
    if let (Some(token), None) = (&raw.session_token, &key) {
        return Err(document.error(
            token.span(),
            "`session_token` is given without its keys",
            "add `access_key_id` and `secret_access_key`, or remove the token",
        ));
    }
    let several = "several ways to credentials are given";
    match (key, &raw.credentials_csv, &raw.aws_profile) {
        (Some((id, secret)), None, None) => {
            let session_token = raw.session_token.as_ref().map(|token| place(&token.get_ref().0));
            Ok(Some(BaseConfig::Keys(KeyPlaces { id, secret, session_token })))
        }
        (None, Some(file), None) => {
            let path = directory.join(file.get_ref());
            let column = |column| SecretPlace::Csv { path: path.clone(), column };
            Ok(Some(BaseConfig::Keys(KeyPlaces {
                id: column(CsvColumn::AccessKeyId),
                secret: column(CsvColumn::SecretAccessKey),
                session_token: None,
            })))
        }
        (None, None, Some(name)) if name.get_ref().trim().is_empty() => {
            Err(document.error(name.span(), "the profile has no name", "write it as `~/.aws/config` does"))
        }
        (None, None, Some(name)) => {
            Ok(Some(BaseConfig::Ambient(AmbientSource { profile: Some(name.get_ref().clone()) })))
        }
        (None, None, None) => Ok(None),
        (_, Some(file), _) => Err(document.error(file.span(), several, "keep one of them")),
        (_, None, Some(name)) => Err(document.error(name.span(), several, "keep one of them")),
    }
}

fn role(
    document: &Document<'_>,
    raw: RawAuth,
    given: Option<BaseConfig>,
) -> Result<AuthConfig, DocumentError> {
    let mode_span = raw.mode.span();
    let role_arn = raw.role_arn.ok_or_else(|| {
        document.error(
            mode_span.clone(),
            "`assume_role` needs `role_arn`",
            "add it; both `role_arn` and `external_id` come from the owner of the bucket",
        )
    })?;
    if !(role_arn.get_ref().starts_with("arn:") && role_arn.get_ref().contains(":role/")) {
        return Err(document.error(
            role_arn.span(),
            "not the ARN of a role",
            "write an ARN such as `arn:aws:iam::123456789012:role/export`",
        ));
    }
    if let Some(external_id) = &raw.external_id {
        external_id_checked(document, external_id)?;
    }
    let session = raw.session_seconds.as_ref().map_or(3_600, |seconds| *seconds.get_ref());
    if !SESSION_SECONDS.contains(&session) {
        let span = raw.session_seconds.map_or(mode_span, |seconds| seconds.span());
        return Err(document.error(
            span,
            "a role session lasts 900 to 43200 seconds",
            "3600 is a good value",
        ));
    }
    Ok(AuthConfig::AssumeRole {
        role_arn: role_arn.into_inner(),
        external_id: raw.external_id.map(|id| Secret::new(id.into_inner())),
        base: match given {
            Some(BaseConfig::Keys(keys)) => BaseConfig::Keys(keys),
            given => BaseConfig::Ambient(ambient(given)),
        },
        session: Duration::from_secs(session),
    })
}

/// The form STS accepts, and no space around it: a pasted space is the usual cause of a refused role.
fn external_id_checked(document: &Document<'_>, id: &Spanned<String>) -> Result<(), DocumentError> {
    let text = id.get_ref();
    if text.trim() != text {
        return Err(document.error(
            id.span(),
            "the external id begins or ends with white space",
            "remove the white space; external ids are compared exactly, case included",
        ));
    }
    let accepted = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | ':' | '/' | '-')
    };
    if !(2..=1224).contains(&text.len()) || !text.chars().all(accepted) {
        return Err(document.error(
            id.span(),
            "an external id has 2 to 1224 letters, digits and characters of `_+=,.@:/-`",
            "copy it from the role's trust policy",
        ));
    }
    Ok(())
}

fn key_created(document: &Document<'_>, raw: Option<Spanned<String>>) -> Result<Option<Date>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    raw.get_ref()
        .parse()
        .map(Some)
        .map_err(|_| document.error(raw.span(), "not a date", "write it as `2026-01-31`"))
}
