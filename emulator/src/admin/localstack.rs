//! What set-ups for LocalStack ask before they begin, so that they find this emulator in its place.
//!
//! Wait scripts and test libraries read `services` of `/_localstack/health`, which says `available` of a service that
//! nobody has used and `running` afterwards, often with `grep` and with a space behind the colon; and `completed` of
//! `/_localstack/init/ready`. Source: LocalStack documentation, "Internal endpoints", as of October 2026.

use bytes::Bytes;
use http::StatusCode;

use super::{Answer, Call, typed};
use crate::service::Service;

const SERVICES: [Service; 6] =
    [Service::Iam, Service::Kms, Service::S3, Service::Sns, Service::Sqs, Service::Sts];

pub(super) fn health(call: &Call<'_>) -> Answer {
    let used = call.control.journal.services_used();
    let services: Vec<String> = SERVICES
        .iter()
        .map(|service| {
            let name = service.name();
            let word = if used.iter().any(|used| used == name) { "running" } else { "available" };
            format!("\"{name}\": \"{word}\"")
        })
        .collect();
    let text = format!(
        "{{\"services\": {{{}}}, \"edition\": \"bucketproof\", \"version\": \"{}\"}}",
        services.join(", "),
        env!("CARGO_PKG_VERSION")
    );
    Ok(json_text(text))
}

pub(super) fn init(_call: &Call<'_>) -> Answer {
    let text = "{\"completed\": {\"BOOT\": true, \"START\": true, \"READY\": true, \"SHUTDOWN\": false}, \"scripts\": []}";
    Ok(json_text(text.to_owned()))
}

pub(super) fn init_ready(_call: &Call<'_>) -> Answer {
    Ok(json_text("{\"completed\": true, \"scripts\": []}".to_owned()))
}

fn json_text(text: String) -> http::Response<crate::state::Content> {
    typed(StatusCode::OK, "application/json", Bytes::from(text))
}
