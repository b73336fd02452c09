//! A vendor's catalogue as data: formats of files and what the owner of the bucket grants.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::document::{Document, DocumentError};
use crate::import::profile::ImportGrant;
use crate::names::BucketName;

/// The profiles that come with the crate: id and TOML text.
const EMBEDDED: [(&str, &str); 1] =
    [("permutive_import", include_str!("../../../profiles/import/permutive_import.toml"))];

/// How the files of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueFormat {
    /// Parquet.
    Parquet,
    /// CSV with a header, perhaps within gzip.
    Csv,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    title: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFormat {
    name: CatalogueFormat,
    suffixes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    catalogue: Head,
    format: Vec<RawFormat>,
    policy: Vec<ImportGrant>,
}

/// A vendor's catalogue.
#[derive(Clone, Debug)]
pub struct CatalogueProfile {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    formats: Vec<RawFormat>,
    policy: Vec<ImportGrant>,
}

impl CatalogueProfile {
    /// The profile of that id that comes with the crate.
    pub fn named(id: &str) -> Option<Result<Self, DocumentError>> {
        EMBEDDED.iter().find(|(own, _)| *own == id).map(|(id, text)| Self::parse(text, &format!("{id}.toml")))
    }

    /// The ids of the profiles that come with the crate.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(id, _)| *id)
    }

    /// Reads a profile; errors name file, line, column and the next step.
    pub fn parse(text: &str, file: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, text);
        let raw: Raw = document.parse("compare with the profiles that come with the crate")?;
        let Raw { catalogue: Head { id, title }, format, policy } = raw;
        Ok(Self { id, title, formats: format, policy })
    }

    /// What the names of files end with.
    pub(super) fn suffixes(&self, format: CatalogueFormat) -> &[String] {
        self.formats.iter().find(|own| own.name == format).map_or(&[], |own| own.suffixes.as_slice())
    }

    /// The policy that a bucket needs.
    pub fn bucket_policy(&self, bucket: &BucketName, principal: &str) -> Value {
        let arn = format!("arn:aws:s3:::{bucket}");
        let statements = self.policy.iter().map(|grant| {
            let resources = grant.resources.iter().map(|resource| resource.replace("{bucket}", &arn));
            json!({
                "Effect": "Allow",
                "Principal": { "AWS": principal },
                "Action": grant.actions,
                "Resource": resources.collect::<Vec<_>>(),
            })
        });
        json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
    }
}
