//! Input and machines as they should not be: each has its outcome, told in words, and no row is lost in silence.

use arrow_array::Array as _;
use arrow_array::cast::AsArray as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

use bucketproof_connector::engine::{FailureKind, SyncError};

use crate::rig::{Rig, fold, key, message, rows};

fn letters(rig: &Rig) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(rig.path("state/dead-letter/messages.ndjson")).unwrap_or_default();
    text.lines().map(|letter| serde_json::from_str(letter).unwrap()).collect()
}

/// Claims ENG-14.
#[tokio::test]
async fn a_line_that_is_not_utf8_is_a_dead_letter_with_its_place_and_the_rest_goes_on() {
    let rig = Rig::new();
    let (first, last) = (message(1, 5, 0, "sent"), message(3, 6, 0, "sent"));
    let bad = message(2, 5, 0, "s?nt").into_bytes();
    let at = bad.iter().position(|byte| *byte == b'?').unwrap();
    let mut bytes = first.clone().into_bytes();
    bytes.extend(&bad[..at]);
    bytes.extend([0xff, 0xfe]);
    bytes.extend(&bad[at + 1..]);
    bytes.extend(last.as_bytes());
    std::fs::write(rig.path("messages.ndjson"), &bytes).unwrap();
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_dead_lettered), (3, 2, 1));
    assert_eq!(rig.objects(), fold("messages", &(first.clone() + &last)));
    let letters = letters(&rig);
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0]["line"].as_u64(), letters[0]["byte_offset"].as_u64()),
        (Some(2), Some(first.len() as u64))
    );
    assert!(letters[0].to_string().contains(&format!("not UTF-8 (byte {at} of the line)")), "{}", letters[0]);
}

#[tokio::test]
async fn times_far_off_are_exported_where_they_say_and_nowhere_else() {
    let rig = Rig::new();
    let at = |id: u32, created: &str, updated: &str| {
        format!(
            "{{\"message_id\":\"m-{id}\",\"created_at\":\"{created}\",\"updated_at\":\"{updated}\",\"status\":\"sent\"}}\n"
        )
    };
    // A century ahead, the year 9999, before 1970, and a version that a clock made that runs ahead.
    let lines = at(1, "2125-01-15T14:05:00Z", "2125-01-15T14:05:00Z")
        + &at(2, "9999-12-29T23:59:59Z", "9999-12-29T23:59:59Z")
        + &at(3, "1969-07-20T20:17:40Z", "1969-07-20T20:17:40Z")
        + &at(4, "2025-01-15T14:05:00Z", "2031-01-01T00:00:00Z")
        + &at(4, "2025-01-15T14:05:00Z", "2025-01-15T14:06:00Z")
        + &at(5, "10000-01-01T00:00:00Z", "2025-01-15T14:06:00Z")
        + &at(6, "2025-02-30T00:00:00Z", "2025-01-15T14:06:00Z");
    rig.write("messages.ndjson", &lines);
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    // The version ahead of its time wins until a later one comes; the other one is counted, not lost from sight.
    assert_eq!((report.rows_written, report.rows_deduplicated, report.rows_dead_lettered), (4, 1, 2));
    let keys: Vec<String> = rig.objects().into_keys().collect();
    assert_eq!(
        keys,
        [
            "year=1969/month=07/day=20/hour=20/messages.parquet",
            "year=2025/month=01/day=15/hour=14/messages.parquet",
            "year=2125/month=01/day=15/hour=14/messages.parquet",
            "year=9999/month=12/day=29/hour=23/messages.parquet",
        ]
    );
    assert_eq!(
        letters(&rig).iter().map(|letter| letter["column"].clone()).collect::<Vec<_>>(),
        ["created_at", "created_at"]
    );
}

/// A merge sees one object, so the hour that the row left keeps its version; nothing is lost, and both are told of.
#[tokio::test]
async fn a_created_at_that_changes_makes_a_row_in_its_new_hour() {
    let rig = Rig::new();
    let (before, after) = (message(1, 5, 0, "sent"), message(1, 70, 3, "seen"));
    rig.write("messages.ndjson", &before);
    rig.sync().await;
    rig.append("messages.ndjson", &after);
    let report = rig.sync().await;
    assert_eq!(report.dataset("messages").unwrap().rows_written, 1);
    assert_eq!(rig.objects(), fold("messages", &(before.clone() + &after)));
    let count = |hour: u32| -> usize {
        let body = rig.bucket.objects()[&key(hour)].body.clone();
        rows("messages", &body).iter().map(arrow_array::RecordBatch::num_rows).sum()
    };
    assert_eq!((count(14), count(15)), (1, 1));
    // Within its hour a row moves.
    rig.append("messages.ndjson", &message(1, 75, 4, "clicked"));
    rig.sync().await;
    assert_eq!(count(15), 1);
}

