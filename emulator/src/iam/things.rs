//! Users, groups, roles, policies and instance profiles, as far as actions of one form work on several of them.

use std::fmt;

use bucketproof_authz::{Arn, InlineOwner};

use super::action::{Access, Resource};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Account, Attached, Entity, EntityKind, IamTags};

/// Something that a request names.
pub(super) trait Thing: fmt::Debug + Sized {
    const KIND: EntityKind;

    /// The thing, and its tags if it can have any.
    fn find<'a>(account: &'a Account, name: &str) -> Option<(&'a Entity, Option<&'a IamTags>)>;

    fn resource(account: &Account, name: &str) -> Resource {
        Resource::named(Self::KIND, account, name, Self::find(account, name))
    }

    fn access(op: Op, account: &Account, name: &str) -> Access {
        Access::to(op, account, Self::resource(account, name))
    }

    fn missing(name: &str) -> AwsError {
        AwsError::not_found(Self::KIND, name)
    }
}

/// Something that policies are attached to.
pub(super) trait Holder: Thing {
    const OWNER: InlineOwner;
    const PUT: Op;
    const GET: Op;
    const DELETE: Op;
    const LIST: Op;
    const ATTACH: Op;
    const DETACH: Op;
    const LIST_ATTACHED: Op;

    fn policies<'a>(account: &'a Account, name: &str) -> Option<&'a Attached>;

    fn policies_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Attached>;

    /// Its boundary; groups have none.
    fn boundary<'a>(account: &'a Account, name: &str) -> Option<&'a Arn>;
}

/// Something that has tags.
pub(super) trait Tagged: Thing {
    const TAG: Op;
    const UNTAG: Op;
    const LIST_TAGS: Op;

    fn tags_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut IamTags>;
}

/// Something that a permissions boundary is set on.
pub(super) trait Bounded: Holder {
    const PUT_BOUNDARY: Op;
    const DELETE_BOUNDARY: Op;

    fn boundary_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Option<Arn>>;
}

#[derive(Debug)]
pub(super) struct OfUser;
#[derive(Debug)]
pub(super) struct OfGroup;
#[derive(Debug)]
pub(super) struct OfRole;
#[derive(Debug)]
pub(super) struct OfPolicy;
#[derive(Debug)]
pub(super) struct OfProfile;

impl Thing for OfUser {
    const KIND: EntityKind = EntityKind::User;

    fn find<'a>(account: &'a Account, name: &str) -> Option<(&'a Entity, Option<&'a IamTags>)> {
        account.users.get(name).map(|user| (&user.entity, Some(&user.tags)))
    }
}

impl Thing for OfGroup {
    const KIND: EntityKind = EntityKind::Group;

    fn find<'a>(account: &'a Account, name: &str) -> Option<(&'a Entity, Option<&'a IamTags>)> {
        account.groups.get(name).map(|group| (&group.entity, None))
    }
}

impl Thing for OfRole {
    const KIND: EntityKind = EntityKind::Role;

    fn find<'a>(account: &'a Account, name: &str) -> Option<(&'a Entity, Option<&'a IamTags>)> {
        account.roles.get(name).map(|role| (&role.entity, Some(&role.tags)))
    }
}

impl Thing for OfPolicy {
    const KIND: EntityKind = EntityKind::Policy;

    fn find<'a>(account: &'a Account, arn: &str) -> Option<(&'a Entity, Option<&'a IamTags>)> {
        account.policy(arn).map(|policy| (&policy.entity, Some(&policy.tags)))
    }
}

impl Thing for OfProfile {
    const KIND: EntityKind = EntityKind::InstanceProfile;

    fn find<'a>(account: &'a Account, name: &str) -> Option<(&'a Entity, Option<&'a IamTags>)> {
        account.instance_profiles.get(name).map(|profile| (&profile.entity, Some(&profile.tags)))
    }
}

impl Holder for OfUser {
    const OWNER: InlineOwner = InlineOwner::User;
    const PUT: Op = Op::PutUserPolicy;
    const GET: Op = Op::GetUserPolicy;
    const DELETE: Op = Op::DeleteUserPolicy;
    const LIST: Op = Op::ListUserPolicies;
    const ATTACH: Op = Op::AttachUserPolicy;
    const DETACH: Op = Op::DetachUserPolicy;
    const LIST_ATTACHED: Op = Op::ListAttachedUserPolicies;

