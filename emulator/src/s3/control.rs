//! S3 Control, as far as it rules over accounts: Block Public Access.
//!
//! It has a host of its own, `ACCOUNT.s3-control.REGION.amazonaws.com`, which no local endpoint has; its requests are
//! known by their path and the header that names the account. They are signed as those of S3 are.

use bucketproof_authz::PublicAccessBlock;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};

use super::document::Document;
use super::public_access::{
    DeleteAccountPublicAccessBlock, GetAccountPublicAccessBlock, NamedAccount, PutAccountPublicAccessBlock,
};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
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
    let path = x.head.uri.path();
    if path.strip_prefix(ROOT) != Some("configuration/publicAccessBlock") {
        return Err(AwsError::not_implemented(format!(
            "the request `{} {path}` to S3 Control",
            x.head.method
        )));
    }
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
        _ => Err(AwsError::not_implemented(format!("the request `{} {path}` to S3 Control", x.head.method))),
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