#[tokio::test]
async fn gigantic_json_is_taken_or_refused_by_its_size_and_its_depth() {
    let rig = Rig::new();
    let with = |id: u32, webhook: &str| {
        message(id, 5, 0, "sent").replace("\"status\"", &format!("\"webhook_data\":{webhook},\"status\""))
    };
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(9 << 20));
    let deep = "[".repeat(50_000) + &"]".repeat(50_000);
    let wide = format!("[{}0]", "0,".repeat(200_000));
    rig.write(
        "messages.ndjson",
        &(with(1, &large) + &with(2, &deep) + &with(3, &wide) + &message(4, 5, 0, "sent")),
    );
    let small = rig.config_text().replace("dir = \"state\"", "dir = \"state\"\nbatch_mib = 1");
    let report = rig.sync_with(&small).await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_dead_lettered), (4, 3, 1));
    assert!(letters(&rig)[0].to_string().contains("nested deeper than 128 levels"));
    let body = &rig.objects()[key(14).as_str()];
    let text: String = rows("messages", body)
        .iter()
        .flat_map(|batch| {
            let texts = batch.column_by_name("webhook_data").unwrap().as_string::<i32>();
            let rows = (0..texts.len()).filter(|row| texts.is_valid(*row));
            rows.map(|row| texts.value(row).to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert!(text.contains(&large) && text.contains(&wide), "JSON is kept as it is");
}

#[tokio::test]
async fn a_line_that_is_too_long_waits_for_its_end_and_is_then_a_dead_letter() {
    let rig = Rig::new();
    let small = rig.config_text().replace("dir = \"state\"", "dir = \"state\"\nmemory_mib = 128");
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.sync_with(&small).await;
    let before = rig.objects();
    let mut file = std::fs::OpenOptions::new().append(true).open(rig.path("messages.ndjson")).unwrap();
    // Zero bytes that take no room on the disk.
    let start = file.metadata().unwrap().len();
    let end = start + (32 << 20) + 4096;
    file.set_len(end).unwrap();
    let report = rig.sync_with(&small).await;
    assert_eq!(report.dataset("messages").unwrap().pending_bytes, (32 << 20) + 4096);
    assert_eq!(rig.objects(), before);
    std::io::Write::write_all(&mut file, format!("\n{}", message(2, 6, 0, "sent")).as_bytes()).unwrap();
    let report = rig.sync_with(&small).await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_dead_lettered), (2, 1, 1));
    let letter = &letters(&rig)[0];
    assert_eq!((&letter["line"], &letter["byte_offset"]), (&2.into(), &start.into()));
    let bytes = (32 << 20) + 4097;
    assert_eq!(
        letter["reason"],
        format!("the line of {bytes} bytes is longer than a quarter of `state.memory_mib`, or than 256 MiB")
    );
    assert_eq!(letter["raw"].as_str().unwrap().len(), 1024);
}

/// What comes by standard input is nowhere else once it is finished, so the letter says where the whole line is.
#[tokio::test]
async fn a_line_of_standard_input_that_is_too_long_is_kept_whole() {
    let mut rig = Rig::new();
    rig.extra = "[[source]]\ndataset = \"messages\"\nstdin = true\n".to_owned();
    let small = rig.config_text().replace("dir = \"state\"", "dir = \"state\"\nmemory_mib = 128");
    let long = "é".repeat((16 << 20) + 1);
    let input = format!("{}{long}\n{}", message(1, 5, 0, "sent"), message(2, 6, 0, "sent"));
    let connection = rig.connection_of(&small).with_stdin(std::io::Cursor::new(input.into_bytes()));
    let report = connection.sync().await.unwrap();
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_dead_lettered), (3, 2, 1));
    let letter = &letters(&rig)[0];
    let whole = std::fs::read_to_string(letter["raw_file"].as_str().unwrap()).unwrap();
    assert!(whole == format!("{long}\n"), "the line is not whole");
    assert!(long.starts_with(letter["raw"].as_str().unwrap()));
}

