//! A fault as data: a `[[fault]]` of a scenario, or the body of a request to the admin API.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

use super::{Effect, Fault};
use crate::operation::Op;

/// The fields of a fault, before they are checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultDocument {
    name: Option<String>,
    operation: Option<String>,
    bucket: Option<String>,
    key_prefix: Option<String>,
    principal: Option<String>,
    destination: Option<String>,
    skip: Option<u64>,
    times: Option<u64>,
    every: Option<u64>,
    probability: Option<f64>,
    effect: String,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    header: Option<String>,
    value: Option<String>,
    body: Option<String>,
    bytes: Option<u64>,
    seconds: Option<f64>,
    requests: Option<u64>,
    prefix: Option<String>,
    key: Option<String>,
}

/// Each effect with the fields that it needs, and those that it may have.
pub(crate) const EFFECTS: &[(&str, &[&str], &[&str])] = &[
    ("refuse", &["status", "code"], &["message"]),
    ("slow_down", &[], &[]),
    ("error_in_200", &[], &["code", "message"]),
    ("ignore_header", &["header"], &[]),
    ("expire_token", &[], &[]),
    ("throttle", &["requests", "seconds"], &[]),
    ("fail_keys", &["prefix"], &[]),
    ("disabled_kms_key", &["key"], &[]),
    ("clock_skew", &["seconds"], &[]),
    ("delay", &["seconds"], &[]),
    ("status", &["status"], &[]),
    ("body", &["body"], &[]),
    ("corrupt_body", &[], &[]),
    ("header", &["header", "value"], &[]),
    ("without_header", &["header"], &[]),
    ("drop_answer", &[], &[]),
    ("reset_after", &["bytes"], &[]),
    ("stall_after", &["bytes"], &[]),
    ("truncate", &["bytes"], &[]),
    ("lose_event", &[], &["destination"]),
    ("duplicate_event", &[], &["destination"]),
    ("delay_event", &["seconds"], &["destination"]),
    ("reorder_events", &[], &["seconds", "destination"]),
];

/// The operations that may answer with status 200 and an error.
const LATE_ERRORS: [Op; 3] = [Op::CompleteMultipartUpload, Op::CopyObject, Op::UploadPartCopy];

impl FaultDocument {
    /// It as a JSON Schema; `x-effects` tells for each effect which fields it needs and which it may have.
    pub(crate) fn schema() -> serde_json::Value {
        let effects: serde_json::Map<_, _> = EFFECTS
            .iter()
            .map(|(name, required, optional)| {
                ((*name).to_owned(), serde_json::json!({ "required": required, "optional": optional }))
            })
            .collect();
        serde_json::json!({
            "type": "object", "required": ["effect"], "additionalProperties": false,
            "properties": Self::properties(), "x-effects": effects,
        })
    }

    /// Its fields as properties of a JSON Schema.
    fn properties() -> serde_json::Value {
        let effects: Vec<&str> = EFFECTS.iter().map(|(name, ..)| *name).collect();
        let operations: Vec<&str> = Op::ALL.iter().map(|op| op.name()).collect();
        let (text, count) =
            (serde_json::json!({ "type": "string" }), serde_json::json!({ "type": "integer" }));
        serde_json::json!({
            "name": text, "operation": { "enum": operations }, "bucket": text, "key_prefix": text,
            "principal": text, "skip": count, "times": count, "every": count,
            "probability": { "type": "number", "minimum": 0, "maximum": 1 },
            "effect": { "enum": effects }, "status": count, "code": text, "message": text, "header": text,
            "value": text, "body": text, "bytes": count, "seconds": { "type": "number" }, "requests": count,
            "prefix": text, "key": text, "destination": text,
        })
    }

