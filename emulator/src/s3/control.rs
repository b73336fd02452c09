//! S3 Control, as far as it rules over accounts and general purpose buckets: Block Public Access, and tags.
//!
//! It has a host of its own, `ACCOUNT.s3-control.REGION.amazonaws.com`; clients that are given another endpoint put the
//! account before it, or do not. Its requests are known by their path and the header that names the account, whatever
//! the host. They are signed as those of S3 are.

use bucketproof_authz::PublicAccessBlock;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};

use super::control_tags::{
    ListTagsOfBucket, OWN_TAGS, TagBucket, TaggedBucket, UntagBucket, bucket_of, read_tag_request, write_tags,
};
use super::document::Document;
use super::public_access::{
    DeleteAccountPublicAccessBlock, GetAccountPublicAccessBlock, NamedAccount, PutAccountPublicAccessBlock,
};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::{Head, decode};
use crate::operation::Op;

/// The version of the interface, with which every path begins.
const ROOT: &str = "/v20180820/";
/// The header that names the account.
const ACCOUNT_HEADER: &str = "x-amz-account-id";
/// The name space of all answers.
const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// Whether a request is meant for S3 Control.
pub(crate) fn is_control(head: &Head) -> bool {
    head.headers.contains_key(ACCOUNT_HEADER) && head.uri.path().starts_with(ROOT)
}

/// Answers one request.
pub(crate) fn answer(x: &Exchange) -> Result<Response<Bytes>, AwsError> {
    let path = decode(x.head.uri.path());
    let rest = path.strip_prefix(ROOT).unwrap_or_default();
    match rest.strip_prefix("tags/") {
        Some(arn) => answer_tags(x, arn),
        None if rest == "configuration/publicAccessBlock" => answer_public_access_block(x),
        None => Err(refusal(x)),
    }
}

fn answer_tags(x: &Exchange, arn: &str) -> Result<Response<Bytes>, AwsError> {
    let bucket = |head: &Head| -> Result<TaggedBucket, AwsError> {
        Ok(TaggedBucket { account: account(head), bucket: bucket_of(arn)? })
    };
    match x.head.method {
        Method::GET => {
            let head = x.begin(Op::ControlListTagsForResource)?;
            let tags = x.perform(&head, ListTagsOfBucket(bucket(&head)?))?;
            Ok(response(StatusCode::OK, write_tags(&tags).document_in(NAMESPACE)))
        }
        Method::POST => {
            let head = x.begin(Op::ControlTagResource)?;
            x.perform(&head, TagBucket { of: bucket(&head)?, tags: read_tag_request(&x.body) })?;
            Ok(response(StatusCode::NO_CONTENT, String::new()))
        }
        Method::DELETE => {
            let head = x.begin(Op::ControlUntagResource)?;
            let named = head.query.iter().filter(|(name, _)| *name == OWN_TAGS);
            let keys = named.map(|(_, key)| key.to_owned()).collect();
            x.perform(&head, UntagBucket { of: bucket(&head)?, keys })?;
            Ok(response(StatusCode::NO_CONTENT, String::new()))
        }
        _ => Err(refusal(x)),
    }
}

fn refusal(x: &Exchange) -> AwsError {
    AwsError::not_implemented(format!("the request `{} {}` to S3 Control", x.head.method, x.head.uri.path()))
}

fn answer_public_access_block(x: &Exchange) -> Result<Response<Bytes>, AwsError> {
    match x.head.method {
        Method::GET => {
            let head = x.begin(Op::GetAccountPublicAccessBlock)?;
            let block = x.perform(&head, GetAccountPublicAccessBlock(account(&head)))?;
            Ok(response(StatusCode::OK, block.write().document_in(NAMESPACE)))
        }
        Method::PUT => {
            let head = x.begin(Op::PutAccountPublicAccessBlock)?;
            let block = PublicAccessBlock::parse(&x.body);
            x.perform(&head, PutAccountPublicAccessBlock { account: account(&head), block })?;
            Ok(response(StatusCode::OK, String::new()))
        }
        Method::DELETE => {
            let head = x.begin(Op::DeleteAccountPublicAccessBlock)?;
            x.perform(&head, DeleteAccountPublicAccessBlock(account(&head)))?;
            Ok(response(StatusCode::NO_CONTENT, String::new()))
        }
        _ => Err(refusal(x)),
    }
}

fn account(head: &Head) -> NamedAccount {
    NamedAccount(head.header(ACCOUNT_HEADER).unwrap_or_default().to_owned())
}

fn response(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    if !response.body().is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    }
    response
}
