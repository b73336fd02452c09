//! The message that S3 sends about objects, by way of SNS or SQS.
//!
//! Source: S3 User Guide, "Event message structure".

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::store::FoundFile;

/// What a message of S3 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// S3 tries the connection; there is no object.
    Test,
    /// Objects.
    Objects(Vec<Announced>),
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    /// It was created, in whatever way.
    Created {
        /// Its bucket.
        bucket: String,
        /// What is known of it.
        file: FoundFile,
    },
    /// Something else, which is no news for an import.
    Other {
        /// The event.
        event: String,
    },
}

#[derive(Deserialize)]
struct RawMessage {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "Records")]
    records: Option<Vec<RawRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecord {
    event_name: String,
    event_time: Timestamp,
    s3: RawS3,
}

#[derive(Deserialize)]
struct RawS3 {
    bucket: RawBucket,
    object: RawObject,
}

#[derive(Deserialize)]
struct RawBucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawObject {
    key: String,
    size: Option<u64>,
    e_tag: Option<String>,
    version_id: Option<String>,
}

/// Reads a message; what is wrong with it is told in words.
pub(crate) fn parse(text: &str) -> Result<Said, String> {
    let raw: RawMessage = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Some(records) = raw.records else {
        return match raw.event.as_deref() {
            Some("s3:TestEvent") => Ok(Said::Test),
            _ => Err("it has no `Records`".to_owned()),
        };
    };
    records.into_iter().map(announced).collect::<Result<_, _>>().map(Said::Objects)
}

fn announced(record: RawRecord) -> Result<Announced, String> {
    // Over EventBridge-like detours the name comes with its service.
    let event = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if !event.starts_with("ObjectCreated:") {
        return Ok(Announced::Other { event: record.event_name });
    }
    let object = record.s3.object;
    let key = decoded(&object.key).ok_or_else(|| format!("the key `{}` is not encoded UTF-8", object.key))?;
    let (Some(bytes), Some(tag)) = (object.size, object.e_tag) else {
        return Err(format!("`{}` of `{key}` has no size or no entity tag", record.event_name));
    };
    let etag = format!("\"{}\"", tag.trim_matches('"'));
    let version = object.version_id.filter(|version| !version.is_empty());
    let file = FoundFile { key, etag, version, bytes, created: record.event_time };
    Ok(Announced::Created { bucket: record.s3.bucket.name, file })
}

/// A key as it was before it was encoded as in a form: `+` is a space, `%2B` a plus.
fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event: &str, key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventName":"{event}","eventTime":"2026-01-01T00:00:00.123Z","s3":{{"bucket":{{"name":"b"}},
               "object":{{"key":"{key}","size":3,"eTag":"abc"}}}}}}]}}"#
        )
    }

    fn key(encoded: &str) -> String {
        let said = parse(&message("ObjectCreated:Put", encoded)).unwrap();
        let Said::Objects(objects) = said else { panic!("{said:?}") };
        let [Announced::Created { file, .. }] = objects.as_slice() else { panic!("{objects:?}") };
        assert_eq!((file.etag.as_str(), file.bytes), ("\"abc\"", 3));
        assert_eq!(file.created.as_millisecond(), 1_767_225_600_123);
        file.key.clone()
    }

    /// Claims SPL-14, SPL-17: all ways to create an object count, and keys are decoded.
    #[test]
    fn keys_are_decoded_and_creations_told_from_the_rest() {
        for (encoded, plain) in [
            ("events/a.parquet", "events/a.parquet"),
            ("a+b%2Bc", "a b+c"),
            ("year%3D2026/%C3%A4%E2%82%AC", "year=2026/ä€"),
            ("100%2525", "100%25"),
        ] {
            assert_eq!(key(encoded), plain);
        }
        for kind in ["Put", "Post", "Copy", "CompleteMultipartUpload"] {
            let said = parse(&message(&format!("ObjectCreated:{kind}"), "k")).unwrap();
            assert!(
                matches!(said, Said::Objects(objects) if matches!(objects[0], Announced::Created { .. }))
            );
        }
        let removed = r#"{"Records":[{"eventName":"ObjectRemoved:Delete","eventTime":"2026-01-01T00:00:00Z",
            "s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#;
        let other = Announced::Other { event: "ObjectRemoved:Delete".to_owned() };
        assert_eq!(parse(removed).unwrap(), Said::Objects(vec![other]));
    }

    /// Claims SPL-15.
    #[test]
    fn a_test_event_is_told_from_what_is_no_event() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b"}"#;
        assert_eq!(parse(test), Ok(Said::Test));
        for wrong in ["", "hello", "{}", r#"{"Event":"other"}"#, r#"{"Records":[{}]}"#, r#"{"Records":{}}"#] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&message("ObjectCreated:Put", "%ff")).unwrap_err().contains("not encoded UTF-8"));
    }
}
