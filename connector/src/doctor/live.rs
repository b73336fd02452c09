//! The doctor before a bucket.

use bytes::Bytes;

use super::conditions::{ACL_KEY, documented_conditions, insists_on_acl, missing};
use super::{DoctorReport, Finding, PROBE_NAME, Verdict, documented};
use crate::config::{AuthConfig, Config};
use crate::names::{IntentId, NameError, ObjectKey};
use crate::profile::{KeyPrefix, VendorProfile};
use crate::store::{
    Condition, Diagnosis, DiagnosisKind, Encryption, Probed, PutOutcome, PutRequest, S3Store, Store as _,
    StoreError,
};

/// Whether the doctor may write its probe object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeWrite {
    /// It may.
    Allowed,
    /// It may not, unless the vendor documents that it can delete it again.
    IfItCanBeDeleted,
}

struct Examination<'a> {
    config: &'a Config,
    profile: &'a VendorProfile,
    store: &'a S3Store,
    prefix: KeyPrefix,
    key: ObjectKey,
    findings: Vec<Finding>,
}

/// Examines the bucket of a connection.
pub async fn examine(
    config: &Config,
    profile: &VendorProfile,
    store: &S3Store,
    write: ProbeWrite,
) -> Result<DoctorReport, NameError> {
    let prefix = profile.prefix_of(&config.bucket.prefix);
    let key = ObjectKey::new(format!("{}{PROBE_NAME}", prefix.as_str()))?;
    let mut examination = Examination { config, profile, store, prefix, key, findings: Vec::new() };
    examination.configuration();
    // Without a session nothing can be asked of the bucket; the check of the role says why there is none.
    let has_session = store.assume().await.is_ok();
    let reachable = !has_session || examination.region().await;
    let known = examination.identity().await;
    if reachable && known {
        examination.actions(write).await;
        examination.recommendations().await;
    } else {
        let why = "nothing more can be learned before that is mended";
        examination.findings.push(Finding::new("documented actions", Verdict::Skipped, why));
    }
    Ok(DoctorReport::of(profile, config.bucket.name.as_str(), examination.findings))
}

