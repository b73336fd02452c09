//! Faults by the admin API.

use serde_json::json;

use super::{Answer, Call, Refusal, json_answer};
use crate::fault::FaultDocument;

pub(super) fn list(call: &Call<'_>) -> Answer {
    Ok(json_answer(&call.control.ground.faults.views()))
}

pub(super) fn inject(call: &Call<'_>) -> Answer {
    let document: FaultDocument = call.json("fault")?;
    let fault = document.fault().map_err(|problem| Refusal::new(http::StatusCode::BAD_REQUEST, problem))?;
    Ok(json_answer(&json!({ "id": call.control.ground.faults.inject_for_good(fault) })))
}

pub(super) fn end_all(call: &Call<'_>) -> Answer {
    call.control.ground.faults.end_all();
    Ok(json_answer(&json!({})))
}

pub(super) fn end(call: &Call<'_>) -> Answer {
    match call.id.parse() {
        Ok(number) if call.control.ground.faults.end(number) => Ok(json_answer(&json!({}))),
        _ => Err(Refusal::missing(format!("there is no fault `{}`; see /_bucketproof/faults", call.id))),
    }
}
