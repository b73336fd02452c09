//! The admin API over a socket, as other languages use it.

use aws_sdk_s3::primitives::ByteStream;
use bucketproof_emulator::{AdminToken, Emulator};
use serde_json::{Value, json};

use crate::fixture::{ADMIN, READER, WRITER, listening, listening_with, scenario};
use crate::notifications;
use crate::wire::{Answer, Ask, Wire};

async fn ask(wire: &Wire, method: &str, place: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    wire.send(&Ask::new(method, &format!("/_bucketproof/{place}")).body(body)).await
}

async fn json_of(wire: &Wire, method: &str, place: &str, body: Value) -> Value {
    let answer = ask(wire, method, place, &body).await;
    assert_eq!(answer.status, 200, "{method} {place}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Status and text.
async fn refusal(wire: &Wire, method: &str, place: &str, body: Value) -> (u16, String) {
    let answer = ask(wire, method, place, &body).await;
    (answer.status, answer.text().trim_end().to_owned())
}

async fn put(wire: &Wire, key: &str, body: &'static str) {
    let answer = wire.send_as(ADMIN, &Ask::new("PUT", key).body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn get(wire: &Wire, key: &str) -> (u16, String) {
    let answer = wire.send_as(ADMIN, &Ask::new("GET", key)).await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn snapshots_are_kept_put_back_and_forgotten() {
    let (_emulator, wire) = listening().await;
    put(&wire, "/logs/a", "first").await;
    let kept = json_of(&wire, "POST", "snapshots", json!({"name": "prepared"})).await;
    assert_eq!(kept, json!({"id": 1, "name": "prepared", "taken_at": "2026-01-01T00:00:00Z"}));
    let second = json_of(&wire, "POST", "snapshots", Value::Null).await;
    assert_eq!((&second["id"], &second["name"]), (&json!(2), &Value::Null));
    json_of(&wire, "POST", "clock", json!({"advance_seconds": 60})).await;
    put(&wire, "/logs/a", "second").await;
    for name in ["prepared", "1"] {
        put(&wire, "/logs/b", "new").await;
        json_of(&wire, "POST", &format!("snapshots/{name}/restore"), Value::Null).await;
        assert_eq!(get(&wire, "/logs/a").await, (200, "first".to_owned()));
        assert_eq!(get(&wire, "/logs/b").await.0, 404);
    }
    assert_eq!(json_of(&wire, "GET", "clock", Value::Null).await["now"], "2026-01-01T00:00:00Z");
    json_of(&wire, "DELETE", "snapshots/prepared", Value::Null).await;
    let listed = json_of(&wire, "GET", "snapshots", Value::Null).await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &json!(2)));
    let gone = refusal(&wire, "POST", "snapshots/prepared/restore", Value::Null).await;
    assert_eq!(gone, (404, "there is no snapshot `prepared`; see /_bucketproof/snapshots".to_owned()));
    let named = refusal(&wire, "POST", "snapshots", json!({"name": "7"})).await;
    assert_eq!(named, (400, "field `name`: `7` could be taken for an id; use a letter".to_owned()));
    let unknown = refusal(&wire, "POST", "snapshots", json!({"nmae": "x"})).await;
    assert!(unknown.1.contains("unknown field `nmae`, expected `name`"), "{unknown:?}");
    // A reset begins again, and what was kept is still there.
    json_of(&wire, "POST", "reset", Value::Null).await;
    assert_eq!(get(&wire, "/logs/a").await.0, 404);
    json_of(&wire, "POST", "snapshots/2/restore", Value::Null).await;
    assert_eq!(get(&wire, "/logs/a").await, (200, "first".to_owned()));
}

#[tokio::test]
async fn a_fork_listens_for_itself_until_it_is_ended() {
    let (emulator, wire) = listening().await;
    put(&wire, "/logs/shared", "before").await;
    let fork = json_of(&wire, "POST", "forks", json!({"name": "worker-1"})).await;
    let endpoint = fork["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap();
    let address: std::net::SocketAddr = endpoint.parse().unwrap();
    assert!(address.ip().is_loopback() && Some(address) != emulator.address());
    let there = Wire::to(address, emulator.clock().clone());
    assert_eq!(get(&there, "/logs/shared").await, (200, "before".to_owned()));
    put(&there, "/logs/shared", "fork").await;
    put(&wire, "/logs/own", "origin").await;
    assert_eq!(get(&wire, "/logs/shared").await, (200, "before".to_owned()));
    assert_eq!(get(&there, "/logs/own").await.0, 404);
    // It has its own journal, and its own admin API with all of this.
    let journal = json_of(&there, "GET", "requests?brief=true", Value::Null).await;
    assert_eq!(journal.as_array().unwrap().len(), 3);
    let nested = json_of(&there, "POST", "forks", Value::Null).await;
    assert_eq!(nested["id"], 1);
    let taken = refusal(&wire, "POST", "forks", json!({"port": address.port()})).await;
    assert!(taken.0 == 409 && taken.1.contains("cannot listen on"), "{taken:?}");
    let listed = json_of(&wire, "GET", "forks", Value::Null).await;
    assert_eq!(listed, json!([fork]));
    json_of(&wire, "DELETE", "forks/worker-1", Value::Null).await;
    assert_eq!(refusal(&wire, "DELETE", "forks/1", Value::Null).await.0, 404);
    // The port is free again.
    while std::net::TcpListener::bind(address).is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&wire, "/logs/shared").await.0, 200);
}

#[tokio::test]
async fn a_scenario_is_read_and_replaced() {
    let (_emulator, wire) = listening().await;
    put(&wire, "/logs/a", "a").await;
    let export = ask(&wire, "GET", "scenario", &Value::Null).await;
    assert_eq!(export.header("content-type"), Some("application/toml"));
    let text = export.text();
    let put_scenario = async |text: String| {
        let answer = wire.send(&Ask::new("PUT", "/_bucketproof/scenario").body(text)).await;
        (answer.status, answer.text())
    };
    let other = text.replace("\"archive\"", "\"attic\"");
    assert_ne!(text, other);
    assert_eq!(put_scenario(other).await, (200, "{}".to_owned()));
    assert_eq!(get(&wire, "/attic/a").await.0, 301);
    assert_eq!(get(&wire, "/archive/a").await.0, 404);
    wire.send_as(ADMIN, &Ask::new("DELETE", "/attic")).await;
    json_of(&wire, "POST", "reset", Value::Null).await;
    assert_eq!(get(&wire, "/attic/a").await.0, 301, "a reset comes back to it");
    let (status, told) = put_scenario("[[account]]\nid = \"12\"\nname = \"x\"\n".to_owned()).await;
    assert_eq!(
        (status, told.contains("scenario:2:6: field `id` of the account is `12`")),
        (400, true),
        "{told}"
    );
    let (status, told) = put_scenario("[[account]]\nid = \"111122223333\"\nnaem = \"x\"\n".to_owned()).await;
    assert_eq!((status, told.contains("unknown field `naem`")), (400, true), "{told}");
    assert_eq!(get(&wire, "/attic/a").await.0, 301, "what is wrong changes nothing");
}

#[tokio::test]
async fn what_is_on_disk_refuses_to_go_back_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (_emulator, wire) = listening_with(|builder| builder.data_dir(folder.path())).await;
    assert_eq!(json_of(&wire, "GET", "ready", Value::Null).await, json!({"status": "ready"}));
    json_of(&wire, "POST", "snapshots", Value::Null).await;
    for place in ["reset", "snapshots/1/restore"] {
        let (status, text) = refusal(&wire, "POST", place, Value::Null).await;
        assert_eq!((status, text.contains("an emulator with a data directory cannot go back")), (409, true));
    }
    let scenario =
        Ask::new("PUT", "/_bucketproof/scenario").body("[[account]]\nid = \"111122223333\"\nname = \"x\"\n");
    assert_eq!(wire.send(&scenario).await.status, 409);
    json_of(&wire, "POST", "forks", Value::Null).await;
}

#[tokio::test]
async fn the_journal_is_narrowed_by_what_is_asked_for() {
    let (_emulator, wire) = listening().await;
    put(&wire, "/logs/a", "a").await;
    wire.send_as(READER, &Ask::new("GET", "/logs/a")).await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send(&Ask::new("GET", "/logs/a").header("authorization", "nonsense")).await;
    let all = json_of(&wire, "GET", "requests", Value::Null).await;
    let ids: Vec<&str> = all.as_array().unwrap().iter().map(|r| r["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4);
    let found = async |query: &str| {
        let listed = json_of(&wire, "GET", &format!("requests?{query}"), Value::Null).await;
        let ids = listed.as_array().unwrap().iter().map(|r| r["request_id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<String>>()
    };
    for (query, expected) in [
        ("outcome=allowed", &ids[0..2]),
        ("outcome=denied", &ids[2..3]),
        ("outcome=undecided", &ids[3..4]),
        ("operation=GetObject", &ids[1..3]),
        ("operation=GetObject&limit=1", &ids[2..3]),
        ("principal=user/reader", &ids[1..2]),
        ("bucket=archive", &[]),
        ("service=s3&brief=true", &ids[..]),
        (&format!("after={}", ids[1]), &ids[2..]),
        ("after=UNKNOWN", &ids[..]),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    for (query, told) in [
        (
            "outcom=denied",
            "there is no parameter `outcom` at `/_bucketproof/requests`; there are `after`, `limit`",
        ),
        ("outcome=refused", "`refused` is none; there are allowed, denied, undecided"),
        ("operation=PutObjekt", "the operations are"),
        ("limit=many", "parameter `limit`: `many` is no number"),
        ("brief=yes", "neither `true` nor `false`"),
    ] {
        let (status, text) = refusal(&wire, "GET", &format!("requests?{query}"), Value::Null).await;
        assert_eq!((status, text.contains(told)), (400, true), "{text}");
    }
    for (after, continues) in [(ids[1], "true"), ("UNKNOWN", "false")] {
        let answer = ask(&wire, "GET", &format!("requests?after={after}"), &Value::Null).await;
        assert_eq!(answer.header("x-bucketproof-continues"), Some(continues));
    }
    json_of(&wire, "DELETE", "requests", Value::Null).await;
    assert!(found("limit=9").await.is_empty());
}

#[tokio::test]
async fn one_request_tells_its_trace_its_context_and_its_documents() {
    let (_emulator, wire) = listening().await;
    let denied = wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    let id = denied.header("x-amz-request-id").unwrap().to_owned();
    let told = json_of(&wire, "GET", &format!("requests/{id}"), Value::Null).await;
    let decision = &told["decisions"][0];
    assert_eq!(decision["trace"]["policies"][0]["statements"][0]["elements"][1]["matches"], false);
    assert_eq!(decision["context"]["aws:username"], "writer");
    assert_eq!(decision["policies"][0]["kind"], "identity");
    assert!(decision["policies"][0]["text"].as_str().unwrap().contains("arn:aws:s3:::logs/open/*"));
    let (status, text) = refusal(&wire, "GET", "requests/NONE", Value::Null).await;
    assert_eq!(
        (status, text.as_str()),
        (404, "the journal has no request `NONE`; see /_bucketproof/requests")
    );
}

#[tokio::test]
async fn a_request_is_judged_anew_and_nothing_changes() {
    let (emulator, wire) = listening().await;
    put(&wire, "/logs/closed", "a").await;
    let denied = wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    assert_eq!(denied.status, 403);
    let id = denied.header("x-amz-request-id").unwrap().to_owned();
    let told = json_of(&wire, "GET", &format!("requests/{id}"), Value::Null).await;
    let policy = &told["decisions"][0]["policies"][0];
    let before = emulator.export_scenario();
    let judge = async |question: Value| json_of(&wire, "POST", "judge", question).await;
    // As it was.
    let same = judge(json!({"request": id})).await;
    assert_eq!((&same["allowed"], &same["note"]), (&json!(false), &Value::Null));
    assert_eq!(same["decisions"][0]["trace"], told["decisions"][0]["trace"]);
    // With a wider document, as text and as an object.
    let wider = policy["text"].as_str().unwrap().replace("logs/open/*", "logs/*");
    let object: Value = serde_json::from_str(&wider).unwrap();
    for document in [json!(wider), object] {
        let edit = json!({"kind": "identity", "name": policy["name"], "number": 1, "document": document});
        let allowed = judge(json!({"request": id, "policies": [edit]})).await;
        assert_eq!(allowed["allowed"], true, "{allowed}");
        let decision = &allowed["decisions"][0];
        assert_eq!(
            (&decision["before"], &decision["outcome"]),
            (&json!("ImplicitlyDenied"), &json!("Allowed"))
        );
        assert!(allowed["note"].as_str().unwrap().contains("never asked"));
    }
    // With a bucket policy that was not there: an allow, then also a deny under a condition.
    let grant = |effect: &str, condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*",
            "Condition": condition,
        }]})
    };
    let bucket = |document: Value| json!([{"kind": "bucket", "name": "logs", "document": document}]);
    let key = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}});
    let question = json!({"request": id, "policies": bucket(grant("Allow", key.clone()))});
    assert_eq!(judge(question).await["allowed"], false);
    let question = json!({"request": id, "policies": bucket(grant("Allow", key)), "context": {"aws:SourceVpce": "vpce-1"}});
    assert_eq!(judge(question).await["allowed"], true);
    // Nothing changed, and nothing was written down.
    assert_eq!(emulator.export_scenario(), before);
    assert_eq!(emulator.journal().entries().len(), 2);
    assert_eq!(wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await.status, 403);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_told_why() {
    let (_emulator, wire) = listening().await;
    let denied = wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    let id = denied.header("x-amz-request-id").unwrap().to_owned();
    let undecided = wire.send(&Ask::new("GET", "/logs/a").header("authorization", "nonsense")).await;
    let undecided = undecided.header("x-amz-request-id").unwrap().to_owned();
    let edit = |edit: Value| json!({"request": id, "policies": [edit]});
    for (question, status, told) in [
        (json!({}), 400, "missing field `request`"),
        (json!({"request": "NONE"}), 404, "the journal has no request `NONE`"),
        (json!({"request": undecided}), 400, "nothing was decided"),
        (
            json!({"request": id, "polices": []}),
            400,
            "unknown field `polices`, expected one of `request`, `policies`",
        ),
        (
            edit(json!({"kind": "identty", "document": "{}"})),
            400,
            "unknown variant `identty`, expected one of `identity`",
        ),
        (edit(json!({"kind": "identity", "document": "{"})), 400, "identity policy `edited`: "),
        (edit(json!({"kind": "identity", "document": 7})), 400, "write an object, its text, or null"),
        (edit(json!({"kind": "identity", "number": 0, "document": null})), 400, "the least is 1"),
        (
            edit(json!({"kind": "key", "name": "k", "document": {"Version": "2012-10-17", "Statement": []}})),
            400,
            "key policy of `k`",
        ),
        (
            edit(json!({"kind": "identity", "name": "none", "document": null})),
            400,
            "no decision on this request has a place for the identity policy `none`; they had identity policy",
        ),
        (
            json!({"request": id, "context": {"aws:SourceIp": 7}}),
            400,
            "write a string, a list of strings, or null",
        ),
    ] {
        let (found, text) = refusal(&wire, "POST", "judge", question.clone()).await;
        assert_eq!((found, text.contains(told)), (status, true), "{question}: {text}");
    }
}