    /// The fault that it describes, or what is wrong with it.
    pub(crate) fn fault(self) -> Result<Fault, String> {
        self.check_fields()?;
        let op = self.operation.as_deref().map(str::parse::<Op>).transpose().map_err(|error| {
            let names: Vec<&str> = Op::ALL.iter().map(|op| op.name()).collect();
            format!("field `operation`: {error}; the operations are {}", names.join(", "))
        })?;
        if self.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err("field `probability`: it goes from 0 to 1".to_owned());
        }
        if self.every == Some(0) {
            return Err("field `every`: the least is 1".to_owned());
        }
        let mut fault = op.map_or_else(Fault::on_any, Fault::on);
        fault.name.clone_from(&self.name);
        fault.bucket.clone_from(&self.bucket);
        fault.key_prefix.clone_from(&self.key_prefix);
        fault.principal.clone_from(&self.principal);
        fault.destination.clone_from(&self.destination);
        fault.skip = self.skip.unwrap_or(0);
        fault.times = self.times.unwrap_or(u64::MAX);
        fault.every = self.every.unwrap_or(1);
        fault.probability = self.probability;
        self.with_effect(fault)
    }

    /// Each effect has its fields, and no others.
    fn check_fields(&self) -> Result<(), String> {
        let Some((_, needed, optional)) = EFFECTS.iter().find(|(name, ..)| *name == self.effect) else {
            let names: Vec<&str> = EFFECTS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("`{}` is no effect; the effects are {}", self.effect, names.join(", ")));
        };
        let given = [
            ("status", self.status.is_some()),
            ("code", self.code.is_some()),
            ("message", self.message.is_some()),
            ("header", self.header.is_some()),
            ("value", self.value.is_some()),
            ("body", self.body.is_some()),
            ("bytes", self.bytes.is_some()),
            ("seconds", self.seconds.is_some()),
            ("requests", self.requests.is_some()),
            ("prefix", self.prefix.is_some()),
            ("key", self.key.is_some()),
            ("destination", self.destination.is_some()),
        ];
        for (field, is_given) in given {
            if needed.contains(&field) && !is_given {
                return Err(format!("the effect `{}` needs the field `{field}`", self.effect));
            }
            if is_given && !needed.contains(&field) && !optional.contains(&field) {
                let fields: Vec<&str> = needed.iter().chain(*optional).copied().collect();
                let known = if fields.is_empty() { "none".to_owned() } else { fields.join(", ") };
                return Err(format!("the effect `{}` has no field `{field}`; it has {known}", self.effect));
            }
        }
        Ok(())
    }

    fn with_effect(self, fault: Fault) -> Result<Fault, String> {
        let status = match self.status {
            None => StatusCode::OK,
            Some(status) => StatusCode::from_u16(status)
                .map_err(|_| format!("field `status`: `{status}` is no status; they go from 100 to 999"))?,
        };
        let bytes = self.bytes.unwrap_or_default();
        let seconds = self.seconds.unwrap_or_default();
        let length = || {
            Duration::try_from_secs_f64(seconds)
                .map_err(|error| format!("field `seconds`: `{seconds}`: {error}"))
        };
        let header = self.header.clone().unwrap_or_default().to_ascii_lowercase();
        let name =
            || header.parse::<HeaderName>().map_err(|error| format!("field `header`: `{header}`: {error}"));
        let code = self.code.unwrap_or_else(|| "InternalError".to_owned());
        let message =
            self.message.unwrap_or_else(|| "We encountered an internal error. Please try again.".to_owned());
        Ok(match self.effect.as_str() {
            "refuse" => fault.refuse(status, code, message),
            "slow_down" => fault.slow_down(),
            "error_in_200" if fault.op.is_some_and(|op| LATE_ERRORS.contains(&op)) => {
                fault.error_in_200(code, message)
            }
            "error_in_200" => {
                let names: Vec<&str> = LATE_ERRORS.iter().map(|op| op.name()).collect();
                return Err(format!("the effect `error_in_200` is for {}", names.join(", ")));
            }
            "ignore_header" => fault.ignore_header(name()?.as_str()),
            "expire_token" => fault.expire_token(),
            "throttle" => fault.throttle(self.requests.unwrap_or_default(), length()?),
            "fail_keys" => match fault.op {
                Some(Op::DeleteObjects) => fault.fail_keys(self.prefix.unwrap_or_default()),
                _ => return Err("the effect `fail_keys` is for DeleteObjects".to_owned()),
            },
            "disabled_kms_key" => fault.disabled_kms_key(&self.key.unwrap_or_default()),
            "clock_skew" if fault.op.is_some() || fault.principal.is_some() => {
                return Err("the effect `clock_skew` acts before operation and principal are known; \
                            leave out `operation` and `principal`"
                    .to_owned());
            }
            "clock_skew" => {
                let whole = jiff::SignedDuration::try_from_secs_f64(seconds);
                fault.clock_skew(whole.map_err(|error| format!("field `seconds`: {error}"))?.as_secs())
            }
            "lose_event" | "duplicate_event" | "delay_event" | "reorder_events"
                if fault.op.is_some() || fault.principal.is_some() =>
            {
                return Err(format!(
                    "the effect `{}` acts on events, not on requests; leave out `operation` and `principal`",
                    self.effect
                ));
            }
            "lose_event" => fault.lose_event(),
            "duplicate_event" => fault.duplicate_event(),
            "delay_event" => fault.delay_event(length()?),
            "reorder_events" => fault.reorder_events(length()?),
            "delay" => fault.delay(length()?),
            "status" => fault.status(status),
            "body" => fault.body(self.body.unwrap_or_default()),
            "corrupt_body" => fault.corrupt_body(),
            "header" => {
                let value = self.value.unwrap_or_default();
                let value = value
                    .parse::<HeaderValue>()
                    .map_err(|error| format!("field `value`: `{value}`: {error}"))?;
                fault.with(Effect::Header(name()?, value))
            }
            "without_header" => fault.with(Effect::WithoutHeader(name()?)),
            "drop_answer" => fault.drop_answer(),
            "reset_after" => fault.reset_after(bytes),
            "stall_after" => fault.stall_after(bytes),
            "truncate" => fault.truncate(bytes),
            other => return Err(format!("`{other}` is no effect")),
        })
    }
}
