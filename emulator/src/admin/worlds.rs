//! Whole states by the admin API: begun anew, kept, put back, copied.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::StatusCode;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Refusal, json_answer, typed};
use crate::control::{RestoreError, Snapshot};
use crate::emulator::{Emulator, StartError};
use crate::scenario::{self, Scenario};

/// So many snapshots are kept; a forgotten loop must not eat the machine.
const SNAPSHOTS_MAX: usize = 1000;
/// So many forks run; each has a port.
const FORKS_MAX: usize = 100;

/// The snapshots and forks that callers of the admin API have asked for; they end with the emulator.
#[derive(Debug, Default)]
pub(crate) struct Worlds {
    snapshots: Mutex<Shelf<Snapshot>>,
    forks: Mutex<Shelf<Emulator>>,
}

impl Worlds {
    /// How many snapshots are kept and how many forks run.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.snapshots.lock().kept.len(), self.forks.lock().kept.len())
    }
}

/// Things by number, perhaps with a name.
#[derive(Debug)]
struct Shelf<T> {
    last: u64,
    kept: BTreeMap<u64, (Option<String>, T)>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { last: 0, kept: BTreeMap::new() }
    }
}

impl<T> Shelf<T> {
    fn add(&mut self, name: Option<String>, thing: T) -> u64 {
        self.last += 1;
        self.kept.insert(self.last, (name, thing));
        self.last
    }

    /// The number of what is meant by a number or a name; of several with one name the last.
    fn number(&self, id: &str) -> Option<u64> {
        let by_number = id.parse().ok().filter(|number| self.kept.contains_key(number));
        by_number.or_else(|| {
            let mut named = self.kept.iter().rev();
            named.find(|(_, (name, _))| name.as_deref() == Some(id)).map(|(number, _)| *number)
        })
    }

    fn is_full(&self, most: usize) -> bool {
        self.kept.len() >= most
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotRequest {
    name: Option<String>,
}

pub(super) fn snapshot_schema() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": { "name": { "type": "string" } } })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForkRequest {
    name: Option<String>,
    port: Option<u16>,
}

pub(super) fn fork_schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "port": {
                "type": "integer", "minimum": 0, "maximum": 65535,
                "description": "on 127.0.0.1; 0, or none, picks a free one",
            },
        },
    })
}

pub(super) fn health(_call: &Call<'_>) -> Answer {
    Ok(json_answer(&json!({ "status": "ok" })))
}

