//! Where the objects lie: below a prefix of a bucket, or in a folder.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::Permission;
use bytes::Bytes;
use jiff::Timestamp;

/// A bucket with a prefix, or a folder.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder whose files have the keys as their paths.
    Folder(PathBuf),
    /// Objects below a prefix.
    Bucket {
        /// Who reads them.
        s3: Client,
        /// The bucket.
        bucket: String,
        /// The prefix, which ends in `/` unless it is empty.
        prefix: String,
    },
}

/// An object by its name.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) modified: Option<Timestamp>,
    /// Its bytes come only after a restore.
    pub(super) is_archived: bool,
}

/// What an answer holds.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) body: Bytes,
    pub(super) encryption: Option<String>,
    pub(super) content_type: Option<String>,
}

/// Encryption and readers of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Somebody in particular; whether that is the bucket's owner too, with full control, if that can be known.
    Some { owner_controls: Option<bool> },
    /// Everybody, by this group.
    Everybody(String),
    /// We may not ask.
    Unknown,
}

/// A place that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A folder or a file.
    #[error("cannot read `{}`: {source}", path.display())]
    Folder {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bucket refuses.
    #[error("cannot {what} `{place}`: {answer}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Where.
        place: String,
        /// Status and code.
        answer: String,
    },
    /// The bucket does not answer.
    #[error("cannot {what} `{place}`: {message}")]
    NoAnswer {
        /// What was asked for.
        what: &'static str,
        /// Where.
        place: String,
        /// What went wrong.
        message: String,
    },
    /// More than anybody wants to read.
    #[error("there are more than {max} objects at `{place}`")]
    TooMany {
        /// Where.
        place: String,
        /// The bound.
        max: usize,
    },
}

impl PlaceError {
    /// Whether the caller can mend it.
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::NoAnswer { .. })
    }

    /// The next step.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "name a folder that can be read, or s3://bucket/prefix",
            Self::Refused { .. } => {
                "look at bucket, region and credentials; s3:ListBucket and s3:GetObject are needed"
            }
            Self::NoAnswer { .. } => "look whether the endpoint runs and can be reached",
            Self::TooMany { .. } => "name a narrower prefix, or allow more with `--max-objects`",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(formatter, "{}", path.display()),
            Self::Bucket { bucket, prefix, .. } => write!(formatter, "s3://{bucket}/{prefix}"),
        }
    }
}

fn s3_error<E>(what: &'static str, place: String, error: &SdkError<E, HttpResponse>) -> PlaceError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let Some(response) = error.raw_response() {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        let answer = format!("{} {}", response.status().as_u16(), code.unwrap_or("without a code"));
        return PlaceError::Refused { what, place, answer };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    PlaceError::NoAnswer { what, place, message: cause.to_string() }
}

impl Place {
    /// The prefix that keys here have.
    pub(super) fn prefix(&self) -> &str {
        match self {
            Self::Folder(_) => "",
            Self::Bucket { prefix, .. } => prefix,
        }
    }

