//! A table of a real PostgreSQL as a source.

use bucketproof_connector::config::Config;

use super::database::Server;
use super::{Desk, once};

pub(super) const SCHEMA: &str = "
    CREATE TABLE clicks (at timestamptz NOT NULL, who text, kind text NOT NULL, tags text[], numbers bigint[],
                         more jsonb[], detail jsonb, count bigint, good boolean, of_no_interest text);
    CREATE TABLE pages (id text NOT NULL, at timestamptz NOT NULL, changed timestamptz NOT NULL);
    CREATE INDEX ON pages (changed)";

/// An export of both tables; the time of `clicks` is not set by the database's clock, so it is never looked at.
pub(super) fn desk(server: &Server, with_time: bool) -> Desk {
    let time = if with_time { ", updated_at = \"changed\", overlap = \"1s\"" } else { "" };
    let desk = Desk::new(&format!(
        "[[source]]\ndataset = \"clicks\"\npostgres = {{ url = {{ file = \"url\" }}, table = \"clicks\" }}\n\
         [[source]]\ndataset = \"pages\"\npostgres = {{ url = {{ file = \"url\" }}, table = \"public.pages\"{time} }}\n"
    ));
    std::fs::write(desk.directory.path().join("url"), server.url()).unwrap();
    desk
}

