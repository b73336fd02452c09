//! Any sequence of requests leaves a bucket as it leaves a list of versions.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, MetadataDirective,
    VersioningConfiguration,
};
use proptest::prelude::*;

use crate::fixture::emulator;

#[derive(Clone, Debug)]
enum Step {
    Version(bool),
    Put(String, Vec<u8>),
    PutIfAbsent(String, Vec<u8>),
    Upload(String, Vec<u8>),
    Get(String),
    /// A version of a key, by how many are newer.
    GetVersion(String, usize),
    Delete(String),
    DeleteVersion(String, usize),
    Copy(String, String),
    CopyVersion(String, usize, String),
    List(String),
    ListVersions(String),
}

fn step() -> impl Strategy<Value = Step> {
    // The SDK itself refuses a key that is blank.
    let key = "[ab/+é][ab/ +é]{0,2}";
    let body = prop::collection::vec(any::<u8>(), 0..8);
    let newer = 0_usize..3;
    prop_oneof![
        1 => any::<bool>().prop_map(Step::Version),
        3 => (key, body.clone()).prop_map(|(key, body)| Step::Put(key, body)),
        2 => (key, body.clone()).prop_map(|(key, body)| Step::PutIfAbsent(key, body)),
        2 => (key, body).prop_map(|(key, body)| Step::Upload(key, body)),
        2 => key.prop_map(Step::Get),
        2 => (key, newer.clone()).prop_map(|(key, newer)| Step::GetVersion(key, newer)),
        2 => key.prop_map(Step::Delete),
        2 => (key, newer.clone()).prop_map(|(key, newer)| Step::DeleteVersion(key, newer)),
        2 => (key, key).prop_map(|(from, to)| Step::Copy(from, to)),
        2 => (key, newer, key).prop_map(|(from, newer, to)| Step::CopyVersion(from, newer, to)),
        1 => "[ab/]{0,1}".prop_map(Step::List),
        1 => "[ab/]{0,1}".prop_map(Step::ListVersions),
    ]
}

/// What a client sees of a step: the code of a refusal, or names with contents.
type Seen = Result<Vec<(String, Option<Vec<u8>>)>, String>;

/// A version: its key, its content or the mark of a deletion, and its id (absent: `null`).
#[derive(Clone, Debug)]
struct Kept {
    key: String,
    body: Option<Vec<u8>>,
    id: Option<String>,
}

/// The model: all versions, oldest first.
#[derive(Default)]
struct Model {
    kept: Vec<Kept>,
    versioning: Option<bool>,
}

impl Model {
    fn current(&self, key: &str) -> Option<&Vec<u8>> {
        self.kept.iter().rev().find(|kept| kept.key == key)?.body.as_ref()
    }

    fn nth(&self, key: &str, newer: usize) -> Option<&Kept> {
        self.kept.iter().rev().filter(|kept| kept.key == key).nth(newer)
    }

    /// Adds a version; without versioning it takes the place of the one without an id.
    fn add(&mut self, key: &str, body: Option<Vec<u8>>, id: Option<String>) {
        if id.is_none() {
            self.kept.retain(|kept| kept.key != key || kept.id.is_some());
        }
        if body.is_some() || self.versioning.is_some() {
            self.kept.push(Kept { key: key.to_owned(), body, id });
        }
    }

