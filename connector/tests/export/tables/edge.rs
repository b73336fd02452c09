//! Random schedules of transactions at the edge of what a pull sees, against a real PostgreSQL.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio_postgres::Client;

use super::Desk;
use super::database::Server;
use super::postgres::{SCHEMA, desk};

/// How many transactions may be open at a time.
const SESSIONS: usize = 3;

#[derive(Clone, Debug)]
enum Event {
    /// A row is inserted into both tables in a session's transaction, within a savepoint or not.
    Insert {
        session: usize,
        savepoint: bool,
    },
    /// A page that is there is changed in a session's transaction, if no other one has it.
    Update {
        session: usize,
        page: usize,
    },
    /// The session's transaction ends.
    End {
        session: usize,
        commit: bool,
    },
    Sync,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..SESSIONS, any::<bool>()).prop_map(|(session, savepoint)| Event::Insert { session, savepoint }),
        2 => (0..SESSIONS, 0_usize..6).prop_map(|(session, page)| Event::Update { session, page }),
        3 => (0..SESSIONS, prop::bool::weighted(0.8)).prop_map(|(session, commit)| Event::End { session, commit }),
        3 => Just(Event::Sync),
    ];
    prop::collection::vec(event, 1..30)
}

/// What a session's transaction did so far.
#[derive(Default)]
struct Open {
    has_begun: bool,
    clicks: Vec<String>,
    pages: BTreeMap<String, String>,
}

async fn play(server: &Server, sessions: &[Client], events: &[Event], with_time: bool) {
    let admin = &sessions[SESSIONS];
    admin.batch_execute("TRUNCATE clicks, pages").await.unwrap();
    let desk: Desk = desk(server, with_time);
    let mut open: Vec<Open> = (0..SESSIONS).map(|_| Open::default()).collect();
    let mut clicks: Vec<String> = Vec::new();
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    let end = async |open: &mut Open,
                     session: usize,
                     commit: bool,
                     clicks: &mut Vec<String>,
                     pages: &mut BTreeMap<_, _>| {
        let done = std::mem::take(open);
        if !done.has_begun {
            return;
        }
        sessions[session].batch_execute(if commit { "COMMIT" } else { "ROLLBACK" }).await.unwrap();
        if commit {
            clicks.extend(done.clicks);
            pages.extend(done.pages);
        }
    };
    for (at, event) in events.iter().enumerate() {
        // All rows of a schedule share very few times, so that times tell nothing.
        let time = format!("2026-01-15T1{}:00:00Z", at / 15);
        match *event {
            Event::Insert { session, savepoint } => {
                let name = format!("{at}");
                let mut sql = String::new();
                if !open[session].has_begun {
                    sql.push_str("BEGIN;");
                }
                if savepoint {
                    sql.push_str("SAVEPOINT s;");
                }
                write!(
                    sql,
                    "INSERT INTO clicks (at, who, kind) VALUES ('{time}', '{name}', 'tap');
                     INSERT INTO pages VALUES ('{name}', '{time}', now());"
                )
                .unwrap();
                if savepoint {
                    sql.push_str("RELEASE s;");
                }
                sessions[session].batch_execute(&sql).await.unwrap();
                let row = sessions[session]
                    .query_one("SELECT (extract(epoch FROM changed) * 1000000)::bigint::text FROM pages WHERE id = $1", &[&name])
                    .await
                    .unwrap();
                let open = &mut open[session];
                open.has_begun = true;
                open.clicks.push(name.clone());
                open.pages.insert(name, row.get(0));
            }
            Event::Update { session, page } => {
                let Some(name) = pages.keys().nth(page).cloned() else { continue };
                if open.iter().any(|open| open.pages.contains_key(&name)) {
                    continue;
                }
                if !open[session].has_begun {
                    sessions[session].batch_execute("BEGIN").await.unwrap();
                }
                // Later than any version before: the table's own rule, without which no export could tell versions apart.
                let row = sessions[session]
                    .query_one(
                        "UPDATE pages SET changed = greatest(clock_timestamp(), changed + interval '1 microsecond')
                         WHERE id = $1 RETURNING (extract(epoch FROM changed) * 1000000)::bigint::text",
                        &[&name],
                    )
                    .await
                    .unwrap();
                open[session].has_begun = true;
                open[session].pages.insert(name, row.get(0));
            }
            Event::End { session, commit } => {
                end(&mut open[session], session, commit, &mut clicks, &mut pages).await;
            }
            Event::Sync => {
                desk.sync().await;
                check(&desk, &clicks, &pages);
            }
        }
    }
    for (session, open) in open.iter_mut().enumerate() {
        end(open, session, true, &mut clicks, &mut pages).await;
    }
    desk.sync().await;
    check(&desk, &clicks, &pages);
    let report = desk.sync().await;
    assert!(
        report.datasets.iter().all(|dataset| dataset.objects.iter().all(|object| object.rows_written == 0))
    );
}

/// After a sync the bucket holds exactly what was committed: each click once, each page in its last version.
fn check(desk: &Desk, clicks: &[String], pages: &BTreeMap<String, String>) {
    assert_eq!(desk.texts("clicks", "who"), super::once(clicks));
    assert_eq!(desk.texts("pages", "id"), super::once(pages.keys()));
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for version in pages.values() {
        *versions.entry(version.clone()).or_default() += 1;
    }
    assert_eq!(desk.texts("pages", "changed"), versions);
}

/// `BUCKETPROOF_POSTGRES_SCHEDULES` sets how many.
#[test]
fn nothing_is_missed_and_nothing_given_twice_whatever_transactions_do() {
    let Some(server) = Server::start(|_| String::new()) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sessions: Vec<Client> = runtime.block_on(async {
        let mut sessions = Vec::new();
        for _ in 0..=SESSIONS {
            sessions.push(server.client().await);
        }
        sessions[SESSIONS].batch_execute(SCHEMA).await.unwrap();
        sessions
    });
    let cases = std::env::var("BUCKETPROOF_POSTGRES_SCHEDULES").ok().and_then(|cases| cases.parse().ok());
    let config =
        ProptestConfig { cases: cases.unwrap_or(12), failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(events(), any::<bool>()), |(events, with_time)| {
            runtime.block_on(async {
                for session in &sessions {
                    session.batch_execute("ROLLBACK").await.unwrap();
                }
                play(&server, &sessions, &events, with_time).await;
            });
            Ok(())
        })
        .unwrap();
}
