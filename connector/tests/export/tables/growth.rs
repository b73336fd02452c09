//! A vendor's table grows by a column at its end.

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Desk, VENDOR, once};

fn click(who: &str, more: &str) -> String {
    format!("{{\"at\":\"2026-01-15T10:00:00Z\",\"who\":\"{who}\",\"kind\":\"tap\"{more}}}\n")
}

fn page(id: &str, minute: u32, more: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"at\":\"2026-01-15T10:00:00Z\",\"changed\":\"2026-01-15T11:{minute:02}:00Z\"{more}}}\n"
    )
}

fn old_page(minute: u32, more: &str) -> String {
    page("o", minute, more).replace("2026-01-15T10:00", "2026-01-14T08:00")
}

/// Whether each object of `pages` has the column itself, in the order of keys.
fn has_column(desk: &Desk) -> Vec<bool> {
    let objects = desk.bucket.objects().into_iter().filter(|(key, _)| key.as_str().starts_with("pages/"));
    let readers = objects.map(|(_, object)| ParquetRecordBatchReaderBuilder::try_new(object.body).unwrap());
    readers.map(|reader| reader.schema().column_with_name("extra").is_some()).collect()
}

/// Claims SUP-Q19: old rows are null there, old objects keep their columns until they are written for another reason, both
/// kinds are read as one table, and no object is closed for it.
#[tokio::test]
async fn a_column_that_is_appended_and_nullable_costs_nothing() {
    let desk = Desk::new(
        "[[source]]\ndataset = \"clicks\"\npath = \"clicks.ndjson\"\n\
         [[source]]\ndataset = \"pages\"\npath = \"pages.ndjson\"\n",
    );
    let (clicks, pages) =
        (desk.directory.path().join("clicks.ndjson"), desk.directory.path().join("pages.ndjson"));
    let (first_clicks, first_pages) =
        (click("a", "") + &click("b", ""), page("p", 0, "") + &page("q", 0, "") + &old_page(0, ""));
    std::fs::write(&clicks, &first_clicks).unwrap();
    std::fs::write(&pages, &first_pages).unwrap();
    desk.sync().await;
    let before = desk.bucket.objects();
    // Until the profile knows the column, rows with it are drift.
    let grown = ",\"extra\":\"new\"";
    std::fs::write(&pages, first_pages.clone() + &page("q", 1, grown)).unwrap();
    let report = desk.connection().sync().await.unwrap();
    assert_eq!(report.dataset("pages").unwrap().rows_dead_lettered, 1);

    let column = "    { name = \"extra\", type = \"string\", nullable = true, doc = \"New\" },\n]";
    let vendor = VENDOR.replace("doc = \"Whether\" },\n]", &format!("doc = \"Whether\" }},\n{column}"));
    let vendor = vendor
        .replace("doc = \"When it changed\" },\n]", &format!("doc = \"When it changed\" }},\n{column}"));
    assert_eq!(vendor.matches("extra").count(), 2);
    std::fs::write(desk.directory.path().join("vendor.toml"), vendor).unwrap();
    // Rows without it and with it, mixed: one object for them all.
    let more = click("c", grown) + &click("d", "") + &click("e", ",\"extra\":null");
    std::fs::write(&clicks, first_clicks + &more).unwrap();
    let change = page("p", 2, grown) + &page("r", 2, "");
    let all_pages = first_pages + &page("q", 1, grown) + &change;
    std::fs::write(&pages, &all_pages).unwrap();
    let report = desk.sync().await;
    assert_eq!(report.dataset("clicks").unwrap().objects.len(), 1);
    assert_eq!(report.dataset("pages").unwrap().objects.len(), 1);
    assert_eq!(has_column(&desk), [false, true]);
    for (key, object) in before {
        if key.as_str().starts_with("clicks/") || key.as_str().contains("14") {
            assert_eq!(desk.bucket.objects()[&key], object, "an object of before was written");
        }
    }
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c", "d", "e"]));
    assert_eq!(desk.texts("pages", "id"), once(["o", "p", "q", "r"]));
    let extra = desk.texts("pages", "extra");
    assert_eq!((extra["new"], extra["null"]), (1, 3));
    assert_eq!(desk.texts("clicks", "extra")["null"], 4);

    std::fs::write(&pages, all_pages + &old_page(3, grown)).unwrap();
    desk.sync().await;
    assert_eq!(has_column(&desk), [true, true]);
    assert_eq!(desk.texts("pages", "extra")["new"], 2);
}