impl Examination<'_> {
    fn diagnose(&self, error: &StoreError) -> Diagnosis {
        Diagnosis::of(error, self.profile, &self.config.bucket.name)
    }

    fn configuration(&mut self) {
        let text = format!(
            "profile `{}`, bucket `{}`, region `{}`",
            self.profile.id(),
            self.config.bucket.name,
            self.config.bucket.region
        );
        self.findings.push(Finding::passed("configuration", text));
        if self.config.bucket.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")) {
            let message = "the endpoint is plain http";
            let finding = Finding::new("transport", Verdict::Warning, message);
            self.findings.push(finding.with_help("use plain http for emulators only"));
        }
    }

    async fn region(&mut self) -> bool {
        let check = "bucket and region";
        let finding = match self.store.probe_region().await {
            Probed::Allowed(region) => Finding::passed(check, format!("the bucket exists in `{region}`")),
            Probed::Refused(error @ StoreError::Denied { .. }) => {
                let message = format!("the answer names no region: {error}");
                Finding::new(check, Verdict::NotPermittedToKnow, message)
            }
            Probed::Refused(error) => Finding::diagnosed(check, self.diagnose(&error)),
            Probed::NoObject => no_object(check),
        };
        let reachable = finding.verdict != Verdict::Failed;
        self.findings.push(finding);
        reachable
    }

    /// Who we are; and that the role cannot be had without the external id.
    async fn identity(&mut self) -> bool {
        if let AuthConfig::Ambient(_) = &self.config.auth
            && let Err(error) = self.store.assume().await
        {
            self.findings.push(Finding::diagnosed("credentials of the machine", self.diagnose(&error)));
            return false;
        }
        let AuthConfig::AssumeRole { role_arn, external_id, .. } = &self.config.auth else {
            return match self.store.probe_get(&self.key).await {
                Probed::Refused(
                    error @ (StoreError::UnknownAccessKey { .. }
                    | StoreError::SignatureMismatch { .. }
                    | StoreError::Expired { .. }),
                ) => {
                    self.findings.push(Finding::diagnosed("access key", self.diagnose(&error)));
                    false
                }
                Probed::Refused(error @ StoreError::Unavailable { .. }) => {
                    self.findings.push(Finding::diagnosed("service", self.diagnose(&error)));
                    false
                }
                _ => {
                    self.findings.push(Finding::passed("access key", "it is known and its secret is right"));
                    true
                }
            };
        };
        let (role_arn, has_id) = (role_arn.clone(), external_id.is_some());
        if let Err(error) = self.store.assume().await {
            self.findings.push(Finding::diagnosed("role", self.diagnose(&error)));
            return false;
        }
        if !has_id {
            self.findings.push(Finding::passed("role", format!("`{role_arn}` can be assumed")));
            return true;
        }
        self.findings
            .push(Finding::passed("role", format!("`{role_arn}` can be assumed with the external id")));
        let check = "role without external id";
        let finding = match self.store.probe_without_external_id().await {
            None => return true,
            Some(Err(StoreError::RoleDenied { .. })) => {
                Finding::passed(check, "it cannot be assumed without the external id")
            }
            Some(Err(error)) => Finding::new(check, Verdict::NotPermittedToKnow, error.to_string()),
            Some(Ok(())) => {
                let known = self.profile.doctor_message(DiagnosisKind::RoleOpen);
                let own = "`{role_arn}` can be assumed without an external id: the trust policy lacks the condition \
                           `StringEquals` on `sts:ExternalId`, so any other customer of the vendor could reach the bucket";
                let message = known.map_or(own, |known| known.say.as_str()).replace("{role_arn}", &role_arn);
                let own = "add the condition; `bucketproof-connector policy` prints the whole trust policy";
                Finding {
                    action: Some("sts:AssumeRole".to_owned()),
                    resource: Some(role_arn),
                    requirement: known.map(|known| known.requirement.clone()),
                    ..Finding::new(check, Verdict::Failed, message)
                }
                .with_help(known.map_or(own, |known| known.help.as_str()))
            }
        };
        self.findings.push(finding);
        true
    }

    /// Each documented action by its cheapest call.
    async fn actions(&mut self, write: ProbeWrite) {
        let actions = documented(self.profile, self.config.bucket.name.as_str(), self.prefix.as_str());
        let has = |wanted: &str| actions.iter().any(|(action, _)| *action == wanted);
        let can_delete = has("s3:DeleteObject");
        let writes = has("s3:PutObject") && (write == ProbeWrite::Allowed || can_delete);
        // The written object first, so that reads, ACLs and deletes have something to be about.
        let mut put = None;
        if writes {
            put = Some(self.write().await);
        }
        for (action, resource) in actions {
            let probed = match (action, &put) {
                ("s3:ListBucket", _) => match self.store.list_probe(self.prefix.as_str()).await {
                    Ok(()) => Probed::Allowed(String::new()),
                    Err(error) => Probed::Refused(error),
                },
                ("s3:GetBucketLocation", _) => self.store.probe_location().await,
                ("s3:GetObject", put) => {
                    // Only an object that exists tells: the one that was written, or any other of the export.
                    let found = match put {
                        Some(Probed::Allowed(_)) => None,
                        _ => self.store.probe_first(self.prefix.as_str()).await,
                    };
                    self.store.probe_get(found.as_ref().unwrap_or(&self.key)).await
                }
                // The write failed for want of its ACL: without one it tells whether it lacks itself as well.
                ("s3:PutObject", Some(Probed::Refused(StoreError::Denied { action: denied, .. })))
                    if denied == "s3:PutObjectAcl" && !insists_on_acl(self.profile) =>
                {
                    self.store.probe_blind_put(&self.key).await
                }
                ("s3:PutObject", Some(put)) => put.clone(),
                ("s3:PutObject", None) => self.store.probe_blind_put(&self.key).await,
                ("s3:PutObjectAcl", _) => self.store.probe_acl(&self.key).await,
                // Last of the list: it takes the probe object away.
                _ => self.store.probe_delete(&self.key, None).await,
            };
            let finding = self.judged(action, resource, probed);
            self.findings.push(finding);
        }
        self.conditions().await;
        if !writes {
            let message = "no object was written, so keys of KMS and conditional writes were not tried";
            let finding = Finding::new("write", Verdict::Skipped, message);
            let help = format!(
                "`--write-probe` writes `{}`, which the documented policy does not let the doctor delete again",
                self.key
            );
            self.findings.push(finding.with_help(help));
        }
    }

    /// Whether what a documented condition is to refuse is refused; of the conditions that a request can break.
    async fn conditions(&mut self) {
        for condition in documented_conditions(self.profile) {
            let bucket = self.config.bucket.name.as_str();
            let Some((action, resource)) = condition.subject(bucket, self.prefix.as_str()) else { continue };
            let check = format!("condition {}", condition.shown());
            if !condition.key.eq_ignore_ascii_case(ACL_KEY) || action != "s3:PutObject" {
                let message = "no request of the doctor can break it";
                let finding = Finding::new(check, Verdict::NotPermittedToKnow, message);
                self.findings
                    .push(finding.with_help("give the policy itself with `--bucket-policy` or `--policy`"));
                continue;
            }
            // A write without the header, which can have no effect: no body has its digest.
            let finding = match self.store.probe_blind_put(&self.key).await {
                Probed::Allowed(_) => missing(self.profile, &condition, (action, resource)),
                Probed::Refused(StoreError::Denied { .. }) => {
                    Finding::passed(check, "a write without the header `x-amz-acl` is refused")
                }
                Probed::NoObject => no_object(check),
                Probed::Refused(error) => Finding::new(check, Verdict::NotPermittedToKnow, error.to_string()),
            };
            self.findings.push(finding);
        }
    }

    fn judged(&self, action: &str, documented: String, probed: Probed) -> Finding {
        let check = format!("{action} on {documented}");
        match probed {
            Probed::Allowed(_) => Finding::passed(check, "allowed"),
            Probed::NoObject => no_object(check),
            // Where every write without its ACL is refused, no request tells the two apart.
            Probed::Refused(StoreError::Denied { action: denied, .. })
                if action == "s3:PutObject" && denied == "s3:PutObjectAcl" =>
            {
                let message = "the write is refused for want of `s3:PutObject`, of `s3:PutObjectAcl` or of both, and the \
                               answer does not tell which";
                Finding::new(check, Verdict::NotPermittedToKnow, message)
                    .with_help("allow `s3:PutObject` and `s3:PutObjectAcl`, then ask again")
            }
            Probed::Refused(StoreError::Denied { operation, action: denied, resource, message })
                if denied != action && !denied.starts_with("kms:") =>
            {
                // Without s3:ListBucket a read of what is not there is refused, whatever s3:GetObject says.
                let text = StoreError::Denied { operation, action: denied.clone(), resource, message };
                let finding = Finding::new(check, Verdict::NotPermittedToKnow, text.to_string());
                finding.with_help(format!("add `{denied}` first, then ask again"))
            }
            Probed::Refused(StoreError::Denied { operation, action: denied, resource, message }) => {
                let resource = if denied.starts_with("kms:") { resource } else { documented };
                let error = StoreError::Denied { operation, action: denied, resource, message };
                Finding::diagnosed(check, self.diagnose(&error))
            }
            Probed::Refused(error) => Finding::diagnosed(check, self.diagnose(&error)),
        }
    }

    /// Writes the probe object as exports write theirs, and once more on the condition that it does not exist.
    async fn write(&mut self) -> Probed {
        let Ok(intent) = IntentId::new("00000000-0000-5000-8000-000000000000") else {
            return Probed::Allowed(String::new());
        };
        let request = PutRequest {
            key: self.key.clone(),
            body: Bytes::from_static(b"written by `bucketproof-connector doctor`; may be deleted\n").into(),
            content_type: "text/plain",
            condition: Condition::Absent,
            intent,
            generation: 1,
            epoch: 0,
            acl: self.profile.acl().map(str::to_owned),
            acl_is_required: insists_on_acl(self.profile),
        };
        let check = "conditional writes";
        let mut attempts = Vec::new();
        for _ in 0..2 {
            match self.store.put(&request).await {
                Ok(outcome) => attempts.push(outcome),
                Err(error) => return Probed::Refused(error),
            }
        }
        let refused = attempts.contains(&PutOutcome::PreconditionFailed);
        self.findings.push(if refused {
            Finding::passed(check, "a second write on the condition that there is no object was refused")
        } else {
            Finding::new(check, Verdict::Failed, "the store writes although the condition does not hold")
                .with_help(
                    "use a store with conditional writes: without them two writers lose each other's rows",
                )
        });
        Probed::Allowed("written".to_owned())
    }

    /// What the vendor recommends and the policy need not let us see.
    async fn recommendations(&mut self) {
        let check = "unfinished uploads";
        let leftovers = match self.store.probe_leftovers(self.prefix.as_str()).await {
            Probed::Allowed(keys) if keys.is_empty() => Finding::passed(check, "there are none"),
            Probed::Allowed(keys) => Finding::new(check, Verdict::Warning, format!("left over: {keys}"))
                .with_help("add a lifecycle rule that aborts unfinished multipart uploads"),
            Probed::Refused(error) => Finding::new(check, Verdict::NotPermittedToKnow, error.to_string()),
            Probed::NoObject => no_object(check),
        };
        self.findings.push(leftovers);
        let check = "default encryption";
        let finding = match self.store.probe_encryption().await {
            Probed::Allowed(algorithm) if algorithm.starts_with("aws:kms") => {
                Finding::new(check, Verdict::Warning, format!("the bucket encrypts with `{algorithm}`"))
                    .with_help(
                        "the identity needs `kms:GenerateDataKey` and `kms:Decrypt` on the key as well",
                    )
            }
            Probed::Allowed(algorithm) => {
                Finding::passed(check, format!("the bucket encrypts with `{algorithm}`"))
            }
            Probed::Refused(error) => Finding::new(check, Verdict::NotPermittedToKnow, error.to_string()),
            Probed::NoObject => no_object(check),
        };
        self.findings.push(finding);
        if matches!(self.config.encryption, Encryption::SseKms { key_id: None }) {
            let message = "no `kms_key_id` is given: the account's default key applies, which other accounts cannot use";
            self.findings
                .push(Finding::new("KMS key", Verdict::Warning, message).with_help("give the key's ARN"));
        }
        let check = "Block Public Access";
        let finding = match self.store.probe_public_access().await {
            Probed::Allowed(setting) if setting == "on" => Finding::passed(check, "all four settings are on"),
            Probed::Allowed(setting) => Finding::new(check, Verdict::Warning, format!("it is {setting}"))
                .with_help("turn all four settings on: an export bucket has no public reader"),
            Probed::Refused(error) => Finding::new(check, Verdict::NotPermittedToKnow, error.to_string()),
            Probed::NoObject => no_object(check),
        };
        self.findings.push(finding);
    }
}

fn no_object(check: impl Into<String>) -> Finding {
    let message = "there is no object yet that it could be tried on; for one that is not there the answer depends on \
                   `s3:ListBucket` alone";
    Finding::new(check, Verdict::NotPermittedToKnow, message)
        .with_help("ask again after the first export, or with `--write-probe`")
}
