//! Tables of a bucket: found, typed by their folders, stored as they lie there.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray,
    StringArray, StructArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow_schema::Field;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::import::{
    Access, Catalogue, CatalogueConfig, CatalogueError, InboundStore, PartitionType, TableOutcome,
};
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, Scenario};
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};

use crate::files::parquet;
use crate::rig::{BUCKET, Bucket, Fate};

const CONFIG: &str = r#"
profile = "permutive_import"
[state]
dir = "state"
[[connection]]
name = "shop"
schema_prefix = "exports/schema"
format = "parquet"
partitioned = true
[connection.bucket]
name = "customer-events"
region = "us-east-1"
[connection.auth]
mode = "static_keys"
access_key_id = "AKIAIMPORTEREXAMPLE0"
secret_access_key = { env = "IMPORT_SECRET" }
"#;

struct Shop {
    directory: tempfile::TempDir,
    bucket: Arc<Bucket>,
    config: CatalogueConfig,
}

impl Shop {
    /// A catalogue with some text of its configuration replaced.
    fn with(replace: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let text = replace.iter().fold(CONFIG.to_owned(), |text, (from, to)| text.replace(from, to));
        let path = directory.path().join("c.toml");
        let config = CatalogueConfig::parse(&text, path.to_str().unwrap()).unwrap();
        Self { directory, bucket: Bucket::new(), config }
    }

    fn put(&self, path: &str, body: impl Into<Bytes>) {
        self.bucket.put(&format!("exports/schema/{path}"), body.into());
    }

    fn catalogue(&self) -> Catalogue {
        let store: Arc<dyn InboundStore> = self.bucket.clone();
        let stores = [("shop".to_owned(), store)].into();
        let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
        Catalogue::new(self.config.clone(), stores, clock, Entropy::seeded(1)).unwrap()
    }

    async fn import(&self) -> Vec<TableOutcome> {
        let mut catalogue = self.catalogue();
        catalogue.discover().await.unwrap();
        catalogue.import().await.unwrap()
    }

    /// The rows of a table, each as the texts of its columns with their types in the database.
    fn rows(&self, table: &str) -> Vec<String> {
        let path = self.directory.path().join("state/catalogue.sqlite");
        let database = rusqlite::Connection::open(path).unwrap();
        let mut select = database.prepare(&format!("SELECT * FROM \"shop.{table}\"")).unwrap();
        let columns = select.column_count();
        let rows = select.query_map([], |row| {
            let cells = (0..columns).map(|place| {
                Ok(match row.get_ref(place)? {
                    rusqlite::types::ValueRef::Null => "null".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => format!("{number}"),
                    rusqlite::types::ValueRef::Real(number) => format!("{number:?}r"),
                    rusqlite::types::ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
                    rusqlite::types::ValueRef::Blob(bytes) => format!("x{}", bytes.len()),
                })
            });
            Ok(cells.collect::<Result<Vec<String>, rusqlite::Error>>()?.join(" "))
        });
        let mut rows: Vec<String> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        rows.sort();
        rows
    }
}

/// A file with one column of numbers.
fn numbers(from: i64, count: i64) -> Bytes {
    let array: ArrayRef = Arc::new((from..from + count).collect::<Int64Array>());
    parquet(vec![("n", array)], Compression::ZSTD(ZstdLevel::default()))
}