#[tokio::test]
async fn events_are_told_before_and_after_they_are_delivered() {
    let (emulator, wire) = listening().await;
    let queue = "arn:aws:sqs:us-east-1:111122223333:events";
    notifications::queue_for(&wire, "s3.amazonaws.com").await;
    let rule = format!(
        "<QueueConfiguration><Queue>{queue}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
    );
    let configured = notifications::configure(&wire, "logs", &rule).await;
    assert_eq!(configured.status, 200, "{}", configured.text());
    emulator.deliver().await;
    put(&wire, "/logs/a", "a").await;
    let told = json_of(&wire, "GET", "events", Value::Null).await;
    let waiting = &told["waiting"];
    assert_eq!((&waiting[0]["kind"], &waiting[0]["from"]), (&json!("event"), &json!("logs")), "{told}");
    emulator.deliver().await;
    let told = json_of(&wire, "GET", "events?limit=1", Value::Null).await;
    assert_eq!(told["waiting"], json!([]));
    assert_eq!(
        told["done"],
        json!([{
            "at": "2026-01-01T00:00:00Z", "kind": "event", "from": "logs", "to": queue,
            "outcome": "delivered", "attempt": 1,
        }])
    );
    let metrics = ask(&wire, "GET", "metrics", &Value::Null).await.text();
    assert!(metrics.contains("bucketproof_deliveries_total{outcome=\"delivered\"} 2\n"), "{metrics}");
}

