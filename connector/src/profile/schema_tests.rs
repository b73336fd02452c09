//! The JSON Schema of profiles says what the profile language says.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{SCHEMA, VendorProfile};

/// What of `value` the schema refuses, of the keywords that the schema uses.
fn refusals(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        return refusals(root, target, value, at, found);
    }
    let keywords: BTreeSet<&str> = schema.as_object().unwrap().keys().map(String::as_str).collect();
    for keyword in keywords {
        let wanted = &schema[keyword];
        let ok = match keyword {
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                other => panic!("unknown type `{other}`"),
            },
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= wanted.as_i64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
            "minItems" => value.as_array().is_none_or(|items| !items.is_empty()),
            "required" => value.as_object().is_none_or(|object| {
                wanted.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "additionalProperties" => value
                .as_object()
                .is_none_or(|object| object.keys().all(|name| schema["properties"].get(name).is_some())),
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = wanted.get(name) {
                        refusals(root, schema, inner, &format!("{at}.{name}"), found);
                    }
                }
                true
            }
            "items" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    refusals(root, wanted, inner, &format!("{at}[{index}]"), found);
                }
                true
            }
            "oneOf" => {
                let fits = wanted.as_array().unwrap().iter().filter(|schema| {
                    let mut inner = Vec::new();
                    refusals(root, schema, value, at, &mut inner);
                    inner.is_empty()
                });
                fits.count() == 1
            }
            "pattern" => value.as_str().is_none_or(|text| match wanted.as_str().unwrap() {
                "^[a-z][a-z0-9_]*$" => crate::names::ProfileId::new(text).is_ok(),
                "^[0-9]+[smh]$" => {
                    text.ends_with(['s', 'm', 'h']) && text[..text.len() - 1].parse::<u64>().is_ok()
                }
                "^arn:" => text.starts_with("arn:"),
                "^kms:" => text.starts_with("kms:"),
                other => panic!("unknown pattern `{other}`"),
            }),
            "$schema" | "$defs" | "title" | "description" => true,
            other => panic!("unknown keyword `{other}`"),
        };
        if !ok {
            found.push(format!("{at}: {keyword}"));
        }
    }
}

fn judge(text: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let value: Value = serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    let mut found = Vec::new();
    refusals(&schema, &schema, &value, "", &mut found);
    found
}

/// Claims ENG-21.
#[test]
fn the_profiles_fit_the_schema() {
    for (id, text) in VendorProfile::embedded() {
        assert_eq!(judge(text), Vec::<String>::new(), "{id}");
    }
}

/// What serde refuses by name or kind, the schema refuses as well.
#[test]
fn what_is_misspelt_is_refused_by_both() {
    let text = VendorProfile::embedded().next().unwrap().1;
    for (right, wrong) in [
        ("nullable = false, doc", "nulable = false, doc"),
        ("direction = \"export\"", "direction = \"export\"\nspeed = 9"),
        ("type = \"array_json\"", "type = \"array_jsn\""),
        ("every = \"5m\"", "every = \"often\""),
        ("zone = \"UTC\"", "zone = \"CET\""),
        ("when = \"wrong_region\"", "when = \"wrong_planet\""),
        ("mode = \"replace\"", "mode = \"apend\""),
        ("effect = \"Allow\"", "effect = \"allow\""),
        ("row_group_rows = 16384", "row_group_rows = 0"),
        ("cadence = { every = \"5m\", align = true }", "cadence = { every = \"5m\", at = \"04:00\" }"),
        ("id = \"suprsend_s3_v2\"", "id = \"SuprSend\""),
    ] {
        let broken = text.replacen(right, wrong, 1);
        assert_ne!(broken, text, "{right}");
        assert_ne!(judge(&broken), Vec::<String>::new(), "{wrong}");
        assert!(VendorProfile::parse(&broken, "vendor.toml").is_err(), "{wrong}");
    }
}

fn known<T: serde::de::DeserializeOwned>(words: &[String], refused: &str) {
    for word in words {
        serde_json::from_value::<T>(Value::from(word.as_str())).unwrap_or_else(|_| panic!("`{word}`"));
    }
    // Serde lists what it takes: there is no word that the schema lacks.
    let error = serde_json::from_value::<T>(Value::from(refused)).err().unwrap().to_string();
    for word in words {
        assert!(error.contains(&format!("`{word}`")), "{error}");
    }
    assert_eq!(error.matches('`').count() / 2, words.len() + 1, "{error}");
}

/// The lists of words are those of the code.
#[test]
fn the_schema_knows_every_word() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let words = |pointer: &str| -> Vec<String> {
        let list = schema.pointer(pointer).unwrap().as_array().unwrap();
        list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    known::<super::ColumnType>(&words("/$defs/column/properties/type/enum"), "nothing");
    known::<super::TextForm>(&words("/$defs/column/properties/form/enum"), "nothing");
    known::<super::Mode>(&words("/$defs/mode/enum"), "nothing");
    known::<super::Format>(&words("/$defs/encoding/properties/format/enum"), "nothing");
    known::<super::Compression>(&words("/$defs/encoding/properties/compression/enum"), "nothing");
    known::<super::PartitionUnit>(&words("/$defs/partition/properties/unit/enum"), "nothing");
    known::<crate::store::DiagnosisKind>(&words("/properties/doctor/items/properties/when/enum"), "nothing");
}