/// Claims PER-36, PER-37, PER-38, PER-Q16: folders are tables, their folders partitions, whose types are those of all their values.
#[tokio::test]
async fn tables_and_partitions_are_found_and_typed() {
    let shop = Shop::with(&[]);
    for (path, from) in [
        ("users/day=2026-01-31/country=de/a.parquet", 0),
        ("users/day=2026-02-01/country=1/b.parquet", 10),
        ("users/day=__HIVE_DEFAULT_PARTITION__/country=a%2Fb%20c/c.parquet", 20),
        ("orders/year=2026/month=01/x.parquet", 30),
        ("orders/year=2026/month=12/y.parquet", 40),
    ] {
        shop.put(path, numbers(from, 1));
    }
    // None of these is a file of a table.
    for path in [
        "_SUCCESS",
        "loose.parquet",
        "users/day=2026-01-31/country=de/_SUCCESS",
        "users/_tmp/x.parquet",
        "orders/",
    ] {
        shop.put(path, numbers(0, 1));
    }
    shop.bucket.put("elsewhere/t/d=1/x.parquet", numbers(0, 1));
    let found = shop.catalogue().discover().await.unwrap();
    let shown: Vec<String> = found["shop"]
        .iter()
        .map(|table| {
            let by = table.partitions.iter().map(|own| format!("{} {:?}", own.name, own.kind));
            format!("{} {} {:?} {:?}", table.name, table.files, by.collect::<Vec<_>>(), table.problem)
        })
        .collect();
    assert_eq!(
        shown,
        ["orders 2 [\"year Int\", \"month Int\"] None", "users 3 [\"day Date\", \"country String\"] None",]
    );
    let outcomes = shop.import().await;
    assert_eq!(outcomes.iter().map(|own| own.rows_stored).sum::<u64>(), 5);
    assert_eq!(shop.rows("orders"), ["30 2026 1", "40 2026 12"]);
    assert_eq!(shop.rows("users"), ["0 '2026-01-31' 'de'", "10 '2026-02-01' '1'", "20 null 'a/b c'"]);
    // One value that is no number makes all of them texts, also those that were stored before.
    shop.put("orders/year=2026/month=unknown/z.parquet", numbers(50, 1));
    shop.import().await;
    assert_eq!(shop.rows("orders"), ["30 2026 '01'", "40 2026 '12'", "50 2026 'unknown'"]);
    let typed = Shop::with(&[(
        "partitioned = true",
        "partitioned = true\npartition_types = { day = \"string\", n = \"int\" }",
    )]);
    typed.put("t/day=1/x.parquet", numbers(0, 1));
    let found = typed.catalogue().discover().await.unwrap();
    assert_eq!(found["shop"][0].partitions[0].kind, PartitionType::String);
}

/// A tree that contradicts itself or the connection is not imported, and says where.
#[tokio::test]
async fn tables_that_contradict_themselves_say_where() {
    let shop =
        Shop::with(&[("partitioned = true", "partitioned = true\npartition_types = { year = \"int\" }")]);
    shop.put("flat/a.parquet", numbers(0, 1));
    shop.put("mixed/day=1/a.parquet", numbers(0, 1));
    shop.put("mixed/hour=1/a.parquet", numbers(0, 1));
    shop.put("words/folder/a.parquet", numbers(0, 1));
    shop.put("twice/d=1/d=2/a.parquet", numbers(0, 1));
    shop.put("typed/year=abc/a.parquet", numbers(0, 1));
    shop.put("clash/n=1/a.parquet", numbers(0, 1));
    shop.put("good/d=1/a.parquet", numbers(0, 1));
    let outcomes = shop.import().await;
    let problem = |table: &str| {
        outcomes.iter().find(|own| own.table == table).unwrap().problem.clone().unwrap_or_default()
    };
    for (table, words) in [
        ("flat", "`exports/schema/flat/a.parquet` lies in no folder of a partition"),
        ("mixed", "is partitioned by hour, other files by day"),
        ("words", "`folder`, which is no `<partition>=<value>`"),
        ("twice", "has the partition `d` twice"),
        ("typed", "`year=abc` is not of the type"),
        ("clash", "the partition `n` has the name of a column"),
    ] {
        assert!(problem(table).contains(words), "{table}: {}", problem(table));
    }
    assert_eq!(problem("good"), "");
    let flat = Shop::with(&[("partitioned = true", "partitioned = false")]);
    flat.put("t/d=1/a.parquet", numbers(0, 1));
    flat.put("users/a.parquet", numbers(0, 2));
    let outcomes = flat.import().await;
    assert!(outcomes[0].problem.as_ref().unwrap().contains("tables are not partitioned"));
    assert_eq!(flat.rows("users"), ["0", "1"]);
}

/// Claims ENG-22: what is stored is what lies there, after replacements, deletions, crashes and repetitions.
#[tokio::test]
async fn tables_follow_their_files() {
    let shop = Shop::with(&[("partitioned = true", "partitioned = false")]);
    shop.put("t/a.parquet", numbers(0, 2));
    shop.put("t/b.parquet", numbers(10, 1));
    shop.put("u/a.parquet", numbers(20, 1));
    shop.import().await;
    let again = shop.import().await;
    assert!(again.iter().all(|own| own.files_read == 0 && own.rows_stored == 0), "{again:?}");
    shop.put("t/a.parquet", numbers(5, 1));
    shop.bucket.inside.lock().unwrap().objects.remove("exports/schema/t/b.parquet");
    shop.bucket.inside.lock().unwrap().objects.remove("exports/schema/u/a.parquet");
    // The process ends before the file is read, and then goes on.
    let mut catalogue = shop.catalogue();
    catalogue.discover().await.unwrap();
    shop.bucket.inside.lock().unwrap().fates = vec![Fate::Crash, Fate::Well];
    catalogue.import().await.unwrap_err();
    shop.bucket.inside.lock().unwrap().fates.clear();
    shop.import().await;
    assert_eq!(shop.rows("t"), ["5"]);
    assert!(shop.rows("u").is_empty());
    // A single file that is replaced may have other columns.
    let array: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    shop.put("t/a.parquet", parquet(vec![("s", array)], Compression::SNAPPY));
    shop.import().await;
    assert_eq!(shop.rows("t"), ["'x'"]);
    // One that is broken takes its former rows along, and says why.
    shop.put("t/a.parquet", Bytes::from_static(b"PK\x03\x04"));
    let outcomes = shop.import().await;
    let refused = &outcomes.iter().find(|own| own.table == "t").unwrap().refused;
    assert!(refused["exports/schema/t/a.parquet"].contains("ZIP archive"), "{refused:?}");
}

