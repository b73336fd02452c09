//! The form of resources in policies of IAM, as IAM words it.

/// AWS's partitions (the `aws` entries of botocore's `endpoints.json`).
const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// IAM's text about a resource of a wrong form; the resource is not `*`.
pub(super) fn mistake(resource: &str) -> Option<String> {
    let Some((_, rest)) = resource.split_once(':') else {
        return Some(format!("Resource {resource} must be in ARN format or \"*\"."));
    };
    let (partition, rest) =
        rest.split_once(':').map_or((rest, None), |(partition, rest)| (partition, Some(rest)));
    if partition != "*" && !PARTITIONS.contains(&partition) {
        return Some(unknown_partition(partition, rest.unwrap_or_default()));
    }
    let Some(rest) = rest else {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".to_owned());
    };
    let mut parts = rest.splitn(4, ':');
    let (service, region, account, path) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    match service {
        "iam" if !region.is_empty() => {
            Some(format!("IAM resource {resource} cannot contain region information."))
        }
        // Jobs and access points of S3 have a region, and then an account as well.
        "s3" if !region.is_empty() && account.is_empty() && !region.contains('*') => {
            Some(format!("Resource {resource} can not contain region information."))
        }
        "iam" if !is_iam_path(path) => Some(format!(
            "IAM resource path must either be \"*\", root, or start with {}.",
            IAM_PATHS.join(", ")
        )),
        _ => None,
    }
}

fn is_iam_path(path: &str) -> bool {
    path == "*" || path == "root" || IAM_PATHS.iter().any(|start| path.starts_with(start))
}

/// The text fills up the parts that are missing.
fn unknown_partition(partition: &str, rest: &str) -> String {
    let mut parts = rest.splitn(4, ':');
    let first = parts.next().filter(|first| !first.is_empty() || rest.contains(':')).unwrap_or("*");
    let [second, third, fourth] = [(); 3].map(|()| parts.next().unwrap_or("*"));
    format!(
        "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{first}:{second}:{third}:{fourth}\"."
    )
}

/// An ARN without a service, or one that is cut short behind an empty part.
pub(super) fn fails_legacy(resource: &str) -> bool {
    let colons = resource.bytes().filter(|byte| *byte == b':').count();
    (colons < 5 && resource.contains("::")) || resource.split(':').nth(2).is_some_and(str::is_empty)
}
