//! Buckets.

use bucketproof_authz::{AccountId, Acl, CanonicalUserId};
use jiff::Timestamp;

use super::acl::{AclHeaders, AclOf, check_public};
use crate::authenticate::Caller;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{Bucket, ObjectLockConfiguration, Tags, Versioning, World};

/// `CreateBucket`.
#[derive(Debug)]
pub(crate) struct CreateBucket {
    pub(crate) bucket: String,
    /// The region that the request was signed for.
    pub(crate) endpoint_region: String,
    pub(crate) location_constraint: Option<String>,
    /// The tags to begin with, or what is wrong with them.
    pub(crate) tags: Result<Tags, AwsError>,
    /// `x-amz-bucket-object-lock-enabled`.
    pub(crate) object_lock: bool,
    pub(crate) acl: AclHeaders,
    /// `x-amz-object-ownership`.
    pub(crate) ownership: Option<String>,
}

/// A new bucket.
#[derive(Debug)]
pub(crate) struct Created {
    /// `Location` of the answer.
    pub(crate) location: String,
}

impl CreateBucket {
    /// Where the bucket goes, by AWS's rules for the endpoint that the request was sent to.
    fn region(&self) -> Result<String, AwsError> {
        let legacy = self.endpoint_region == "us-east-1";
        match self.location_constraint.as_deref().filter(|constraint| !constraint.is_empty()) {
            None if legacy => Ok(self.endpoint_region.clone()),
            None => Err(AwsError::illegal_location_constraint(None)),
            Some("EU") if legacy || self.endpoint_region == "eu-west-1" => Ok("eu-west-1".to_owned()),
            Some(constraint) if legacy && (constraint == "us-east-1" || !is_region(constraint)) => {
                Err(AwsError::invalid_location_constraint(constraint))
            }
            Some(constraint) if legacy || constraint == self.endpoint_region => Ok(constraint.to_owned()),
            Some(constraint) => Err(AwsError::illegal_location_constraint(Some(constraint))),
        }
    }
}

impl CreateBucket {
    fn new_bucket(
        &self,
        region: &str,
        owner: AccountId,
        world: &World,
        now: Timestamp,
    ) -> Result<Bucket, AwsError> {
        let owner_id = world.canonical_id(&owner);
        let mut bucket =
            Bucket::new(&self.bucket, region, owner, &owner_id, world.beyond_buckets.defaults, now);
        bucket.tags = self.tags.clone()?;
        if self.object_lock {
            bucket.versioning = Versioning::Enabled;
            bucket.object_lock = Some(ObjectLockConfiguration::default());
        }
        if self.location_constraint.as_deref() == Some("EU") {
            "EU".clone_into(&mut bucket.location);
        }
        if let Some(ownership) = &self.ownership {
            bucket.ownership = Some(ownership.parse().map_err(|_| AwsError::invalid_ownership(ownership))?);
        }
        Ok(bucket)
    }

    /// The ACL of the new bucket, if it may have it.
    ///
    /// Its own Block Public Access, which it has from its first moment, is told as an error of the request, that of
    /// the account as a denial.
    fn acl(&self, bucket: &Bucket, world: &World, caller: &Caller) -> Result<Acl, AwsError> {
        let requested = self.acl.requested(AclOf::Bucket, &world.accounts)?;
        let acl = requested.map_or(bucket.acl.clone(), |requested| requested.for_bucket(bucket.owner_id()));
        bucket.ownership().check_bucket_acl(&acl)?;
        if bucket.public_access_block.unwrap_or_default().blocks_acl(&acl) {
            return Err(AwsError::public_acl_of_new_bucket());
        }
        let resource = RequiredResource::NewBucket(bucket.name.clone());
        check_public(&acl, world, bucket, caller, "s3:CreateBucket", &resource)?;
        Ok(acl)
    }
}

/// Whether a text has the shape of a region's name, such as `eu-west-1` or `us-gov-east-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let (Some(number), Some(area)) = (text.rsplit('-').next(), text.split('-').next()) else { return false };
    (3..=4).contains(&text.split('-').count())
        && area.len() == 2
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// AWS's naming rules for general purpose buckets.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_address = name.split('.').count() == 4
        && name.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && edge(name.bytes().next())
        && edge(name.bytes().last())
        && !["..", ".-", "-."].iter().any(|pair| name.contains(pair))
        && !is_address
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end))
}

/// The condition keys that tell policies which tags a request brings.
fn describe_tags(requirement: Requirement, tags: &Tags) -> Requirement {
    let requirement = requirement.with_many("aws:TagKeys", tags.iter().map(|(key, _)| key.to_owned()));
    tags.iter().fold(requirement, |requirement, (key, value)| {
        requirement.with(format!("aws:RequestTag/{key}"), value)
    })
}