#[tokio::test]
async fn rows_at_the_watermarks_edge_are_exported_once() {
    let Some(server) = Server::start(|_| String::new()) else { return };
    let (first, second) = (server.client().await, server.client().await);
    first.batch_execute(SCHEMA).await.unwrap();
    let desk = desk(&server, true);
    let insert = |name: &str| {
        format!(
            "INSERT INTO clicks (at, who, kind, tags, numbers, more, detail, count, good)
             VALUES ('2026-01-15T10:00:00.123456+02', '{name}', 'click', ARRAY['a', 'b \"c'], '{{1,-2}}',
                     ARRAY['{{\"x\": [1, null]}}'::jsonb], '{{\"deep\": {{\"y\": \"z\\n\"}}}}', -7, true);
             INSERT INTO pages VALUES ('{name}', '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');"
        )
    };
    // Of one instant, committed and not committed; the transaction that stays open began first.
    second.batch_execute(&format!("BEGIN; SAVEPOINT s; {}", insert("late"))).await.unwrap();
    first.batch_execute(&insert("a")).await.unwrap();
    first.batch_execute(&insert("b")).await.unwrap();
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b"]));
    first.batch_execute(&insert("c")).await.unwrap();
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c"]));
    second.batch_execute("RELEASE s; COMMIT").await.unwrap();
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c", "late"]));
    assert_eq!(desk.texts("pages", "id"), once(["a", "b", "c", "late"]));
    let objects = desk.bucket.history().len();
    desk.sync().await;
    assert_eq!(desk.bucket.history().len(), objects, "nothing new, nothing written");

    // Values come through as they are.
    let body = desk
        .bucket
        .objects()
        .into_iter()
        .find(|(key, _)| key.as_str().starts_with("clicks/"))
        .unwrap()
        .1
        .body;
    let profile = desk.connection().profile().clone();
    let rows = bucketproof_connector::parquet_file::decode(&profile.datasets()[0], body).unwrap();
    let shown = format!("{:?}", rows[0].slice(0, 1));
    for part in ["2026-01-15T08:00:00.123456", "b \\\"c", "-2", "-7", "true", "deep"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn what_a_database_refuses_is_said_without_its_password() {
    let Some(server) = Server::start(|_| String::new()) else { return };
    let client = server.client().await;
    client.batch_execute(SCHEMA).await.unwrap();
    client
        .batch_execute("CREATE VIEW seen AS SELECT * FROM pages; CREATE TABLE other (a int)")
        .await
        .unwrap();
    let told = async |url: &str, table: &str| {
        let desk = Desk::new(&format!(
            "[[source]]\ndataset = \"pages\"\npostgres = {{ url = {{ file = \"url\" }}, table = \"{table}\", updated_at = \"changed\" }}\n"
        ));
        std::fs::write(desk.directory.path().join("url"), url).unwrap();
        let error = desk.try_sync().await.unwrap_err();
        let text = format!("{error}\nhelp: {}", error.help());
        assert!(!text.contains("hunter2"), "{text}");
        assert!(
            !String::from_utf8_lossy(&crate::rig::all_bytes(&desk.directory.path().join("state")))
                .contains("hunter2")
        );
        text
    };
    let url = server.url();
    assert!(told(&url, "absent").await.contains("there is no table `absent`"));
    assert!(told(&url, "seen").await.contains("name the table behind the view"));
    assert!(told(&url, "other").await.contains("none of the dataset's columns"));
    let with_password = |host: &str| format!("postgresql://nobody:hunter2@{host}:{}/postgres", server.port());
    assert!(told(&with_password("127.0.0.1"), "pages").await.contains("nobody"));
    // Beyond loopback, or where it is asked for, a server without TLS is refused before a password is sent.
    let asked = format!("{}?sslmode=require", with_password("localhost"));
    let text = told(&asked, "pages").await;
    assert!(text.contains("TLS"), "{text}");
    assert!(
        told("postgresql://a:hunter2@host:port/d", "pages")
            .await
            .contains("the URL is not one of PostgreSQL")
    );
}

/// TLS with a certificate of an authority that is named, and the refusal of one that is not known.
#[tokio::test]
async fn under_tls_the_servers_certificate_is_checked() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = key.cert.pem();
    let server = Server::start(|data| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(data.join("server.crt"), &certificate).unwrap();
        std::fs::write(data.join("server.key"), key.signing_key.serialize_pem()).unwrap();
        std::fs::set_permissions(data.join("server.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        "-c ssl=on".to_owned()
    });
    let Some(server) = server else { return };
    server.client().await.batch_execute(SCHEMA).await.unwrap();
    server.client().await.batch_execute("INSERT INTO pages VALUES ('a', now(), now())").await.unwrap();
    let source = |root: &str| {
        let desk = Desk::new(&format!(
            "[[source]]\ndataset = \"pages\"\npostgres = {{ url = {{ file = \"url\" }}, table = \"pages\"{root} }}\n"
        ));
        let url = format!("postgresql://tester@localhost:{}/postgres?sslmode=require", server.port());
        std::fs::write(desk.directory.path().join("url"), url).unwrap();
        std::fs::write(desk.directory.path().join("ca.pem"), &certificate).unwrap();
        desk
    };
    let desk = source(", root_certificate = \"ca.pem\"");
    desk.sync().await;
    assert_eq!(desk.texts("pages", "id"), once(["a"]));
    let error = source("").try_sync().await.unwrap_err();
    assert!(error.help().contains("root_certificate"), "{error}: {}", error.help());
}

/// `BUCKETPROOF_POSTGRES_ROWS` sets how many rows; between syncs some change and some come.
#[tokio::test]
async fn a_table_with_many_rows_and_updates_between_syncs() {
    let Some(server) = Server::start(|_| String::new()) else { return };
    let count = std::env::var("BUCKETPROOF_POSTGRES_ROWS").ok().and_then(|count| count.parse().ok());
    let count: i32 = count.unwrap_or(3_000);
    let client = server.client().await;
    client.batch_execute(SCHEMA).await.unwrap();
    let fill = format!(
        "INSERT INTO pages SELECT 'p' || n, timestamptz '2026-01-10' + n * interval '1 second', now()
         FROM generate_series(1, {count}) n"
    );
    client.batch_execute(&fill).await.unwrap();
    let desk = desk(&server, true);
    let report = desk.sync().await;
    assert_eq!(report.datasets[1].rows_written, u64::try_from(count).unwrap());
    for round in 0..3 {
        let changed = client
            .execute(
                "UPDATE pages SET changed = clock_timestamp() WHERE hashtext(id || $1::text) % 50 = 0",
                &[&round.to_string()],
            )
            .await
            .unwrap();
        client
            .execute(
                "INSERT INTO pages SELECT 'r' || $1::text || n, timestamptz '2026-01-10' + n * interval '1 second', now()
                 FROM generate_series(1, 100) n",
                &[&round.to_string()],
            )
            .await
            .unwrap();
        let report = desk.sync().await;
        assert_eq!(report.datasets[1].rows_written, changed + 100, "round {round}");
    }
    let rows = client
        .query("SELECT id, (extract(epoch FROM changed) * 1000000)::bigint::text FROM pages", &[])
        .await
        .unwrap();
    assert_eq!(desk.texts("pages", "id"), once(rows.iter().map(|row| row.get::<_, String>(0))));
    let mut versions = std::collections::BTreeMap::new();
    for row in &rows {
        *versions.entry(row.get::<_, String>(1)).or_insert(0) += 1;
    }
    assert_eq!(desk.texts("pages", "changed"), versions);
}

#[test]
fn a_secret_in_the_configuration_is_refused() {
    let text = "profile = \"suprsend_s3_v2\"\nenabled = true\ndatasets = [\"messages\"]\n[bucket]\nname = \"b-1\"\n\
                region = \"us-east-1\"\n[auth]\nmode = \"static_keys\"\naccess_key_id = \"AKIDEXAMPLE\"\n\
                secret_access_key = { env = \"SECRET\" }\n[state]\ndir = \"state\"\n[[source]]\ndataset = \"messages\"\n\
                postgres = { url = \"postgresql://u:hunter2@h/d\", table = \"t\" }\n";
    let error = Config::parse(text, "c.toml").unwrap_err();
    assert!(!format!("{error} {}", error.help()).contains("hunter2"), "{error}");
}
