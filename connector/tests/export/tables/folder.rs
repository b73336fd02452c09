//! A directory that files are put into.

use super::{Desk, once};

fn click(who: &str) -> String {
    format!("{{\"at\":\"2026-01-15T10:00:00Z\",\"who\":\"{who}\",\"kind\":\"tap\"}}\n")
}

#[tokio::test]
async fn files_that_come_are_read_once_each_and_others_are_passed_over() {
    let desk = Desk::new("[[source]]\ndataset = \"clicks\"\ndirectory = \"incoming\"\n");
    let error = desk.try_sync().await.unwrap_err();
    assert!(error.to_string().contains("incoming"), "{error}");
    let folder = desk.directory.path().join("incoming");
    std::fs::create_dir(&folder).unwrap();
    desk.sync().await;
    std::fs::write(folder.join("2.ndjson"), click("b")).unwrap();
    std::fs::write(folder.join("1.jsonl"), click("a")).unwrap();
    for name in [".3.ndjson", "4.ndjson.partial", "5.txt"] {
        std::fs::write(folder.join(name), "half a li").unwrap();
    }
    let report = desk.sync().await;
    assert_eq!(report.datasets[0].rows_read, 2);
    std::fs::rename(folder.join("4.ndjson.partial"), folder.join("4.ndjson")).unwrap();
    std::fs::write(folder.join("4.ndjson"), click("c") + "{\"half\":").unwrap();
    let report = desk.sync().await;
    assert_eq!((report.datasets[0].rows_read, report.datasets[0].pending_bytes), (1, 8));
    // Files that were read may go.
    std::fs::remove_file(folder.join("1.jsonl")).unwrap();
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c"]));
}