    /// Every object, a page at a time.
    pub(super) fn listing(&self) -> Listing<'_> {
        let folders = match self {
            Self::Folder(root) => vec![root.clone()],
            Self::Bucket { .. } => Vec::new(),
        };
        Listing { place: self, token: None, folders, is_done: false }
    }

    /// An object's bytes, with what the answer says of them.
    pub(super) async fn read(&self, key: &str) -> Result<Found, PlaceError> {
        match self {
            Self::Folder(root) => {
                let path = root.join(key);
                let body = fs::read(&path).map_err(|source| PlaceError::Folder { path, source })?;
                Ok(Found { body: Bytes::from(body), encryption: None, content_type: None })
            }
            Self::Bucket { s3, bucket, .. } => {
                let place = format!("s3://{bucket}/{key}");
                let got = s3.get_object().bucket(bucket).key(key).send().await;
                let got = got.map_err(|error| s3_error("read", place.clone(), &error))?;
                let encryption = got.server_side_encryption().map(|kind| kind.as_str().to_owned());
                let content_type = got.content_type().map(str::to_owned);
                let customer = got.sse_customer_algorithm().map(|kind| format!("customer key {kind}"));
                let body = got.body.collect().await.map_err(|error| PlaceError::NoAnswer {
                    what: "read",
                    place,
                    message: error.to_string(),
                })?;
                Ok(Found { body: body.into_bytes(), encryption: encryption.or(customer), content_type })
            }
        }
    }

    /// The canonical id of the bucket's owner, if we may ask.
    pub(super) async fn owner(&self) -> Option<String> {
        let Self::Bucket { s3, bucket, .. } = self else { return None };
        let acl = s3.get_bucket_acl().bucket(bucket).send().await.ok()?;
        acl.owner()?.id().map(str::to_owned)
    }

    /// Who may read an object by its ACL, and whether `owner` has full control of it.
    pub(super) async fn readers(&self, key: &str, owner: Option<&str>) -> Readers {
        let Self::Bucket { s3, bucket, .. } = self else { return Readers::Unknown };
        let Ok(acl) = s3.get_object_acl().bucket(bucket).key(key).send().await else {
            return Readers::Unknown;
        };
        let groups = acl.grants().iter().filter_map(|grant| grant.grantee()?.uri());
        let public =
            groups.into_iter().find(|uri| uri.ends_with("/AllUsers") || uri.ends_with("/AuthenticatedUsers"));
        if let Some(uri) = public {
            return Readers::Everybody(uri.to_owned());
        }
        let controls = |owner: &str| {
            acl.grants().iter().any(|grant| {
                let is_owner = grant.grantee().and_then(|grantee| grantee.id()) == Some(owner);
                is_owner && grant.permission() == Some(&Permission::FullControl)
            })
        };
        Readers::Some { owner_controls: owner.map(controls) }
    }
}

/// The way through a place: never more than a page, or a folder's own files, is held.
pub(super) struct Listing<'a> {
    place: &'a Place,
    token: Option<String>,
    /// Folders that were not read yet; the next one last.
    folders: Vec<PathBuf>,
    is_done: bool,
}

impl Listing<'_> {
    /// The next objects; nothing after the last.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<Named>>, PlaceError> {
        match self.place {
            Place::Folder(root) => match self.folders.pop() {
                None => Ok(None),
                Some(folder) => files_of(root, &folder, &mut self.folders).map(Some),
            },
            Place::Bucket { s3, bucket, prefix } => {
                if self.is_done {
                    return Ok(None);
                }
                let page = s3.list_objects_v2().bucket(bucket).prefix(prefix);
                let page = page.set_continuation_token(self.token.take()).send().await;
                let page = page.map_err(|error| s3_error("list", self.place.to_string(), &error))?;
                match page.next_continuation_token() {
                    Some(next) if page.is_truncated() == Some(true) => self.token = Some(next.to_owned()),
                    _ => self.is_done = true,
                }
                let named = |object: &aws_sdk_s3::types::Object| {
                    Some(Named {
                        key: object.key()?.to_owned(),
                        bytes: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                        modified: object
                            .last_modified()
                            .and_then(|time| Timestamp::from_second(time.secs()).ok()),
                        is_archived: object
                            .storage_class()
                            .is_some_and(|class| matches!(class.as_str(), "GLACIER" | "DEEP_ARCHIVE")),
                    })
                };
                Ok(Some(page.contents().iter().filter_map(named).collect()))
            }
        }
    }
}

/// The files of one folder in order; its own folders are for later, in order as well.
fn files_of(root: &Path, folder: &Path, folders: &mut Vec<PathBuf>) -> Result<Vec<Named>, PlaceError> {
    let unreadable = |source| PlaceError::Folder { path: folder.to_owned(), source };
    let (mut found, mut below) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        if kind.is_dir() {
            below.push(path);
            continue;
        }
        let about =
            fs::metadata(&path).map_err(|source| PlaceError::Folder { path: path.clone(), source })?;
        let parts = path.strip_prefix(root).unwrap_or(&path).components();
        let parts: Vec<String> = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let modified = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        found.push(Named { key: parts.join("/"), bytes: about.len(), modified, is_archived: false });
    }
    found.sort_by(|left, right| left.key.cmp(&right.key));
    below.sort_by(|left, right| right.cmp(left));
    folders.extend(below);
    Ok(found)
}
