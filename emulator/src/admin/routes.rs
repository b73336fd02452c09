//! Every route of the admin API: what it is for, what it takes, what it answers.

use serde_json::{Value, json};

use super::{Answer, Call};
use super::{clock, console, events, faults, journal, judge, localstack, metrics, openapi, requests, worlds};
use crate::fault::FaultDocument;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody: it tells and changes nothing.
    Open,
    /// Whom the gate lets in.
    Guarded,
}

/// A parameter of the query.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// The values it may have; any if none are named.
    pub(super) values: &'static [&'static str],
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Text,
    Html,
    /// Another media type.
    Other(&'static str),
}

/// What a route answers.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) form: Form,
    pub(super) about: &'static str,
}

/// The media type of a body, and its schema.
type Body = (&'static str, fn() -> Value);

/// One method at one path.
pub(super) struct Route {
    /// In capitals.
    pub(super) method: &'static str,
    /// `{id}` stands for one segment.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    pub(super) query: &'static [Parameter],
    pub(super) body: Option<Body>,
    pub(super) outcomes: &'static [Outcome],
    pub(super) handler: fn(&Call<'_>) -> Answer,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

const fn ok(form: Form, about: &'static str) -> Outcome {
    Outcome { status: 200, form, about }
}

const fn refused(status: u16, about: &'static str) -> Outcome {
    Outcome { status, form: Form::Text, about }
}

const fn parameter(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, values: &[] }
}

const WRONG: Outcome = refused(400, "what is wrong with it, and what there is");
const NONE_SUCH: Outcome = refused(404, "there is none of that id");
const KEPT: Outcome = refused(409, "an emulator with a data directory cannot go back");
const JSON: &str = "application/json";

const fn get(
    path: &'static str,
    summary: &'static str,
    outcomes: &'static [Outcome],
    handler: Handler,
) -> Route {
    Route { method: "GET", path, summary, access: Access::Guarded, query: &[], body: None, outcomes, handler }
}

const fn open(
    path: &'static str,
    summary: &'static str,
    outcomes: &'static [Outcome],
    handler: Handler,
) -> Route {
    Route { access: Access::Open, ..get(path, summary, outcomes, handler) }
}

const fn post(
    path: &'static str,
    summary: &'static str,
    outcomes: &'static [Outcome],
    handler: Handler,
) -> Route {
    Route { method: "POST", ..get(path, summary, outcomes, handler) }
}

const fn delete(
    path: &'static str,
    summary: &'static str,
    outcomes: &'static [Outcome],
    handler: Handler,
) -> Route {
    Route { method: "DELETE", ..get(path, summary, outcomes, handler) }
}

type Handler = fn(&Call<'_>) -> Answer;

/// The whole admin API.
pub(super) static ROUTES: &[Route] = &[
    open("/_bucketproof/health", "Is it up", &[ok(Form::Json, "`{\"status\":\"ok\"}`")], worlds::health),
    open(
        "/_bucketproof/ready",
        "Does it take requests: its state is loaded, and its data directory can be written to",
        &[
            ok(Form::Json, "it does"),
            Outcome { status: 503, form: Form::Json, about: "it does not, and why" },
        ],
        worlds::ready,
    ),
    post(
        "/_bucketproof/reset",
        "Begin again: state and time of the start, an empty journal, the faults of the scenario; snapshots and forks stay",
        &[ok(Form::Json, "nothing"), KEPT],
        worlds::reset,
    ),
    get(
        "/_bucketproof/scenario",
        "The present state as a scenario file, with the secret keys of emulated users",
        &[ok(Form::Other("application/toml"), "the scenario")],
        worlds::scenario,
    ),
    Route {
        method: "PUT",
        body: Some(("application/toml", || json!({ "type": "string" }))),
        ..get(
            "/_bucketproof/scenario",
            "Begin anew with this scenario, its policies inline; the journal is empty, and a reset comes back to it",
            &[ok(Form::Json, "nothing"), WRONG, KEPT],
            worlds::replace,
        )
    },
    get(
        "/_bucketproof/snapshots",
        "The snapshots kept",
        &[ok(Form::Json, "id, name, and the time of each; oldest first")],
        worlds::snapshots,
    ),
    Route {
        body: Some((JSON, worlds::snapshot_schema)),
        ..post(
            "/_bucketproof/snapshots",
            "Keep the state as it is now; copies no object",
            &[ok(Form::Json, "its id, name and time"), WRONG, refused(409, "too many are kept")],
            worlds::keep,
        )
    },
    post(
        "/_bucketproof/snapshots/{id}/restore",
        "Put a state back, with its time if the clock stands; journal and faults stay",
        &[ok(Form::Json, "nothing"), NONE_SUCH, KEPT],
        worlds::restore,
    ),
    delete(
        "/_bucketproof/snapshots/{id}",
        "Forget a snapshot",
        &[ok(Form::Json, "nothing"), NONE_SUCH],
        worlds::forget,
    ),
    get(
        "/_bucketproof/forks",
        "The forks that run",
        &[ok(Form::Json, "id, name and endpoint of each; oldest first")],
        worlds::forks,
    ),
    Route {
        body: Some((JSON, worlds::fork_schema)),
        ..post(
            "/_bucketproof/forks",
            "Start a copy that goes its own way on a port of its own: same state and time, empty journal, no faults",
            &[
                ok(Form::Json, "its id, name and endpoint"),
                WRONG,
                refused(409, "too many run, or the port is taken"),
            ],
            worlds::fork,
        )
    },
    delete(
        "/_bucketproof/forks/{id}",
        "End a fork and free its port",
        &[ok(Form::Json, "nothing"), NONE_SUCH],
        worlds::end,
    ),
    get("/_bucketproof/clock", "The time", &[ok(Form::Json, "now and pace")], clock::show),
    Route {
        body: Some((JSON, clock::schema)),
        ..post(
            "/_bucketproof/clock",
            "Set or advance the time, or change how it passes",
            &[ok(Form::Json, "now and pace"), WRONG],
            clock::change,
        )
    },
    get(
        "/_bucketproof/faults",
        "The faults in force",
        &[ok(Form::Json, "id, name, description, met and hits of each")],
        faults::list,
    ),
    Route {
        body: Some((JSON, FaultDocument::schema)),
        ..post(
            "/_bucketproof/faults",
            "Put a fault in force",
            &[ok(Form::Json, "its id"), WRONG],
            faults::inject,
        )
    },
    delete("/_bucketproof/faults", "End all faults", &[ok(Form::Json, "nothing")], faults::end_all),
    delete("/_bucketproof/faults/{id}", "End a fault", &[ok(Form::Json, "nothing"), NONE_SUCH], faults::end),
    Route {
        query: requests::FILTERS,
        ..get(
            "/_bucketproof/requests",
            "The journal, oldest first",
            &[ok(Form::Json, "requests with their decisions"), WRONG],
            requests::list,
        )
    },
    delete("/_bucketproof/requests", "Empty the journal", &[ok(Form::Json, "nothing")], requests::clear),
    get(
        "/_bucketproof/requests/{id}",
        "One request, with the whole trace of each decision and the policies that were in force",
        &[ok(Form::Json, "the request"), NONE_SUCH],
        requests::one,
    ),
    Route {
        query: journal::FORMAT,
        ..get(
            "/_bucketproof/journal",
            "The journal for other programs: a request per line with all that it takes to decide again, or an HTTP archive",
            &[ok(Form::Other("application/jsonl"), "the journal; an archive is application/json"), WRONG],
            journal::export,
        )
    },
    get(
        "/_bucketproof/journal/counts",
        "How many requests there were of each operation, and what was denied",
        &[ok(Form::Json, "counts")],
        journal::counts,
    ),
    Route {
        query: &[parameter("request", "a request id; without one, the last refusal")],
        ..get(
            "/_bucketproof/decisions",
            "Why: the last request that was denied, or one by its id, as text",
            &[ok(Form::Text, "the trace"), refused(404, "there is none")],
            requests::decisions,
        )
    },
    Route {
        body: Some((JSON, judge::schema)),
        ..post(
            "/_bucketproof/judge",
            "What would have been decided on a request with other policies or condition keys; changes nothing",
            &[ok(Form::Json, "the decisions anew"), WRONG, refused(404, "the journal has no such request")],
            judge::judge,
        )
    },
    Route {
        query: &[parameter("limit", "that many of the last deliveries; 200 if absent")],
        ..get(
            "/_bucketproof/events",
            "What is to be delivered to topics, queues and subscribers, and what became of the rest",
            &[ok(Form::Json, "`waiting` and `done`"), WRONG],
            events::list,
        )
    },
    get(
        "/_bucketproof/metrics",
        "Counts in the text format of Prometheus",
        &[ok(Form::Other(metrics::MEDIA_TYPE), "the counts")],
        metrics::show,
    ),
    open(
        "/_bucketproof/openapi.json",
        "This description",
        &[ok(Form::Json, "an OpenAPI document")],
        openapi::show,
    ),
    open("/_bucketproof/console", "The web console", &[ok(Form::Html, "its page")], console::page),
    open(
        "/_bucketproof/console/{id}",
        "The files of the web console",
        &[ok(Form::Other("text/javascript"), "a script, a style sheet or an image"), NONE_SUCH],
        console::file,
    ),
    open(
        "/_localstack/health",
        "Is it up, for set-ups that ask so",
        &[ok(Form::Json, "`available` or, once it was used, `running` for each service")],
        localstack::health,
    ),
    open(
        "/_localstack/init",
        "Is it prepared, for set-ups that ask so",
        &[ok(Form::Json, "that all stages are completed")],
        localstack::init,
    ),
    open(
        "/_localstack/init/ready",
        "The same for the last stage",
        &[ok(Form::Json, "that it is completed")],
        localstack::init_ready,
    ),
];
