//! What a question says about the bucket and the key beside their policies.

use crate::acl::{Acl, AclGrant, AclGroup, AclPermission, CanonicalUserId, Grantee};
use crate::context::Context;
use crate::decide::Acls;
use crate::kms_grant::{
    EncryptionContext, GrantPrincipal, KmsGrant, KmsGrantConstraints, KmsGrantOperation, KmsGrants,
};
use crate::ownership::ObjectOwnership;
use crate::policy::json::{Node, Value};
use crate::public_access::PublicAccessBlock;

use super::fields::{Fields, Read, error};

/// ACLs, Object Ownership and Block Public Access. Without a setting the bucket is owner-enforced, as on AWS.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    ownership: ObjectOwnership,
    acl: Option<Acl>,
    object_acl: Option<Acl>,
    pub(super) public_access_block: PublicAccessBlock,
}

impl Bucket {
    pub(super) fn acls(&self) -> Option<Acls<'_>> {
        let bucket = self.acl.as_ref()?;
        Some(Acls { ownership: self.ownership, bucket, object: self.object_acl.as_ref() })
    }

    /// Two settings of Block Public Access rule over the writing of policies and ACLs and are read for their form.
    pub(super) fn read_settings(&mut self, node: &Node) -> Read<()> {
        let known = [
            "restrictPublicBuckets",
            "blockPublicPolicy",
            "blockPublicAcls",
            "ignorePublicAcls",
            "objectOwnership",
        ];
        let fields = Fields::of(node, "settings", &known)?;
        self.public_access_block = PublicAccessBlock {
            block_public_acls: fields.flag("blockPublicAcls")?,
            ignore_public_acls: fields.flag("ignorePublicAcls")?,
            block_public_policy: fields.flag("blockPublicPolicy")?,
            restrict_public_buckets: fields.flag("restrictPublicBuckets")?,
        };
        if let Some(text) = fields.text("objectOwnership")? {
            self.ownership = text.parse().map_err(|cause| {
                let help = ObjectOwnership::ALL.map(ObjectOwnership::as_str).join(", ");
                error("settings", format!("the field `objectOwnership`: {cause}"), format!("use {help}"))
            })?;
        }
        Ok(())
    }

    pub(super) fn read_acls(&mut self, bucket: Option<&Node>, object: Option<&Node>) -> Read<()> {
        let read = |node: Option<&Node>, place| node.map(|node| acl(node, place)).transpose();
        self.acl = read(bucket, "policies.bucketAcl")?;
        self.object_acl = read(object, "policies.objectAcl")?;
        if self.object_acl.is_some() && self.acl.is_none() {
            return Err(error(
                "policies",
                "the field `bucketAcl` is missing",
                "add it: it says who owns the bucket of the object",
            ));
        }
        Ok(())
    }
}

fn acl(node: &Node, place: &str) -> Read<Acl> {
    let fields = Fields::of(node, place, &["owner", "grants"])?;
    let owner = CanonicalUserId::new(fields.require_text("owner")?);
    let grants =
        list(fields.find("grants")).iter().map(|node| acl_grant(node, place)).collect::<Read<_>>()?;
    Ok(Acl { owner, grants })
}

fn acl_grant(node: &Node, place: &str) -> Read<AclGrant> {
    let fields = Fields::of(node, place, &["canonicalUser", "group", "permission"])?;
    let grantee = match (fields.text("canonicalUser")?, fields.text("group")?) {
        (Some(id), None) => Grantee::CanonicalUser(id.into()),
        (None, Some(uri)) => Grantee::Group(AclGroup::from_uri(uri).ok_or_else(|| {
            let help = AclGroup::ALL.map(AclGroup::uri).join(", ");
            error(place, format!("`{uri}` is not a group"), format!("use {help}"))
        })?),
        _ => return Err(error(place, "a grant has one grantee", "add `canonicalUser` or `group`")),
    };
    let name = fields.require_text("permission")?;
    let permission = AclPermission::parse(name).ok_or_else(|| {
        let help = AclPermission::ALL.map(AclPermission::as_str).join(", ");
        error(place, format!("`{name}` is not a permission"), format!("use {help}"))
    })?;
    Ok(AclGrant { grantee, permission })
}

