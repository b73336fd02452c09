//! A request made ready for matching: what every statement asks for, computed once.

use crate::context::Values;
use crate::policy::PolicyKind;
use crate::principal::Principal;
use crate::request::{Relation, Request};
use crate::wildcard;

/// Whether a permissions boundary is attached to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounded {
    Yes,
    No,
}

/// Which account says who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruler {
    /// The owner of the resource; for objects the owner of their bucket.
    ResourceOwner,
    /// The owner of an object in a bucket of another account.
    ObjectOwner,
}

/// The request as the statements see it.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) request: &'a Request,
    pub(crate) lower_action: LowerAction,
    /// `None` when the request has no resource ARN (`*`).
    pub(crate) resource: Option<&'a str>,
    /// How the caller relates to the account that rules over the resource.
    pub(crate) relation: Relation,
    pub(crate) ruler: Ruler,
    pub(crate) bounded: Bounded,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(request: &'a Request, bounded: Bounded) -> Self {
        let arn = request.resource.arn.as_str();
        Self {
            request,
            lower_action: LowerAction::new(&request.action),
            resource: crate::arn::segments(arn).map(|_| arn),
            relation: request.relation(),
            ruler: Ruler::ResourceOwner,
            bounded,
        }
    }

    pub(crate) fn lower_service(&self) -> &[u8] {
        self.lower_action.as_bytes().split(|byte| *byte == b':').next().unwrap_or_default()
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.request.principal
    }

    /// The unique id of the caller's user or role.
    pub(crate) fn unique_id(&self) -> Option<&str> {
        if let Some(id) = &self.request.ids.unique {
            return Some(id.as_str());
        }
        match self.request.context.get("aws:userid") {
            Some(Values::One(id)) => id.split(':').next(),
            _ => None,
        }
    }

    /// The kind of resource policy that rules over this request, if its service has one that we know.
    pub(crate) fn resource_policy_kind(&self) -> Option<PolicyKind> {
        match self.lower_service() {
            b"s3" => Some(PolicyKind::Bucket),
            b"sts" => Some(PolicyKind::Trust),
            b"kms" => Some(PolicyKind::Key),
            b"sns" => Some(PolicyKind::Topic),
            b"sqs" => Some(PolicyKind::Queue),
            _ => None,
        }
    }
}

/// Longer than any action of AWS; a longer one moves to the heap.
const INLINE_BYTES: usize = 80;

/// `service:action`, lower-case, since actions compare without regard to case.
#[derive(Debug)]
pub(crate) struct LowerAction {
    bytes: Bytes,
    first_word: u64,
}

#[derive(Debug)]
enum Bytes {
    Inline { bytes: [u8; INLINE_BYTES], length: usize },
    Heap(Box<[u8]>),
}

impl LowerAction {
    pub(crate) fn new(action: &str) -> Self {
        let bytes = Bytes::lower(action);
        let first_word = wildcard::first_word(bytes.as_slice());
        Self { bytes, first_word }
    }

    /// The first eight bytes as [`wildcard::first_word`] has them.
    pub(crate) fn first_word(&self) -> u64 {
        self.first_word
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}

impl Bytes {
    fn lower(text: &str) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        let Some(target) = bytes.get_mut(..text.len()) else {
            return Self::Heap(text.to_ascii_lowercase().into_bytes().into());
        };
        target.copy_from_slice(text.as_bytes());
        target.make_ascii_lowercase();
        Self::Inline { bytes, length: text.len() }
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { bytes, length } => bytes.get(..*length).unwrap_or_default(),
            Self::Heap(bytes) => bytes,
        }
    }
}