/// Values keep what they are; types that a table cannot hold are refused by name.
#[tokio::test]
async fn values_keep_their_types() {
    let shop = Shop::with(&[("partitioned = true", "partitioned = false")]);
    let columns: Vec<(&'static str, ArrayRef)> = vec![
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("small", Arc::new(Int32Array::from(vec![-1, 7]))),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 1]))),
        ("real", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
        ("text", Arc::new(StringArray::from(vec![Some(""), None]))),
        ("day", Arc::new(Date32Array::from(vec![20484, -1]))),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from(vec![1_767_225_600_000_001, 0]).with_timezone("UTC")),
        ),
        ("local", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000]))),
        ("money", Arc::new(Decimal128Array::from(vec![12345, -5]).with_precision_and_scale(10, 2).unwrap())),
    ];
    shop.put("t/a.parquet", parquet(columns, Compression::SNAPPY));
    shop.put("u/a.parquet", parquet(nested(), Compression::SNAPPY));
    let outcomes = shop.import().await;
    assert_eq!(
        shop.rows("t"),
        [
            "1 -1 '18446744073709551615' 0.5r '' '2026-01-31' '2026-01-01T00:00:00.000001Z' '1970-01-01T00:00:00' '123.45'",
            "null 7 1 'NaN' null '1969-12-31' '1970-01-01T00:00:00Z' '1970-01-01T00:00:01.5' '-0.05'",
        ]
    );
    // Lists, structures and maps are JSON.
    assert!(outcomes[1].refused.is_empty(), "{outcomes:?}");
    assert_eq!(
        shop.rows("u"),
        ["'[1,null]' '{\"n\":1.5,\"s\":{\"t\":\"x\"}}' '{\"plan\":null}'", "null null null"]
    );
}

/// A list, a structure in a structure, and a map; in the second row all are null.
fn nested() -> Vec<(&'static str, ArrayRef)> {
    let list = ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
    ]);
    let field = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x", ""]));
    let inner: ArrayRef = Arc::new(StructArray::from(vec![(field("t", &text), text)]));
    let number: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 0.0]));
    let fields = vec![field("n", &number), field("s", &inner)].into();
    let outer = StructArray::new(fields, vec![number, inner], Some(vec![true, false].into()));
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("plan");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(false).unwrap();
    vec![("l", Arc::new(list)), ("o", Arc::new(outer)), ("m", Arc::new(map.finish()))]
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Claims PER-39, PER-Q15: Parquet with Zstandard, CSV and CSV within gzip; CSV is that of RFC 4180 with a header, and what is
/// empty is null.
#[tokio::test]
async fn csv_is_read_as_it_is_and_within_gzip() {
    let shop = Shop::with(&[("\"parquet\"", "\"csv\""), ("partitioned = true", "partitioned = false")]);
    shop.put("t/a.csv", "id,name\r\n1,\"a, \"\"b\"\"\nc\"\r\n2,\r\n");
    shop.put("t/b.csv.gz", gzipped("name,id\n\u{e4},3\n"));
    shop.put("t/c.parquet", numbers(0, 1));
    shop.put("u/short.csv", "a,b\n1\n");
    shop.put("v/twice.csv", "a,A\n1,2\n");
    shop.put("w/latin.csv", b"a\n\xff\n".to_vec());
    shop.put("x/empty.csv", "");
    shop.put("y/parquet.csv", numbers(0, 1));
    shop.put("z/marked.csv", "\u{feff}a\n1\n");
    let outcomes = shop.import().await;
    assert_eq!(shop.rows("t"), ["'1' 'a, \"b\"\nc'", "'2' null", "'3' '\u{e4}'"]);
    assert_eq!(shop.rows("z"), ["'1'"]);
    for (table, words) in [
        ("u", "no CSV"),
        ("v", "column `A` occurs twice"),
        ("w", "no CSV"),
        ("x", "the file is empty"),
        ("y", "the file is Parquet"),
    ] {
        let outcome = outcomes.iter().find(|own| own.table == table).unwrap();
        let cause = outcome.refused.values().next().unwrap_or_else(|| panic!("{table}: {outcome:?}"));
        assert!(cause.contains(words), "{table}: {cause}");
    }
}