#[tokio::test]
async fn a_file_that_is_half_written_is_read_as_far_as_it_goes() {
    let rig = Rig::new();
    let all: String = (0..20).map(|id| message(id, id, 0, "sent")).collect();
    for end in [1, all.len() / 3, all.len() / 2, all.len() - 1, all.len()] {
        rig.write("messages.ndjson", &all[..end]);
        rig.sync().await;
        let whole = all[..end].rfind('\n').map_or(0, |at| at + 1);
        assert_eq!(rig.objects(), fold("messages", &all[..whole]), "{end} bytes");
        let status = rig.connection().status().unwrap();
        assert_eq!(status.datasets[0].checkpoints[0].pending_bytes, (end - whole) as u64);
    }
    assert!(letters(&rig).is_empty(), "half a line is no bad line");
}

#[tokio::test]
async fn a_damaged_state_is_refused_by_name_and_a_new_one_makes_up_for_it() {
    let rig = Rig::new();
    let all = message(1, 5, 0, "sent") + &message(2, 70, 0, "sent") + &message(1, 5, 3, "seen");
    rig.write("messages.ndjson", &all);
    rig.sync().await;
    let before = rig.objects();
    let database = rig.path("state/state.sqlite");
    let whole = std::fs::read(&database).unwrap();
    let zeroed = || [vec![0_u8; 200], whole[200..].to_vec()].concat();
    let torn = || whole.iter().enumerate().map(|(at, byte)| if at >= 4096 { !byte } else { *byte }).collect();
    let damages: [Vec<u8>; 4] =
        [b"no database".repeat(400), zeroed(), torn(), whole[..whole.len() / 2].to_vec()];
    for (which, damage) in damages.into_iter().enumerate() {
        for file in ["state.sqlite-wal", "state.sqlite-shm"] {
            let _gone = std::fs::remove_file(rig.path("state").join(file));
        }
        std::fs::write(&database, damage).unwrap();
        let error = rig.connection().sync().await.unwrap_err();
        assert!(matches!(error, SyncError::State(_)), "damage {which}: {error}");
        assert!(error.help().contains("move the state directory away"), "damage {which}: {}", error.help());
        assert_eq!(error.kind(), FailureKind::Broken);
        assert_eq!(rig.objects(), before, "damage {which}: something was written");
    }
    // As the help says.
    std::fs::rename(rig.path("state"), rig.path("state.damaged")).unwrap();
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_written, report.rows_deduplicated), (0, 3));
    assert_eq!(rig.objects(), before);
}

/// The program with a limit on the size of the files that it writes: what a full disk is to it.
fn limited(rig: &Rig, bytes: u64) -> Output {
    // The shell counts in blocks of 1 KiB, and leaves the signal of the limit to be ignored, so that writes fail.
    let command = format!(
        "trap '' XFSZ; ulimit -f {}; exec {} sync --config connector.toml --json",
        bytes / 1024,
        env!("CARGO_BIN_EXE_bucketproof-connector")
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &command]).current_dir(rig.directory.path()).env_clear().env("EXPORT_SECRET", "s");
    shell.env("PATH", "/usr/bin:/bin").stdin(std::fs::File::open(rig.path("input.ndjson")).unwrap());
    shell.output().unwrap()
}

/// A disk that is full ends the program with a reason, and leaves it able to go on once there is room.
#[test]
fn a_full_disk_is_told_as_such() {
    let mut rig = Rig::new();
    rig.extra = "[[source]]\ndataset = \"messages\"\nstdin = true\n".to_owned();
    rig.endpoint = "endpoint = \"http://127.0.0.1:9\"\nallow_http = true\npath_style = true\n".to_owned();
    rig.write("connector.toml", &rig.config_text());
    rig.write("input.ndjson", &(0..9_000).map(|id| message(id, 5, 0, "sent")).collect::<String>());
    // Without a limit it comes as far as the network.
    let free = limited(&rig, 1 << 40);
    assert_eq!(free.status.code(), Some(1), "{}", String::from_utf8_lossy(&free.stderr));
    std::fs::remove_dir_all(rig.path("state")).unwrap();
    for room in [0, 16 << 10] {
        let full = limited(&rig, room);
        let said = String::from_utf8_lossy(&full.stderr).into_owned();
        assert_eq!((full.status.signal(), full.status.code()), (None, Some(3)), "{room}: {said}");
        assert!(said.contains("state"), "{room}: {said}");
        assert!(said.contains("help: "), "{room}: {said}");
    }
}