#[tokio::test]
async fn metrics_count_what_was_done_and_no_reset_takes_it_back() {
    let (_emulator, wire) = listening().await;
    put(&wire, "/logs/a", "abc").await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    json_of(
        &wire,
        "POST",
        "faults",
        json!({"name": "a\"b\\c\nd", "effect": "slow_down", "operation": "HeadObject"}),
    )
    .await;
    wire.send(&Ask::new("GET", "/logs/a").header("x-amz-target", "Made_Up_1.Thing")).await;
    json_of(&wire, "POST", "reset", Value::Null).await;
    json_of(
        &wire,
        "POST",
        "faults",
        json!({"name": "a\"b\\c\nd", "effect": "slow_down", "operation": "HeadObject"}),
    )
    .await;
    let answer = ask(&wire, "GET", "metrics", &Value::Null).await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.text();
    for line in [
        "bucketproof_requests_total{service=\"s3\",operation=\"PutObject\",status=\"200\"} 1",
        "bucketproof_requests_total{service=\"s3\",operation=\"GetObject\",status=\"403\"} 1",
        "bucketproof_decisions_total{service=\"s3\",outcome=\"implicitly_denied\"} 1",
        "bucketproof_fault_hits{id=\"1\",name=\"a\\\"b\\\\c\\nd\"} 0",
        "bucketproof_request_bytes_total 3",
        "bucketproof_journal_entries 0",
        "bucketproof_clock_seconds 1767225600",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    assert!(!text.contains("Made_Up"), "{text}");
}

#[tokio::test]
async fn a_token_is_asked_for_and_never_told() {
    const TOKEN: &str = "a-token-of-the-admin-0123456789";
    let (emulator, wire) =
        listening_with(|builder| builder.admin_token(AdminToken::new(TOKEN).unwrap())).await;
    let bearer = |place: &str, token: &str| {
        Ask::new("GET", &format!("/_bucketproof/{place}")).header("authorization", &format!("Bearer {token}"))
    };
    let without = ask(&wire, "GET", "requests", &Value::Null).await;
    assert_eq!(
        (without.status, without.header("www-authenticate")),
        (401, Some("Bearer realm=\"bucketproof\""))
    );
    assert_eq!(wire.send(&bearer("requests", "another-token-of-the-admin")).await.status, 401);
    assert_eq!(wire.send(&bearer("requests", TOKEN)).await.status, 200);
    assert_eq!(ask(&wire, "GET", "health", &Value::Null).await.status, 200);
    // A fork asks for the same, and S3 does not know it.
    let post = Ask::new("POST", "/_bucketproof/forks").header("authorization", &format!("Bearer {TOKEN}"));
    let fork: Value = serde_json::from_slice(&wire.send(&post).await.body).unwrap();
    let address = fork["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let there = Wire::to(address, emulator.clock().clone());
    assert_eq!(ask(&there, "GET", "requests", &Value::Null).await.status, 401);
    assert_eq!(
        wire.send(&Ask::new("GET", "/logs/a").header("authorization", &format!("Bearer {TOKEN}")))
            .await
            .status,
        400
    );
    let shown = format!("{emulator:?}{}", wire.send(&bearer("requests", TOKEN)).await.text());
    assert!(!shown.contains(TOKEN));
}

#[tokio::test]
async fn set_ups_for_another_emulator_find_what_they_read() {
    let emulator = Emulator::builder().scenario(scenario()).start().await.unwrap();
    let get = async |path: &str| {
        let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
        String::from_utf8(emulator.send(request).await.unwrap().body().to_vec()).unwrap()
    };
    let fresh = get("/_localstack/health?reload").await;
    assert!(fresh.starts_with("{\"services\": {\"iam\": \"available\", "), "{fresh}");
    emulator
        .s3("admin")
        .put_object()
        .bucket("logs")
        .key("a")
        .body(ByteStream::from_static(b"a"))
        .send()
        .await
        .unwrap();
    let used: Value = serde_json::from_str(&get("/_localstack/health").await).unwrap();
    assert_eq!((&used["services"]["s3"], &used["services"]["sqs"]), (&json!("running"), &json!("available")));
    let ready: Value = serde_json::from_str(&get("/_localstack/init/ready").await).unwrap();
    assert_eq!(ready["completed"], true);
    let stages: Value = serde_json::from_str(&get("/_localstack/init").await).unwrap();
    assert_eq!(stages["completed"]["READY"], true);
}