/// Claims PER-Q15: another dialect is said so in the configuration.
#[tokio::test]
async fn csv_has_the_dialect_that_is_named() {
    let dialect = |csv: &str| {
        let text = CONFIG.replace("\"parquet\"", &format!("\"csv\"\n{csv}"));
        CatalogueConfig::parse(&text, "c.toml").map(|config| config.connections[0].csv.clone())
    };
    let mut shop = Shop::with(&[("\"parquet\"", "\"csv\""), ("partitioned = true", "partitioned = false")]);
    shop.config.connections[0].csv = dialect("csv = { delimiter = \";\", null = \"NULL\" }").unwrap();
    shop.put("t/a.csv", "id;name\n1;\"a;b\"\nNULL;\n");
    assert!(shop.import().await[0].refused.is_empty());
    assert_eq!(shop.rows("t"), ["'1' 'a;b'", "null ''"]);
    for (csv, words) in [
        ("csv = { delimiter = \"ab\" }", "not a delimiter"),
        ("csv = { delimiter = \"\\n\" }", "not a delimiter"),
        ("csv = { delimiter = \"\u{e4}\" }", "not a delimiter"),
        ("csv = { quote = \"'\" }", "unknown field"),
    ] {
        let error = dialect(csv).unwrap_err().to_string();
        assert!(error.contains(words), "{csv}: {error}");
    }
    let text = CONFIG.replace("partitioned = true", "partitioned = true\ncsv = { null = \"-\" }");
    let error = CatalogueConfig::parse(&text, "c.toml").unwrap_err().to_string();
    assert!(error.contains("are not CSV"), "{error}");
}

/// Claims ENG-24: columns that a table did not have at first are refused, or kept in a rescue column.
#[tokio::test]
async fn further_columns_are_refused_or_rescued() {
    let wide = |more: &str| {
        let columns: Vec<(&'static str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from(vec![1]))),
            ("extra", Arc::new(StringArray::from(vec![more]))),
            ("nan", Arc::new(Float64Array::from(vec![f64::INFINITY]))),
        ];
        parquet(columns, Compression::SNAPPY)
    };
    let flat = ("partitioned = true", "partitioned = false");
    let strict = Shop::with(&[flat]);
    strict.put("t/a.parquet", numbers(0, 1));
    strict.put("t/b.parquet", wide("x"));
    let cause = strict.import().await[0].refused["exports/schema/t/b.parquet"].clone();
    assert!(cause.contains("no column `extra`") && cause.contains("rescue_column"), "{cause}");
    let kind: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    strict.put("t/b.parquet", parquet(vec![("n", kind)], Compression::SNAPPY));
    let cause = strict.import().await[0].refused["exports/schema/t/b.parquet"].clone();
    assert_eq!(cause, "column `n` is Utf8, in the table Int64");
    strict.put(
        "t/b.parquet",
        parquet(vec![("m", Arc::new(Int64Array::from(vec![1])) as ArrayRef)], Compression::SNAPPY),
    );
    let cause = strict.import().await[0].refused["exports/schema/t/b.parquet"].clone();
    assert_eq!(cause, "column `n` of the table is missing");
    let kept = Shop::with(&[flat, ("format =", "rescue_column = \"_rescued\"\nformat =")]);
    kept.put("t/a.parquet", numbers(0, 1));
    kept.put("t/b.parquet", wide("x"));
    assert!(kept.import().await[0].refused.is_empty());
    assert_eq!(kept.rows("t"), ["0 null", "1 '{\"extra\":\"x\",\"nan\":\"inf\"}'"]);
}

/// Claims PER-42, PER-43: a connection is processing until its access is validated, and imports need an active one.
#[tokio::test]
async fn an_import_needs_an_active_connection() {
    let shop = Shop::with(&[]);
    shop.put("t/d=1/a.parquet", numbers(0, 1));
    let mut catalogue = shop.catalogue();
    assert_eq!(catalogue.access().unwrap()["shop"], Access::Processing);
    let error = catalogue.import().await.unwrap_err();
    assert!(
        matches!(error, CatalogueError::NotActive { .. }) && error.help().contains("catalogue tables"),
        "{error}"
    );
    shop.bucket.inside.lock().unwrap().fates = vec![Fate::Crash];
    catalogue.discover().await.unwrap_err();
    assert!(
        matches!(&catalogue.access().unwrap()["shop"], Access::Failed { cause, .. } if cause.contains("the end"))
    );
    assert!(catalogue.import().await.unwrap_err().to_string().contains("is not active"));
    catalogue.discover().await.unwrap();
    assert!(matches!(catalogue.access().unwrap()["shop"], Access::Active { .. }));
    assert_eq!(catalogue.import().await.unwrap()[0].rows_stored, 1);
}