/// A directory that cannot be made or written, whoever asks.
#[tokio::test]
async fn a_state_directory_that_cannot_be_written_is_named() {
    let mut rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.write("file", "");
    for (place, directory) in [("a file", "file/state"), ("a kernel's directory", "/proc/state")] {
        let text = rig.config_text().replace("dir = \"state\"", &format!("dir = \"{directory}\""));
        let config =
            bucketproof_connector::config::Config::parse(&text, rig.path("c.toml").to_str().unwrap())
                .unwrap();
        let profile = config.load_profile().unwrap();
        let (clock, entropy) = (rig.clock.clone(), bucketproof_clock::Entropy::seeded(1));
        let connection = bucketproof_connector::engine::Connection::new(
            config,
            profile,
            rig.bucket.clone(),
            clock,
            entropy,
        )
        .unwrap();
        let error = connection.sync().await.unwrap_err();
        assert!(error.to_string().contains(directory), "{place}: {error}");
        assert_eq!(error.help(), "check the path, its permissions and the free space");
    }
    // The dead letters' file is a directory: the batch stays open, and ends once it is one no longer.
    let all = message(1, 5, 0, "sent") + "no json\n";
    rig.write("messages.ndjson", &all);
    rig.extra = String::new();
    std::fs::create_dir_all(rig.path("state/dead-letter/messages.ndjson")).unwrap();
    let error = rig.connection().sync().await.unwrap_err();
    assert!(matches!(error, SyncError::DeadLetters { .. }), "{error}");
    assert!(rig.objects().is_empty(), "rows were exported whose batch has a letter that is not kept");
    std::fs::remove_dir(rig.path("state/dead-letter/messages.ndjson")).unwrap();
    rig.sync().await;
    assert_eq!(rig.objects(), fold("messages", &all));
    assert_eq!(letters(&rig).len(), 1);
}

/// An object above a sixteenth of the memory lies on disk while rows are merged into it; if it cannot, that is told, and
/// nothing is lost.
#[tokio::test]
async fn an_object_that_is_large_against_the_memory_is_merged_with_on_disk() {
    let rig = Rig::new();
    let small = rig.config_text().replace("dir = \"state\"", "dir = \"state\"\nmemory_mib = 128");
    let line = |id: u32, version: u32| {
        // Digits that no compression makes few.
        let digits = (0..20).fold((id + 7, String::new()), |(mut number, mut text), _| {
            number = number.wrapping_mul(2_654_435_761).wrapping_add(12_345).rotate_left(13);
            let other = number.wrapping_mul(0x9E37_79B1) ^ (number >> 7);
            std::fmt::Write::write_fmt(&mut text, format_args!("{number:08x}{other:08x}")).unwrap();
            (number, text)
        });
        let webhook = format!("\"webhook_data\":{{\"d\":\"{}\"}},\"status\"", digits.1);
        message(id, (id * 60) / 50_000, version, "sent").replace("\"status\"", &webhook)
    };
    let mut lines: String = (0..50_000).map(|id| line(id, 0)).collect();
    rig.write("messages.ndjson", &lines);
    rig.sync_with(&small).await;
    let before = rig.objects()[key(14).as_str()].len();
    assert!(before > 8 << 20, "{before} bytes are no more than a sixteenth of the memory");

    let changed: String =
        (0..50_000).step_by(997).chain(60_000..60_010).map(|id| line(id % 50_000, 1)).collect();
    rig.append("messages.ndjson", &changed);
    lines.push_str(&changed);
    let room = rig.path("state/room");
    let _none_yet = std::fs::remove_dir_all(&room);
    std::fs::write(&room, "no directory").unwrap();
    let error = rig.connection_of(&small).sync().await.unwrap_err();
    assert!(matches!(error, SyncError::NoRoom { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Broken);
    assert!(error.help().contains("free space"), "{}", error.help());
    assert_eq!(rig.objects()[key(14).as_str()].len(), before);

    std::fs::remove_file(&room).unwrap();
    std::fs::create_dir_all(&room).unwrap();
    std::fs::write(room.join(".object-left"), "of a crash").unwrap();
    let report = rig.sync_with(&small).await;
    assert!(report.datasets[0].reconciles());
    assert_eq!(std::fs::read_dir(&room).map_or(0, Iterator::count), 0, "what is on disk goes with its sync");
    let found = rows("messages", &rig.objects()[key(14).as_str()]);
    let expected = rows("messages", &fold("messages", &lines)[key(14).as_str()]);
    let schema = found[0].schema();
    let whole = |batches: &[arrow_array::RecordBatch]| {
        arrow_select::concat::concat_batches(&schema, batches).unwrap()
    };
    assert!(whole(&found) == whole(&expected), "other rows than those of a merge in memory");
}
