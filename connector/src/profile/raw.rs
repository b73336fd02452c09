//! The TOML form of a profile, as serde reads it. Fields whose content is checked later carry their span.

use serde::Deserialize;
use toml::Spanned;

use super::{ColumnType, Direction, Effect, KeyColumns, Mode, PartitionUnit};
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
    pub(super) example: Vec<RawExample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHead {
    pub(super) id: Spanned<String>,
    pub(super) title: String,
    pub(super) source: String,
    pub(super) direction: Direction,
    pub(super) mode: Mode,
    pub(super) cadence: RawCadence,
    pub(super) layout: Spanned<String>,
    pub(super) partition: RawPartition,
    pub(super) encode: RawEncode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCadence {
    pub(super) every: Spanned<String>,
    pub(super) align: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPartition {
    pub(super) time_column: Spanned<String>,
    pub(super) unit: PartitionUnit,
    pub(super) zone: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEncode {
    pub(super) format: super::Format,
    pub(super) compression: super::Compression,
    pub(super) row_group_rows: Spanned<u64>,
    pub(super) sort: Spanned<Vec<String>>,
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
    pub(super) statement: Vec<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStatement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) actions: Spanned<Vec<String>>,
    pub(super) resources: Spanned<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDataset {
    pub(super) name: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) key: Spanned<Vec<KeyColumns>>,
    pub(super) columns: Vec<RawColumn>,
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
    pub(super) created_at: Spanned<String>,
}
