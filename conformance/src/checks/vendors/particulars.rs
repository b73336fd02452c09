//! What a vendor's page says, as rows.

use crate::check::Area;
use crate::stage::Element;

/// Requirement ids.
pub(super) type Ids = &'static [&'static str];
/// A text, and what stands in its place.
pub(super) type Edit = (&'static str, &'static str);

/// One profile.
#[derive(Debug)]
pub(super) struct Vendor {
    /// The area's name.
    pub(super) name: &'static str,
    /// The profile's id.
    pub(super) profile: &'static str,
    /// The policy of the page, for the bucket and prefix of the stage.
    pub(super) policy: &'static str,
    pub(super) policy_ids: Ids,
    /// Of the policy's use: that it suffices.
    pub(super) sufficient_ids: Ids,
    /// The action without which nothing can be written.
    pub(super) writes_by: &'static str,
    /// The elements of the policy, each with what becomes of the export without it.
    pub(super) elements: &'static [Taken],
    pub(super) keys: &'static [Keys],
    pub(super) columns: &'static [Columns],
    pub(super) forms: &'static [Form],
    pub(super) examples: Examples,
    pub(super) headers: &'static [Header],
    pub(super) diagnoses: &'static [Diagnosed],
    pub(super) refusals: &'static [Refused],
    /// What the page says of keys of KMS, if it does.
    pub(super) kms: Option<Kms>,
    pub(super) inert_ids: Ids,
    /// Rows are neither lost nor doubled when answers are lost.
    pub(super) retry_ids: Ids,
    /// A column that no row may lack, with its dataset.
    pub(super) required: (&'static str, &'static str),
}

impl Vendor {
    pub(super) const fn area(&self) -> Area {
        Area::Vendor { name: self.name, profile: self.profile }
    }
}

/// An element of the policy that is taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// A part of the check's id.
    pub(super) id: &'static str,
    /// As reports name it.
    pub(super) name: &'static str,
    pub(super) element: Element,
    /// Whether exports stop without it; what is documented beyond need, they do without.
    pub(super) stops: bool,
    /// What the doctor names: actions, and whether on the bucket or its objects.
    pub(super) named: &'static [&'static str],
    pub(super) ids: Ids,
}

impl Taken {
    /// All objects of the bucket.
    pub(super) const fn objects(named: &'static [&'static str], ids: Ids) -> Self {
        let element = Element::Resource("/*");
        Self { id: "objects", name: "resource BUCKET/*", element, stops: true, named, ids }
    }

    /// The bucket itself.
    pub(super) const fn bucket(stops: bool, named: &'static [&'static str], ids: Ids) -> Self {
        Self { id: "bucket", name: "resource BUCKET", element: Element::Resource(""), stops, named, ids }
    }
}

/// The keys of a dataset's objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) ids: Ids,
    /// The prefix of the connection.
    pub(super) prefix: &'static str,
    /// More lines of the configuration's head.
    pub(super) head: &'static str,
    /// Every key is of one of these, and each of these has one: `#` is a digit, `~` a hexadecimal one, `*` some of
    /// `a` to `z`, digits and `-`.
    pub(super) patterns: &'static [&'static str],
    /// A change of the profile that makes other keys.
    pub(super) broken_by: Edit,
}

/// The columns of a dataset, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) dataset: &'static str,
    pub(super) ids: Ids,
    /// `name:kind` with spaces between, in the order of the page.
    pub(super) list: &'static str,
    /// A part of the key that only this dataset's objects have.
    pub(super) key_part: &'static str,
    pub(super) broken_by: Edit,
}

/// A format that a connection may choose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) id: &'static str,
    pub(super) ids: Ids,
    /// Lines of the configuration's head that choose it.
    pub(super) head: &'static str,
    /// How keys end.
    pub(super) suffix: &'static str,
    pub(super) kind: FormKind,
    pub(super) broken_by: Edit,
}

/// What a file is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormKind {
    /// Parquet, with the codec of its columns.
    Parquet(&'static str),
    /// JSON lines, packed with gzip or not.
    JsonLines { packed: bool },
    /// CSV, packed with gzip or not.
    Csv { packed: bool },
}

/// The rows that the page shows, through the whole export.
#[derive(Clone, Copy, Debug)]
pub(super) struct Examples {
    pub(super) ids: Ids,
    /// When the run is made.
    pub(super) now: &'static str,
    pub(super) head: &'static str,
    pub(super) csv: bool,
    /// A dataset with a change of its rows that shows.
    pub(super) broken_by: (&'static str, &'static str, &'static str),
    /// Rows that are refused, if the page speaks of any: ids, the dataset with a change that makes one of them right.
    pub(super) refused: Option<(Ids, (&'static str, &'static str, &'static str))>,
}

/// A header that every write has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) ids: Ids,
    pub(super) head: &'static str,
    /// The condition key of it, and the value that the bucket insists on.
    pub(super) insists: Edit,
    /// A change of the profile, or of the configuration, that leaves it out.
    pub(super) broken_by: Broken,
}

impl Header {
    /// The encryption with keys of S3.
    pub(super) const fn sse_s3(title: &'static str, ids: Ids) -> Self {
        Self {
            id: "sse-s3",
            title,
            ids,
            head: "encryption = \"sse-s3\"",
            insists: ("s3:x-amz-server-side-encryption", "AES256"),
            broken_by: Broken::Config("\"sse-s3\"", "\"none\""),
        }
    }

    /// The canned ACL for buckets of others.
    pub(super) const fn full_control(ids: Ids) -> Self {
        Self {
            id: "acl",
            title: "every write gives the bucket's owner full control",
            ids,
            head: "",
            insists: ("s3:x-amz-acl", "bucket-owner-full-control"),
            broken_by: Broken::Profile("acl = \"bucket-owner-full-control\"", ""),
        }
    }
}

/// Where a falsifier changes something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broken {
    Profile(&'static str, &'static str),
    Config(&'static str, &'static str),
}

/// A set-up that is wrong, and the requirement that the diagnosis refers to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Diagnosed {
    pub(super) kind: Wrong,
    pub(super) id: &'static str,
    pub(super) ids: Ids,
}

/// What is wrong with a set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Bucket,
    Region,
    Key,
    Secret,
}

/// A configuration that is refused before anything is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) ids: Ids,
    pub(super) edit: Edit,
    /// What the refusal says.
    pub(super) says: &'static str,
}

impl Refused {
    /// Keys of which one half is missing.
    pub(super) const fn without_secret(ids: Ids) -> Self {
        Self {
            id: "no-secret",
            title: "a configuration without a secret access key is refused",
            ids,
            edit: ("secret_access_key = { env = \"SECRET\" }", "# without its secret"),
            says: "secret_access_key",
        }
    }

    /// A region that is none.
    pub(super) const fn in_no_region(title: &'static str, ids: Ids) -> Self {
        Self { id: "region", title, ids, edit: ("region = \"us-east-1\"", "region = \"EU\""), says: "`EU`" }
    }
}

/// Buckets that are encrypted with a key of the customer's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kms {
    pub(super) ids: Ids,
    /// The requirement that the diagnosis refers to.
    pub(super) id: &'static str,
    /// Whether the page prints a policy of the key; otherwise the identity's policy must allow the use.
    pub(super) key_policy: bool,
}