/// The grants on a key, and the encryption context of the request.
#[derive(Debug, Default)]
pub(super) struct Key {
    grants: Vec<KmsGrant>,
    encryption_context: EncryptionContext,
}

/// The condition keys under which a request tells its encryption context.
const CONTEXT_PREFIX: &str = "kms:encryptioncontext:";

impl Key {
    pub(super) fn grants(&self) -> KmsGrants<'_> {
        KmsGrants { list: &self.grants, encryption_context: Some(&self.encryption_context) }
    }

    /// The encryption context as it is given, or as the condition keys of the request tell it.
    pub(super) fn read_encryption_context(&mut self, node: Option<&Node>, keys: &Context) -> Read<()> {
        self.encryption_context = match node {
            Some(node) => encryption_context(node, "request.encryptionContext")?,
            None => keys
                .iter()
                .filter_map(|(key, values)| {
                    let prefix = key.get(..CONTEXT_PREFIX.len())?;
                    let name = key.get(CONTEXT_PREFIX.len()..)?;
                    let value = values.as_slice().first()?;
                    prefix.eq_ignore_ascii_case(CONTEXT_PREFIX).then(|| (name.to_owned(), value.clone()))
                })
                .collect(),
        };
        Ok(())
    }

    pub(super) fn read_grants(&mut self, node: Option<&Node>) -> Read<()> {
        self.grants =
            list(node).iter().enumerate().map(|(index, node)| grant(node, index)).collect::<Read<_>>()?;
        Ok(())
    }
}

fn grant(node: &Node, index: usize) -> Read<KmsGrant> {
    let place = &format!("policies.grants[{index}]");
    let known = ["grantId", "granteePrincipal", "retiringPrincipal", "operations", "constraints"];
    let fields = Fields::of(node, place, &known)?;
    let principal = |text: &str| {
        text.parse::<GrantPrincipal>().map_err(|cause| error(place, cause.to_string(), "write the whole ARN"))
    };
    let operations = list(Some(fields.require("operations")?))
        .iter()
        .map(|node| {
            let name = node.scalar_text().unwrap_or_default();
            name.parse::<KmsGrantOperation>().map_err(|cause| {
                let help = KmsGrantOperation::ALL.map(KmsGrantOperation::as_str).join(", ");
                error(place, cause.to_string(), format!("use {help}"))
            })
        })
        .collect::<Read<_>>()?;
    Ok(KmsGrant {
        id: fields.text("grantId")?.map_or_else(|| (index + 1).to_string(), ToOwned::to_owned),
        grantee: principal(fields.require_text("granteePrincipal")?)?,
        retiring: fields.text("retiringPrincipal")?.map(principal).transpose()?,
        operations,
        constraints: constraints(fields.find("constraints"), place)?,
    })
}

fn constraints(node: Option<&Node>, place: &str) -> Read<KmsGrantConstraints> {
    let Some(node) = node else { return Ok(KmsGrantConstraints::default()) };
    let fields = Fields::of(node, place, &["encryptionContextEquals", "encryptionContextSubset"])?;
    let read = |key| fields.find(key).map(|node| encryption_context(node, place)).transpose();
    Ok(KmsGrantConstraints {
        encryption_context_equals: read("encryptionContextEquals")?,
        encryption_context_subset: read("encryptionContextSubset")?,
    })
}

fn encryption_context(node: &Node, place: &str) -> Read<EncryptionContext> {
    let wrong = |node: &Node| error(place, format!("holds {}", node.kind()), "write an object of strings");
    let members = node.members().ok_or_else(|| wrong(node))?;
    members
        .iter()
        .map(|member| match &member.node.value {
            Value::Text(text) => Ok((member.key.clone(), text.clone())),
            _ => Err(wrong(&member.node)),
        })
        .collect()
}

/// A list, or nothing.
fn list(node: Option<&Node>) -> &[Node] {
    node.map(Node::one_or_many).unwrap_or_default()
}