    fn policies<'a>(account: &'a Account, name: &str) -> Option<&'a Attached> {
        account.users.get(name).map(|user| &user.policies)
    }

    fn policies_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Attached> {
        account.users.get_mut(name).map(|user| &mut user.policies)
    }

    fn boundary<'a>(account: &'a Account, name: &str) -> Option<&'a Arn> {
        account.users.get(name)?.boundary.as_ref()
    }
}

impl Holder for OfGroup {
    const OWNER: InlineOwner = InlineOwner::Group;
    const PUT: Op = Op::PutGroupPolicy;
    const GET: Op = Op::GetGroupPolicy;
    const DELETE: Op = Op::DeleteGroupPolicy;
    const LIST: Op = Op::ListGroupPolicies;
    const ATTACH: Op = Op::AttachGroupPolicy;
    const DETACH: Op = Op::DetachGroupPolicy;
    const LIST_ATTACHED: Op = Op::ListAttachedGroupPolicies;

    fn policies<'a>(account: &'a Account, name: &str) -> Option<&'a Attached> {
        account.groups.get(name).map(|group| &group.policies)
    }

    fn policies_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Attached> {
        account.groups.get_mut(name).map(|group| &mut group.policies)
    }

    fn boundary<'a>(_: &'a Account, _: &str) -> Option<&'a Arn> {
        None
    }
}

impl Holder for OfRole {
    const OWNER: InlineOwner = InlineOwner::Role;
    const PUT: Op = Op::PutRolePolicy;
    const GET: Op = Op::GetRolePolicy;
    const DELETE: Op = Op::DeleteRolePolicy;
    const LIST: Op = Op::ListRolePolicies;
    const ATTACH: Op = Op::AttachRolePolicy;
    const DETACH: Op = Op::DetachRolePolicy;
    const LIST_ATTACHED: Op = Op::ListAttachedRolePolicies;

    fn policies<'a>(account: &'a Account, name: &str) -> Option<&'a Attached> {
        account.roles.get(name).map(|role| &role.policies)
    }

    fn policies_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Attached> {
        account.roles.get_mut(name).map(|role| &mut role.policies)
    }

    fn boundary<'a>(account: &'a Account, name: &str) -> Option<&'a Arn> {
        account.roles.get(name)?.boundary.as_ref()
    }
}

impl Tagged for OfUser {
    const TAG: Op = Op::TagUser;
    const UNTAG: Op = Op::UntagUser;
    const LIST_TAGS: Op = Op::ListUserTags;

    fn tags_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut IamTags> {
        account.users.get_mut(name).map(|user| &mut user.tags)
    }
}

impl Tagged for OfRole {
    const TAG: Op = Op::TagRole;
    const UNTAG: Op = Op::UntagRole;
    const LIST_TAGS: Op = Op::ListRoleTags;

    fn tags_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut IamTags> {
        account.roles.get_mut(name).map(|role| &mut role.tags)
    }
}

impl Tagged for OfPolicy {
    const TAG: Op = Op::TagPolicy;
    const UNTAG: Op = Op::UntagPolicy;
    const LIST_TAGS: Op = Op::ListPolicyTags;

    fn tags_mut<'a>(account: &'a mut Account, arn: &str) -> Option<&'a mut IamTags> {
        account.policies.by_arn_mut(arn).map(|policy| &mut policy.tags)
    }
}

impl Tagged for OfProfile {
    const TAG: Op = Op::TagInstanceProfile;
    const UNTAG: Op = Op::UntagInstanceProfile;
    const LIST_TAGS: Op = Op::ListInstanceProfileTags;

    fn tags_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut IamTags> {
        account.instance_profiles.get_mut(name).map(|profile| &mut profile.tags)
    }
}

impl Bounded for OfUser {
    const PUT_BOUNDARY: Op = Op::PutUserPermissionsBoundary;
    const DELETE_BOUNDARY: Op = Op::DeleteUserPermissionsBoundary;

    fn boundary_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Option<Arn>> {
        account.users.get_mut(name).map(|user| &mut user.boundary)
    }
}

impl Bounded for OfRole {
    const PUT_BOUNDARY: Op = Op::PutRolePermissionsBoundary;
    const DELETE_BOUNDARY: Op = Op::DeleteRolePermissionsBoundary;

    fn boundary_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Option<Arn>> {
        account.roles.get_mut(name).map(|role| &mut role.boundary)
    }
}