pub(super) fn ready(call: &Call<'_>) -> Answer {
    let failed = call.control.ground.data_dir.as_ref().and_then(|data_dir| data_dir.problem());
    Ok(match failed {
        None => json_answer(&json!({ "status": "ready" })),
        Some(reason) => {
            let mut response = json_answer(&json!({ "status": "failed", "reason": reason }));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    })
}

pub(super) fn reset(call: &Call<'_>) -> Answer {
    call.control.reset().map_err(kept_on_disk)?;
    Ok(json_answer(&json!({})))
}

pub(super) fn scenario(call: &Call<'_>) -> Answer {
    let text = scenario::export(&call.control.ground.world.lock());
    Ok(typed(StatusCode::OK, "application/toml", text.into()))
}

pub(super) fn replace(call: &Call<'_>) -> Answer {
    let wrong = |text: String| Refusal::new(StatusCode::BAD_REQUEST, text);
    let text = std::str::from_utf8(call.body)
        .map_err(|error| wrong(format!("the scenario is not UTF-8: {error}")))?;
    let scenario = Scenario::from_toml(text);
    let replaced = scenario.and_then(|scenario| call.control.replace(&scenario));
    match replaced.map_err(|error| wrong(format!("{error}; {}", error.help())))? {
        Ok(()) => Ok(json_answer(&json!({}))),
        Err(error) => Err(kept_on_disk(error)),
    }
}

pub(super) fn snapshots(call: &Call<'_>) -> Answer {
    let shelf = call.control.worlds.snapshots.lock();
    let views: Vec<Value> = shelf
        .kept
        .iter()
        .map(|(id, (name, snapshot))| snapshot_view(*id, name.as_deref(), snapshot))
        .collect();
    Ok(json_answer(&views))
}

fn snapshot_view(id: u64, name: Option<&str>, snapshot: &Snapshot) -> Value {
    json!({ "id": id, "name": name, "taken_at": snapshot.taken_at().to_string() })
}

pub(super) fn keep(call: &Call<'_>) -> Answer {
    let SnapshotRequest { name } = call.optional_json("snapshot")?;
    check_name(name.as_deref())?;
    let snapshot = call.control.snapshot();
    let mut shelf = call.control.worlds.snapshots.lock();
    if shelf.is_full(SNAPSHOTS_MAX) {
        let text = format!("{SNAPSHOTS_MAX} snapshots are kept; DELETE those that are done with");
        return Err(Refusal::new(StatusCode::CONFLICT, text));
    }
    let id = shelf.add(name.clone(), snapshot.clone());
    Ok(json_answer(&snapshot_view(id, name.as_deref(), &snapshot)))
}

pub(super) fn restore(call: &Call<'_>) -> Answer {
    let snapshot = {
        let shelf = call.control.worlds.snapshots.lock();
        shelf.number(call.id).and_then(|number| shelf.kept.get(&number)).map(|(_, snapshot)| snapshot.clone())
    };
    let snapshot = snapshot.ok_or_else(|| no_such("snapshot", call.id))?;
    call.control.restore(&snapshot).map_err(kept_on_disk)?;
    Ok(json_answer(&json!({})))
}

pub(super) fn forget(call: &Call<'_>) -> Answer {
    let mut shelf = call.control.worlds.snapshots.lock();
    let removed = shelf.number(call.id).and_then(|number| shelf.kept.remove(&number));
    removed.ok_or_else(|| no_such("snapshot", call.id))?;
    Ok(json_answer(&json!({})))
}

pub(super) fn forks(call: &Call<'_>) -> Answer {
    let shelf = call.control.worlds.forks.lock();
    let views: Vec<Value> =
        shelf.kept.iter().map(|(id, (name, fork))| fork_view(*id, name.as_deref(), fork)).collect();
    Ok(json_answer(&views))
}

fn fork_view(id: u64, name: Option<&str>, fork: &Emulator) -> Value {
    json!({ "id": id, "name": name, "endpoint": fork.endpoint_url() })
}

pub(super) fn fork(call: &Call<'_>) -> Answer {
    let ForkRequest { name, port } = call.optional_json("fork")?;
    check_name(name.as_deref())?;
    let mut shelf = call.control.worlds.forks.lock();
    if shelf.is_full(FORKS_MAX) {
        let text = format!("{FORKS_MAX} forks run; DELETE those that are done with");
        return Err(Refusal::new(StatusCode::CONFLICT, text));
    }
    let address = SocketAddr::from(([127, 0, 0, 1], port.unwrap_or(0)));
    let fork = Emulator::forked_on(call.control, address).map_err(|error: StartError| {
        Refusal::new(StatusCode::CONFLICT, format!("{error}; leave `port` out"))
    })?;
    let id = shelf.add(name.clone(), fork.clone());
    Ok(json_answer(&fork_view(id, name.as_deref(), &fork)))
}

pub(super) fn end(call: &Call<'_>) -> Answer {
    let removed = {
        let mut shelf = call.control.worlds.forks.lock();
        shelf.number(call.id).and_then(|number| shelf.kept.remove(&number))
    };
    // It ends here: nobody else holds it.
    removed.map(drop).ok_or_else(|| no_such("fork", call.id))?;
    Ok(json_answer(&json!({})))
}

/// A number as a name would hide what has that number.
fn check_name(name: Option<&str>) -> Result<(), Refusal> {
    let Some(name) = name else { return Ok(()) };
    if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = format!("field `name`: `{name}` could be taken for an id; use a letter");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    Ok(())
}

fn no_such(what: &str, id: &str) -> Refusal {
    Refusal::missing(format!("there is no {what} `{id}`; see /_bucketproof/{what}s"))
}

fn kept_on_disk(error: RestoreError) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, error.to_string())
}
