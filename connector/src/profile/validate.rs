//! From the TOML form to a checked profile; each refusal names its place and the next step.

mod dataset;
mod head;

use std::ops::Range;

use super::examples::{self, Example, RowExample};
use super::raw::{RawAuth, RawDoctor, RawProfile, RawStatement};
use super::{
    AuthMode, Dataset, DoctorMessage, Encoding, KeyPolicy, KeyStatement, Mode, PolicyAttachment,
    PolicyStatement, Trust, VendorProfile, fill,
};
use super::{guide, install, troubleshooting};
use crate::document::{Document, DocumentError};
use crate::names::ProfileId;

const PLACEHOLDERS: [&str; 8] =
    ["bucket", "region", "actual_region", "action", "resource", "condition", "role_arn", "access_key_id"];
const LAYOUT_HELP: &str = "placeholders are {t:%Y}, {t:%m}, {t:%d}, {t:%H}, {t:%-m}, {t:%-d}, {dataset}, {ext}; for appended objects also {batch:uuid}, {batch:hash}, {batch:first_ms}, {worker}";

pub(super) fn profile(text: &str, file_name: &str) -> Result<VendorProfile, DocumentError> {
    let document = Document::new(file_name, text);
    let raw: RawProfile = document
        .parse("compare with a known profile: `bucketproof-connector profile list`, then `profile show`")?;
    let head = raw.profile;

    let id = ProfileId::new(head.id.get_ref().as_str()).map_err(|error| {
        document.error(head.id.span(), error.to_string(), "use a name such as `vendor_s3`")
    })?;
    let layout = head::layout(&document, &head.layout)?;
    check_auth(&document, &raw.auth, raw.policy.kind)?;
    if raw.dataset.is_empty() {
        return Err(document.error(0..0, "the profile has no dataset", "add a `[[dataset]]`"));
    }
    let defaults = dataset::Defaults {
        mode: head.mode,
        layout: &layout,
        layout_span: head.layout.span(),
        partition: &head.partition,
    };
    let mut datasets: Vec<Dataset> = Vec::with_capacity(raw.dataset.len());
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(raw.dataset.len());
    for dataset in raw.dataset {
        spans.push(dataset.layout.as_ref().map_or_else(|| head.layout.span(), toml::Spanned::span));
        let checked = dataset::dataset(&document, dataset, &defaults, &datasets)?;
        datasets.push(checked);
    }
    own_keys(&document, &datasets, &spans)?;
    let encodings = head::encodings(&document, head.encode, head.encodings, &datasets)?;
    check_extensions(&document, &encodings, &datasets, &spans)?;
    let key_examples = raw
        .example
        .into_iter()
        .map(|example| examples::key_example(&document, example, &datasets))
        .collect::<Result<Vec<Example>, _>>()?;
    let row_examples = raw
        .row_example
        .into_iter()
        .map(|example| examples::row_example(&document, example, &datasets))
        .collect::<Result<Vec<RowExample>, _>>()?;

    let messages =
        raw.doctor.into_iter().map(|message| doctor(&document, message)).collect::<Result<Vec<_>, _>>()?;
    let key_policy = key_policy(&document, raw.policy.key)?;
    let has = guide::Has {
        attachment: raw.policy.kind,
        trust: raw.auth.trust.is_some(),
        key_policy: key_policy.as_ref().is_some_and(|policy| !policy.statements.is_empty()),
        key_identity: key_policy.as_ref().is_some_and(|policy| !policy.identity.is_empty()),
    };
    let profile = VendorProfile {
        id,
        title: head.title,
        source: head.source,
        direction: head.direction,
        cadence: head::cadence(&document, head.cadence)?,
        batch: head::batch(
            &document,
            head.batch,
            datasets.iter().any(|dataset| dataset.mode() == Mode::Append),
        )?,
        period: head::period(
            &document,
            head.period,
            datasets.iter().any(|dataset| dataset.mode() == Mode::Period),
        )?,
        prefix_rule: head.prefix,
        nested_bucket: head.nested_bucket,
        acl: head::acl(&document, head.acl)?,
        encodings,
        auth_modes: raw.auth.modes,
        key_rotation: raw.auth.key_rotation,
        trust: raw
            .auth
            .trust
            .map(|trust| Trust { principal: trust.principal, external_id: trust.external_id }),
        policy_attachment: raw.policy.kind,
        key_policy,
        statements: raw
            .policy
            .statement
            .into_iter()
            .map(|statement| self::statement(&document, statement))
            .collect::<Result<Vec<_>, _>>()?,
        troubleshooting: troubleshooting::checked(&document, raw.troubleshooting, &messages)?,
        guide: guide::checked(&document, raw.guide, has)?,
        install: install::checked(&document, raw.install, &datasets)?,
        manual: head::manual(&document, head.manual, &datasets)?,
        datasets,
        doctor: messages,
        examples: key_examples,
        row_examples,
    };
    check_reads(&document, &profile, &spans)?;
    Ok(profile)
}

/// There is a way to authenticate, and roles are trusted by somebody.
fn check_auth(
    document: &Document<'_>,
    raw: &RawAuth,
    attachment: PolicyAttachment,
) -> Result<(), DocumentError> {
    if raw.modes.is_empty() {
        return Err(document.error(
            0..0,
            "`auth.modes` is empty",
            "list `assume_role`, `static_keys` or both",
        ));
    }
    // A role that the bucket's policy names is the vendor's own: no customer trusts it.
    let is_own_role = attachment == PolicyAttachment::Bucket;
    if raw.modes.contains(&AuthMode::AssumeRole) && raw.trust.is_none() && !is_own_role {
        return Err(document.error(
            0..0,
            "`auth.modes` has `assume_role` but there is no `[auth.trust]`",
            "add `[auth.trust]` with `principal` and `external_id`",
        ));
    }
    Ok(())
}