fn run(directory: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("IMPORT_SECRET", "importerSecret")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Claims PER-40, PER-41, PER-Q17: the fields of a connection are checked, and the policy needs no more than the bucket's name.
#[test]
fn the_configuration_and_the_policy() {
    let directory = tempfile::tempdir().unwrap();
    let check = |from: &str, to: &str, words: &str| {
        std::fs::write(directory.path().join("c.toml"), CONFIG.replace(from, to)).unwrap();
        let (code, _, stderr) = run(directory.path(), &["catalogue", "show", "--config", "c.toml"]);
        assert!(code == 2 && stderr.contains(words), "{code} {stderr}");
    };
    check("\"customer-events\"", "\"s3://customer-events\"", "without `s3://`");
    check("\"us-east-1\"", "\"EU\"", "eu-central-1");
    check("\"exports/schema\"", "\"s3://b/x\"", "not a folder of the bucket");
    check("\"parquet\"", "\"json\"", "parquet");
    check("permutive_import", "other", "permutive_import");
    check("partitioned = true\n", "", "partitioned");
    let arguments =
        ["catalogue", "policy", "--profile", "permutive_import", "--bucket", "b-1", "--principal", "arn:x"];
    let (code, stdout, _) = run(directory.path(), &arguments);
    let policy: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 0);
    assert_eq!(
        policy["Statement"][0]["Resource"],
        serde_json::json!(["arn:aws:s3:::b-1/*", "arn:aws:s3:::b-1"])
    );
    let wrong = [
        "catalogue",
        "policy",
        "--profile",
        "permutive_import",
        "--bucket",
        "s3://b",
        "--principal",
        "arn:x",
    ];
    assert_eq!(run(directory.path(), &wrong).0, 2);
}

/// The printed policy is all that a catalogue needs, by the program and over TCP.
#[tokio::test]
async fn the_printed_policy_suffices() {
    let shop = Shop::with(&[]);
    let importer = "arn:aws:iam::444455556666:user/importer";
    let bucket = bucketproof_connector::names::BucketName::new(BUCKET).unwrap();
    let policy = shop.config.profile.bucket_policy(&bucket, importer);
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let scenario = format!(
        "[[account]]\nid = \"111122223333\"\nname = \"customer\"\n[[account.user]]\nname = \"owner\"\n\
         policies = ['{all}']\n[[account.user.access_key]]\nid = \"AKIAOWNERUSEREXAMPLE\"\nsecret = \"ownerSecret\"\n\
         [[account.bucket]]\nname = \"{BUCKET}\"\npolicy = '{policy}'\n[[account]]\nid = \"444455556666\"\n\
         name = \"vendor\"\n[[account.user]]\nname = \"importer\"\npolicies = ['{all}']\n\
         [[account.user.access_key]]\nid = \"AKIAIMPORTEREXAMPLE0\"\nsecret = \"importerSecret\"\n"
    );
    let scenario = Scenario::from_toml(&scenario).unwrap();
    let emulator = Emulator::builder().scenario(scenario).seed(7).start().await.unwrap();
    let put = emulator.s3("owner").put_object().bucket(BUCKET).key("exports/schema/t/d=1/a.parquet");
    put.body(numbers(0, 3).into()).send().await.unwrap();
    let settings = shop.config.connections[0].store_settings(|_| Some("importerSecret".to_owned())).unwrap();
    let store = S3Store::new(settings, emulator.clock(), Some(emulator.http_client())).unwrap();
    let stores = [("shop".to_owned(), Arc::new(store) as Arc<dyn InboundStore>)].into();
    let clock = emulator.clock().clone();
    let mut catalogue = Catalogue::new(shop.config.clone(), stores, clock, Entropy::seeded(1)).unwrap();
    catalogue.discover().await.unwrap();
    assert_eq!(catalogue.import().await.unwrap()[0].rows_stored, 3);
    let policies = emulator.s3("owner").delete_bucket_policy().bucket(BUCKET).send().await;
    policies.unwrap();
    let error = catalogue.discover().await.unwrap_err();
    assert!(
        error.help().contains("`s3:ListBucket`") && error.help().contains("catalogue policy"),
        "{}",
        error.help()
    );
}