    /// What the step is to show. `id` is that of the version which it made, as the endpoint drew it.
    fn expected(&mut self, step: &Step, id: Option<String>) -> Seen {
        let missing = || "NoSuchKey".to_owned();
        match step {
            Step::Version(on) => self.versioning = Some(*on),
            Step::PutIfAbsent(key, _) if self.current(key).is_some() => {
                return Err("PreconditionFailed".into());
            }
            Step::Put(key, body) | Step::PutIfAbsent(key, body) | Step::Upload(key, body) => {
                self.add(key, Some(body.clone()), id);
            }
            Step::Get(key) => {
                return Ok(vec![(key.clone(), Some(self.current(key).ok_or_else(missing)?.clone()))]);
            }
            Step::GetVersion(key, newer) => {
                let Some(kept) = self.nth(key, *newer) else { return Ok(Vec::new()) };
                let body = kept.body.clone().ok_or("MethodNotAllowed")?;
                return Ok(vec![(key.clone(), Some(body))]);
            }
            Step::Delete(key) => self.add(key, None, id),
            Step::DeleteVersion(key, newer) => {
                if let Some(kept) = self.nth(key, *newer).cloned() {
                    self.kept.retain(|other| other.key != kept.key || other.id != kept.id);
                }
            }
            Step::Copy(from, to) => {
                let body = self.current(from).ok_or_else(missing)?.clone();
                self.add(to, Some(body), id);
            }
            Step::CopyVersion(from, newer, to) => {
                let Some(kept) = self.nth(from, *newer) else { return Ok(Vec::new()) };
                let body = kept.body.clone().ok_or("InvalidRequest")?;
                self.add(to, Some(body), id);
            }
            Step::List(prefix) => {
                let mut keys: Vec<&str> = self.kept.iter().map(|kept| kept.key.as_str()).collect();
                keys.sort_unstable();
                keys.dedup();
                let keys = keys.into_iter().filter(|key| key.starts_with(prefix.as_str()));
                let listed = keys.filter_map(|key| Some((key.to_owned(), Some(size(self.current(key)?)))));
                return Ok(listed.collect());
            }
            Step::ListVersions(prefix) => {
                let mut kept: Vec<&Kept> =
                    self.kept.iter().rev().filter(|kept| kept.key.starts_with(prefix.as_str())).collect();
                kept.sort_by(|a, b| a.key.cmp(&b.key));
                let name = |kept: &Kept| format!("{} {}", kept.key, kept.id.as_deref().unwrap_or("null"));
                let (objects, markers): (Vec<&Kept>, Vec<&Kept>) =
                    kept.into_iter().partition(|kept| kept.body.is_some());
                let all = objects.into_iter().chain(markers);
                return Ok(all.map(|kept| (name(kept), kept.body.as_ref().map(|body| size(body)))).collect());
            }
        }
        Ok(Vec::new())
    }
}

fn size(body: &[u8]) -> Vec<u8> {
    body.len().to_string().into_bytes()
}

#[expect(clippy::needless_pass_by_value, reason = "maps errors")]
fn code<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> String {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned()
}

/// An upload of two parts, the second of them small.
async fn upload(s3: &Client, key: &str, body: &[u8]) -> Option<String> {
    let begun = s3.create_multipart_upload().bucket("logs").key(key).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = s3.upload_part().bucket("logs").key(key).upload_id(id).part_number(7);
    let part = part.body(ByteStream::from(body.to_vec())).send().await.unwrap();
    let part = CompletedPart::builder().part_number(7).set_e_tag(part.e_tag).set_checksum_crc32(None).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete =
        s3.complete_multipart_upload().bucket("logs").key(key).upload_id(id).multipart_upload(parts);
    complete.send().await.unwrap().version_id
}

fn copy(
    s3: &Client,
    from: &str,
    version: Option<&str>,
    to: &str,
) -> aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder {
    let source = percent_encoding::utf8_percent_encode(from, percent_encoding::NON_ALPHANUMERIC);
    let version = version.map_or(String::new(), |id| format!("?versionId={id}"));
    // A copy onto itself has to change something.
    let copy = s3.copy_object().bucket("logs").key(to).metadata_directive(MetadataDirective::Replace);
    copy.copy_source(format!("logs/{source}{version}"))
}

