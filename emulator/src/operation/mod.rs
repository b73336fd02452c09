//! What a request asks for, once it is decoded.
//!
//! An operation states what it needs before it can be done: [`Operation::requirements`] has no default, so an
//! operation without requirements does not compile, and [`Operation::apply`] takes an [`Authorized`] operation,
//! which only `authorize.rs` can make.

mod name;

use std::borrow::Cow;

use bucketproof_authz::{AccountId, Values};
use jiff::Timestamp;

pub use name::{Op, UnknownOp};

use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::kms::KeyAccess;
use crate::state::World;

/// A decoded request.
pub(crate) trait Operation: Sized {
    /// What it answers.
    type Output;

    /// Its name.
    const OP: Op;

    /// What it works on.
    fn target(&self) -> Target<'_>;

    /// The permissions it needs, in the order in which AWS asks for them.
    ///
    /// The state may be looked at (a read of a missing key needs `s3:ListBucket` too), never changed.
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError>;

    /// Does it. `now` is the emulator's clock.
    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        now: Timestamp,
    ) -> Result<Self::Output, AwsError>;
}

/// What an operation works on; used for redirects, the journal and faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Account,
    Bucket(&'a str),
    Object(&'a str, &'a str),
}

impl<'a> Target<'a> {
    pub(crate) fn bucket(self) -> Option<&'a str> {
        match self {
            Self::Account => None,
            Self::Bucket(bucket) | Self::Object(bucket, _) => Some(bucket),
        }
    }
}

/// One permission that an operation needs.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    pub(crate) action: &'static str,
    pub(crate) resource: RequiredResource,
    /// Condition keys of this operation, beside those of the request.
    pub(crate) context: Vec<(Cow<'static, str>, Values)>,
    pub(crate) weight: Weight,
    /// The service that asks with the caller's permissions, if it is not the caller who asks: `s3`.
    pub(crate) via_service: Option<&'static str>,
}

/// What becomes of an operation whose requirement is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is refused.
    Needed,
    /// It is refused if a policy denies the action; that none allows it matters only if another requirement fails too.
    NotDenied,
    /// It is done all the same, and answers less.
    Optional,
}

/// The resource of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequiredResource {
    /// The action has no resource.
    Any,
    /// A bucket; its policy and owner count.
    Bucket(String),
    /// A bucket that does not exist yet and would belong to the caller.
    NewBucket(String),
    Object {
        bucket: String,
        key: String,
    },
    /// An object that the request is to write; what stands under its key now does not count.
    NewObject {
        bucket: String,
        key: String,
    },
    /// A role that is to be assumed; its trust policy counts.
    Role {
        arn: String,
        account: Option<AccountId>,
    },
    /// A KMS key; its policy counts, and its properties are condition keys.
    Key(Box<KeyAccess>),
    /// An alias of a KMS key; it has no policy of its own.
    KeyAlias {
        arn: String,
        account: AccountId,
    },
    /// An SNS topic; its policy counts.
    Topic {
        arn: String,
        account: AccountId,
    },
    /// A topic or queue whose policy does not count: one to be made, or that of a subscription.
    WithoutPolicy {
        arn: String,
        account: AccountId,
    },
    /// An SQS queue; its policy counts.
    Queue {
        arn: String,
        account: AccountId,
    },
    /// What IAM manages; it has no policy of its own.
    Iam {
        arn: String,
        account: AccountId,
        /// How AWS names it in a denial, where that is not the ARN: `role exporter`.
        shown: Option<String>,
    },
}

impl Requirement {
    pub(crate) fn new(action: &'static str, resource: RequiredResource) -> Self {
        Self { action, resource, context: Vec::new(), weight: Weight::Needed, via_service: None }
    }

    pub(crate) fn on_bucket(action: &'static str, bucket: &str) -> Self {
        Self::new(action, RequiredResource::Bucket(bucket.to_owned()))
    }

    pub(crate) fn on_object(action: &'static str, bucket: &str, key: &str) -> Self {
        Self::new(action, RequiredResource::Object { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    pub(crate) fn on_new_object(action: &'static str, bucket: &str, key: &str) -> Self {
        Self::new(action, RequiredResource::NewObject { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    pub(crate) fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.context.push((key.into(), Values::One(value.into())));
        self
    }

    /// A key that is a list, such as `aws:TagKeys`.
    pub(crate) fn with_many<V: Into<String>>(
        mut self,
        key: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.context.push((key.into(), Values::Many(values)));
        self
    }

    /// The operation does without, if it must.
    pub(crate) fn optional(mut self) -> Self {
        self.weight = Weight::Optional;
        self
    }

    /// The operation needs no permission, as long as nothing denies it.
    pub(crate) fn not_denied(mut self) -> Self {
        self.weight = Weight::NotDenied;
        self
    }

    /// The value of a key that has one.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.context.iter().find_map(|(own, values)| match values {
            Values::One(value) if own == key => Some(value.as_str()),
            _ => None,
        })
    }

    pub(crate) fn with_some(self, key: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl RequiredResource {
    /// The key, if it is one.
    pub(crate) fn key_access(&self) -> Option<&KeyAccess> {
        match self {
            Self::Key(access) => Some(access),
            _ => None,
        }
    }

    /// The resource as it stands in a policy.
    pub(crate) fn arn(&self) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::Bucket(bucket) | Self::NewBucket(bucket) => format!("arn:aws:s3:::{bucket}"),
            Self::Object { bucket, key } | Self::NewObject { bucket, key } => {
                format!("arn:aws:s3:::{bucket}/{key}")
            }
            Self::Role { arn, .. }
            | Self::Iam { arn, .. }
            | Self::KeyAlias { arn, .. }
            | Self::Topic { arn, .. }
            | Self::Queue { arn, .. }
            | Self::WithoutPolicy { arn, .. } => arn.clone(),
            Self::Key(access) => access.key.arn.as_str().to_owned(),
        }
    }

    /// A denial with the resource as AWS names it.
    pub(crate) fn shown_in(&self, message: String) -> String {
        match self {
            Self::Iam { arn, shown: Some(shown), .. } => {
                message.replacen(&format!("on resource: {arn} "), &format!("on resource: {shown} "), 1)
            }
            _ => message,
        }
    }
}