impl Operation for CreateBucket {
    type Output = Created;
    const OP: Op = Op::CreateBucket;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let on_bucket = |action| Requirement::new(action, RequiredResource::NewBucket(self.bucket.clone()));
        let create = on_bucket("s3:CreateBucket")
            .with_some("s3:LocationConstraint", self.location_constraint.as_deref())
            .with_some("s3:x-amz-object-ownership", self.ownership.as_deref());
        let create = self.acl.describe(create);
        let mut requirements = match self.tags.as_ref().ok().filter(|tags| !tags.is_empty()) {
            None => vec![create],
            // As for the other resources of S3 that are created with tags; unverified for buckets.
            Some(tags) => {
                vec![describe_tags(create, tags), describe_tags(on_bucket("s3:TagResource"), tags)]
            }
        };
        if !self.acl.is_empty() {
            requirements.push(self.acl.describe(on_bucket("s3:PutBucketAcl")));
        }
        if self.ownership.is_some() {
            requirements.push(on_bucket("s3:PutBucketOwnershipControls"));
        }
        if self.object_lock {
            requirements
                .extend(["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"].map(on_bucket));
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Created, AwsError> {
        let owner = authorized.account().cloned().ok_or_else(|| AwsError::access_denied("Access Denied"))?;
        let (operation, caller) = authorized.into_parts();
        if !is_bucket_name(&operation.bucket) {
            return Err(AwsError::invalid_bucket_name(&operation.bucket));
        }
        let region = operation.region()?;
        let mut bucket = operation.new_bucket(&region, owner, world, now)?;
        let acl = operation.acl(&bucket, world, &caller)?;
        let name = operation.bucket;
        let location = if region == "us-east-1" {
            format!("/{name}")
        } else {
            format!("http://{name}.s3.amazonaws.com/")
        };
        match world.buckets.get_mut(&name) {
            // The oldest region answers a repetition as if it had created the bucket, and puts its ACL anew.
            Some(found)
                if found.owner == bucket.owner
                    && found.region == "us-east-1"
                    && region == "us-east-1"
                    && bucket.tags.is_empty() =>
            {
                found.ownership().check_bucket_acl(&acl)?;
                found.acl = acl;
            }
            Some(found) if found.owner == bucket.owner => {
                return Err(AwsError::bucket_already_owned_by_you(&name));
            }
            Some(_) => return Err(AwsError::bucket_already_exists(&name)),
            None => {
                bucket.acl = acl;
                world.buckets.insert(name, bucket);
            }
        }
        Ok(Created { location })
    }
}

/// `HeadBucket`.
#[derive(Debug)]
pub(crate) struct HeadBucket {
    pub(crate) bucket: String,
}

/// `GetBucketLocation`.
#[derive(Debug)]
pub(crate) struct GetBucketLocation {
    pub(crate) bucket: String,
}

/// `DeleteBucket`.
#[derive(Debug)]
pub(crate) struct DeleteBucket {
    pub(crate) bucket: String,
}

impl Operation for HeadBucket {
    /// The bucket's region.
    type Output = String;
    const OP: Op = Op::HeadBucket;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:ListBucket", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<String, AwsError> {
        Ok(world.bucket(&authorized.into_operation().bucket)?.region.clone())
    }
}

impl Operation for GetBucketLocation {
    /// The bucket's region, or `EU`.
    type Output = String;
    const OP: Op = Op::GetBucketLocation;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:GetBucketLocation", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<String, AwsError> {
        Ok(world.bucket(&authorized.into_operation().bucket)?.location.clone())
    }
}

impl Operation for DeleteBucket {
    type Output = ();
    const OP: Op = Op::DeleteBucket;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:DeleteBucket", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let name = authorized.into_operation().bucket;
        let bucket = world.bucket(&name)?;
        if !bucket.objects.is_empty() {
            return Err(AwsError::bucket_not_empty(&name, bucket.versioning));
        }
        world.buckets.remove(&name);
        Ok(())
    }
}

/// `ListBuckets`.
#[derive(Debug)]
pub(crate) struct ListBuckets {
    pub(crate) prefix: Option<String>,
    pub(crate) region: Option<String>,
    /// The name after which to go on.
    pub(crate) after: Option<String>,
    pub(crate) max_buckets: usize,
}

/// The caller's own buckets.
#[derive(Debug)]
pub(crate) struct OwnBuckets {
    /// Name, region and creation time, in the order of names.
    pub(crate) buckets: Vec<(String, String, Timestamp)>,
    pub(crate) owner: Option<CanonicalUserId>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

impl Operation for ListBuckets {
    type Output = OwnBuckets;
    const OP: Op = Op::ListBuckets;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("s3:ListAllMyBuckets", RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<OwnBuckets, AwsError> {
        let owner = authorized.account().cloned();
        let Self { prefix, region, after, max_buckets } = authorized.into_operation();
        let mut buckets: Vec<(String, String, Timestamp)> = world
            .buckets
            .values()
            .filter(|bucket| Some(&bucket.owner) == owner.as_ref())
            .filter(|bucket| prefix.as_ref().is_none_or(|prefix| bucket.name.starts_with(prefix)))
            .filter(|bucket| region.as_ref().is_none_or(|region| bucket.region == *region))
            .filter(|bucket| after.as_ref().is_none_or(|after| bucket.name > *after))
            .take(max_buckets.saturating_add(1))
            .map(|bucket| (bucket.name.clone(), bucket.region.clone(), bucket.created_at))
            .collect();
        let more = buckets.len() > max_buckets;
        buckets.truncate(max_buckets);
        let next = more.then(|| buckets.last().map(|(name, ..)| name.clone())).flatten();
        let owner = owner.map(|owner| world.canonical_id(&owner));
        Ok(OwnBuckets { buckets, owner, next })
    }
}

#[cfg(test)]
mod tests {
    use super::{is_bucket_name, is_region};

    #[test]
    fn names_follow_the_rules_of_general_purpose_buckets() {
        for good in ["abc", "suprsend-logs-production", "a.b.c", "1bucket"] {
            assert!(is_bucket_name(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "ab",
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            "a..b",
            "a.-b",
            "a-.b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            &long,
        ] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
        assert!(is_region("eu-central-1") && is_region("us-gov-east-1"));
        assert!(!is_region("foo") && !is_region("aws-global") && !is_region("US-EAST-1"));
    }
}