/// Objects that are replaced are read first, and whether there is one can be told only by who may list.
fn check_reads(
    document: &Document<'_>,
    profile: &VendorProfile,
    spans: &[Range<usize>],
) -> Result<(), DocumentError> {
    for (dataset, span) in profile.datasets().iter().zip(spans) {
        let reads: &[&str] = match dataset.mode() {
            Mode::Append => &["s3:PutObject"],
            Mode::Replace | Mode::Period | Mode::Snapshot => {
                &["s3:PutObject", "s3:GetObject", "s3:ListBucket"]
            }
        };
        let acl: &[&str] = if profile.acl().is_some() { &["s3:PutObjectAcl"] } else { &[] };
        let lacks = |action: &&&str| !crate::doctor::documents(profile, action);
        if let Some(action) = reads.iter().chain(acl).find(lacks) {
            return Err(document.error(
                span.clone(),
                format!("the policy lacks `{action}`, which writes of dataset `{}` need", dataset.name()),
                "correct `[[policy.statement]]`; objects that are appended need no read, writes without `acl` no `s3:PutObjectAcl`",
            ));
        }
    }
    Ok(())
}

/// No two datasets share keys: those whose layouts are equal name themselves in them.
fn own_keys(
    document: &Document<'_>,
    datasets: &[Dataset],
    spans: &[Range<usize>],
) -> Result<(), DocumentError> {
    for (at, (dataset, span)) in datasets.iter().zip(spans).enumerate() {
        let layout = dataset.layout();
        let shares = |other: &Dataset| other.layout().template() == layout.template();
        if !layout.names_dataset() && datasets.iter().skip(at + 1).any(shares) {
            return Err(document.error(
                span.clone(),
                "layout lacks the placeholder `{dataset}`, so two datasets would share one object",
                "add `{dataset}`, or give one of the datasets a `layout` of its own",
            ));
        }
    }
    Ok(())
}

/// Layouts that leave the extension open need encodings that have one.
fn check_extensions(
    document: &Document<'_>,
    encodings: &[Encoding],
    datasets: &[Dataset],
    spans: &[Range<usize>],
) -> Result<(), DocumentError> {
    for (dataset, span) in datasets.iter().zip(spans) {
        let is_open = dataset.layout().names_extension();
        if is_open && encodings.iter().any(|encoding| encoding.extension.is_empty()) {
            return Err(document.error(
                span.clone(),
                "layout has `{ext}`, but an encoding has no `extension`",
                "give each encoding an `extension` such as `json.gz`",
            ));
        }
        if !is_open && encodings.len() > 1 {
            return Err(document.error(
                span.clone(),
                "the profile has several encodings, but the layout does not tell their files apart",
                "end the layout with `.{ext}`",
            ));
        }
    }
    Ok(())
}

fn statement(document: &Document<'_>, raw: RawStatement) -> Result<PolicyStatement, DocumentError> {
    if raw.actions.get_ref().is_empty() || raw.actions.get_ref().iter().any(|action| !action.contains(':')) {
        return Err(document.error(
            raw.actions.span(),
            "actions are a non-empty list of `service:Action`",
            "write actions such as `s3:PutObject`",
        ));
    }
    if raw.resources.get_ref().is_empty()
        || raw.resources.get_ref().iter().any(|arn| !arn.starts_with("arn:") || !braces_known(arn))
    {
        return Err(document.error(
            raw.resources.span(),
            "resources are a non-empty list of ARNs whose placeholders are `{bucket}` and `{prefix}`",
            "write resources such as `arn:aws:s3:::{bucket}/*`",
        ));
    }
    Ok(PolicyStatement {
        sid: raw.sid,
        effect: raw.effect,
        actions: raw.actions.into_inner(),
        resources: raw.resources.into_inner(),
        condition: raw.condition,
    })
}

fn key_policy(
    document: &Document<'_>,
    raw: Option<toml::Spanned<KeyPolicy>>,
) -> Result<Option<KeyPolicy>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    let are_of_keys = |actions: &[String]| actions.iter().all(|action| action.starts_with("kms:"));
    let fits = |statement: &KeyStatement| !statement.actions.is_empty() && are_of_keys(&statement.actions);
    let policy = raw.get_ref();
    if policy.vendor_actions().next().is_none()
        || !policy.statements.iter().all(fits)
        || !are_of_keys(&policy.identity)
    {
        return Err(document.error(
            raw.span(),
            "a key policy has statements for the vendor, or actions of the identity, all of them of KMS",
            "write actions such as `kms:GenerateDataKey`",
        ));
    }
    Ok(Some(raw.into_inner()))
}

fn braces_known(arn: &str) -> bool {
    !fill(arn, "", "").contains(['{', '}'])
}

fn doctor(document: &Document<'_>, raw: RawDoctor) -> Result<DoctorMessage, DocumentError> {
    for text in [&raw.say, &raw.help] {
        let mut rest = text.get_ref().clone();
        for name in PLACEHOLDERS {
            rest = rest.replace(&format!("{{{name}}}"), "");
        }
        if rest.contains(['{', '}']) {
            return Err(document.error(
                text.span(),
                "the message has an unknown placeholder",
                format!("placeholders are {}", PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ")),
            ));
        }
    }
    Ok(DoctorMessage {
        when: raw.when,
        requirement: raw.id,
        say: raw.say.into_inner(),
        help: raw.help.into_inner(),
    })
}