/// Does a step; answers what is seen, and the id of the version that was made.
async fn seen(s3: &Client, model: &Model, step: &Step) -> (Seen, Option<String>) {
    let none = |seen: Result<Option<String>, String>| match seen {
        Ok(id) => (Ok(Vec::new()), id.filter(|id| id != "null")),
        Err(code) => (Err(code), None),
    };
    let put = |key: &String, body: &[u8]| {
        s3.put_object().bucket("logs").key(key).body(ByteStream::from(body.to_vec()))
    };
    let id_of = |kept: &Kept| kept.id.clone().unwrap_or_else(|| "null".to_owned());
    match step {
        Step::Version(on) => {
            let status =
                if *on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
            let configuration = VersioningConfiguration::builder().status(status).build();
            let put = s3.put_bucket_versioning().bucket("logs").versioning_configuration(configuration);
            none(put.send().await.map(|_| None).map_err(code))
        }
        Step::Put(key, body) => none(put(key, body).send().await.map(|done| done.version_id).map_err(code)),
        Step::PutIfAbsent(key, body) => {
            none(put(key, body).if_none_match("*").send().await.map(|done| done.version_id).map_err(code))
        }
        Step::Upload(key, body) => none(Ok(upload(s3, key, body).await)),
        Step::Get(key) => match s3.get_object().bucket("logs").key(key).send().await {
            Ok(got) => (Ok(vec![(key.clone(), Some(got.body.collect().await.unwrap().to_vec()))]), None),
            Err(error) => (Err(code(error)), None),
        },
        Step::GetVersion(key, newer) => {
            let Some(kept) = model.nth(key, *newer) else { return (Ok(Vec::new()), None) };
            match s3.get_object().bucket("logs").key(key).version_id(id_of(kept)).send().await {
                Ok(got) => (Ok(vec![(key.clone(), Some(got.body.collect().await.unwrap().to_vec()))]), None),
                Err(error) => (Err(code(error)), None),
            }
        }
        Step::Delete(key) => none(
            s3.delete_object().bucket("logs").key(key).send().await.map(|done| done.version_id).map_err(code),
        ),
        Step::DeleteVersion(key, newer) => {
            let Some(kept) = model.nth(key, *newer) else { return (Ok(Vec::new()), None) };
            let delete = s3.delete_object().bucket("logs").key(key).version_id(id_of(kept));
            none(delete.send().await.map(|_| None).map_err(code))
        }
        Step::Copy(from, to) => {
            none(copy(s3, from, None, to).send().await.map(|done| done.version_id).map_err(code))
        }
        Step::CopyVersion(from, newer, to) => {
            let Some(kept) = model.nth(from, *newer) else { return (Ok(Vec::new()), None) };
            none(
                copy(s3, from, Some(&id_of(kept)), to).send().await.map(|done| done.version_id).map_err(code),
            )
        }
        Step::List(prefix) => {
            let listed = s3.list_objects_v2().bucket("logs").prefix(prefix).send().await.unwrap();
            let object = |object: &aws_sdk_s3::types::Object| {
                (object.key().unwrap().to_owned(), Some(object.size().unwrap().to_string().into_bytes()))
            };
            (Ok(listed.contents().iter().map(object).collect()), None)
        }
        Step::ListVersions(prefix) => {
            let listed = s3.list_object_versions().bucket("logs").prefix(prefix).send().await.unwrap();
            let objects = listed.versions().iter().map(|version| {
                let name = format!("{} {}", version.key().unwrap(), version.version_id().unwrap());
                (name, Some(version.size().unwrap().to_string().into_bytes()))
            });
            let markers = listed
                .delete_markers()
                .iter()
                .map(|marker| (format!("{} {}", marker.key().unwrap(), marker.version_id().unwrap()), None));
            (Ok(objects.chain(markers).collect()), None)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bucket_behaves_like_a_list_of_versions(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let emulator = emulator().await;
            let s3 = emulator.s3("admin");
            let mut model = Model::default();
            for step in &steps {
                let (seen, id) = seen(&s3, &model, step).await;
                prop_assert_eq!(seen, model.expected(step, id), "{:?}", step);
            }
            Ok(())
        })?;
    }
}
