//! The TOML form of a profile, as serde reads it. Fields whose content is checked later carry their span.

use serde::Deserialize;
use toml::Spanned;

use super::{
    ColumnType, Direction, Effect, EmptyPeriod, Format, KeyColumns, KeyPolicy, Mode, PartitionBy,
    PartitionUnit, PolicyAttachment, PrefixRule, TextForm,
};
use super::{GuideStep, InstallRules, TroubleshootingEntry};
use crate::row_rules::RowKinds;
use crate::store::DiagnosisKind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) profile: RawHead,
    pub(super) auth: RawAuth,
    pub(super) policy: RawPolicy,
    #[serde(default)]
    pub(super) dataset: Vec<RawDataset>,
    #[serde(default)]
    pub(super) doctor: Vec<RawDoctor>,
    #[serde(default)]
    pub(super) troubleshooting: Vec<Spanned<TroubleshootingEntry>>,
    #[serde(default)]
    pub(super) guide: Vec<Spanned<GuideStep>>,
    pub(super) install: Option<Spanned<InstallRules>>,
    #[serde(default)]
    pub(super) example: Vec<RawExample>,
    #[serde(default)]
    pub(super) row_example: Vec<RawRowExample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHead {
    pub(super) id: Spanned<String>,
    pub(super) title: String,
    pub(super) source: String,
    pub(super) direction: Direction,
    pub(super) mode: Mode,
    pub(super) cadence: Spanned<RawCadence>,
    pub(super) layout: Spanned<String>,
    pub(super) partition: RawPartition,
    pub(super) encode: Option<Spanned<RawEncode>>,
    /// Several to choose from, the usual one first.
    pub(super) encodings: Option<Spanned<Vec<RawEncode>>>,
    pub(super) batch: Option<RawBatch>,
    pub(super) period: Option<RawPeriod>,
    /// Template of keys of chosen ranges.
    pub(super) manual: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) prefix: PrefixRule,
    #[serde(default)]
    pub(super) nested_bucket: bool,
    pub(super) acl: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCadence {
    pub(super) every: Option<Spanned<String>>,
    pub(super) align: Option<bool>,
    pub(super) at: Option<Spanned<String>>,
    pub(super) streaming_mib: Option<Spanned<u64>>,
    pub(super) age: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBatch {
    pub(super) rows: Spanned<u64>,
    pub(super) mib: Spanned<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPeriod {
    pub(super) late_days: u32,
    pub(super) empty: EmptyPeriod,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPartition {
    pub(super) time_column: Option<Spanned<String>>,
    pub(super) unit: Spanned<PartitionUnit>,
    pub(super) zone: Spanned<String>,
    #[serde(default)]
    pub(super) by: PartitionBy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEncode {
    pub(super) format: Spanned<Format>,
    pub(super) compression: Spanned<super::Compression>,
    pub(super) row_group_rows: Option<Spanned<u64>>,
    pub(super) sort: Option<Spanned<Vec<String>>>,
    pub(super) extension: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuth {
    pub(super) modes: Vec<super::AuthMode>,
    pub(super) key_rotation: Option<super::KeyRotation>,
    pub(super) trust: Option<RawTrust>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrust {
    pub(super) principal: String,
    pub(super) external_id: super::ExternalIdRule,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    #[serde(default)]
    pub(super) kind: PolicyAttachment,
    pub(super) key: Option<Spanned<KeyPolicy>>,
    #[serde(default)]
    pub(super) statement: Vec<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStatement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) actions: Spanned<Vec<String>>,
    pub(super) resources: Spanned<Vec<String>>,
    pub(super) condition: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDataset {
    pub(super) name: Spanned<String>,
    pub(super) mode: Option<Spanned<Mode>>,
    pub(super) layout: Option<Spanned<String>>,
    pub(super) partition: Option<RawPartition>,
    pub(super) version: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<Vec<KeyColumns>>>,
    pub(super) columns: Vec<RawColumn>,
    /// Columns that come behind the others where a connection asks for them.
    #[serde(default)]
    pub(super) optional_columns: Vec<RawColumn>,
    pub(super) kinds: Option<Spanned<RowKinds>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    pub(super) name: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) kind: ColumnType,
    pub(super) nullable: bool,
    pub(super) doc: String,
    pub(super) values: Option<Spanned<Vec<String>>>,
    pub(super) form: Option<Spanned<TextForm>>,
    pub(super) fields: Option<Vec<RawColumn>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDoctor {
    pub(super) when: DiagnosisKind,
    pub(super) id: String,
    pub(super) say: Spanned<String>,
    pub(super) help: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExample {
    pub(super) source: String,
    pub(super) given: RawGiven,
    pub(super) key: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGiven {
    pub(super) dataset: Spanned<String>,
    /// The row's time, or that of the batch.
    #[serde(alias = "created_at")]
    pub(super) time: Option<Spanned<String>>,
    pub(super) prefix: Option<Spanned<String>>,
    pub(super) extension: Option<String>,
    /// A text that stands for what a batch holds and where it came from.
    pub(super) batch: Option<String>,
    pub(super) first_ms: Option<i64>,
    pub(super) worker: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRowExample {
    pub(super) source: String,
    pub(super) dataset: Spanned<String>,
    pub(super) row: String,
    #[serde(default = "text_of_lines")]
    pub(super) format: Format,
    pub(super) becomes: Option<Spanned<String>>,
    pub(super) refused: Option<Spanned<String>>,
}

fn text_of_lines() -> Format {
    Format::Ndjson
}
