//! What lies in the bucket: keys, formats, columns, rows, headers.

use std::collections::BTreeSet;

use arrow_schema::{DataType, Field, TimeUnit};
use bucketproof_connector::profile::Format;
use bucketproof_emulator::{Fault, Op};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::particulars::{Broken, Columns, Examples, Form, FormKind, Header, Keys, Vendor};
use super::vendor_check;
use crate::check::{Check, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{
    Setup, TextTable, VendorStage, parquet_metadata, parquet_schema, read_csv, read_json_lines, unpacked_text,
};
use crate::step::step;

fn profile_edit((find, replace): (&'static str, &'static str)) -> Falsifier {
    Falsifier::ProfileEdit(TextEdit::new(find, replace))
}

fn input_edit((dataset, find, replace): (&'static str, &'static str, &'static str)) -> Falsifier {
    Falsifier::InputEdit { dataset: dataset.into(), edit: TextEdit::new(find, replace) }
}

pub(super) fn checks(vendor: &'static Vendor) -> Vec<Check> {
    let mut checks: Vec<Check> = vendor.keys.iter().map(|keys| keys_check(vendor, keys)).collect();
    checks.extend(vendor.forms.iter().map(|form| form_check(vendor, form)));
    checks.extend(vendor.columns.iter().map(|columns| columns_check(vendor, columns)));
    checks.extend(vendor.headers.iter().map(|header| header_check(vendor, header)));
    let Examples { ids, broken_by, refused, .. } = &vendor.examples;
    checks.push(vendor_check(
        vendor,
        "rows.documented",
        "the rows that the page shows stand in the bucket as it shows them",
        ids,
        input_edit(*broken_by),
        Run::new(move |context| documented_rows(context, vendor)),
    ));
    if let Some((ids, righted_by)) = refused {
        checks.push(vendor_check(
            vendor,
            "rows.refused",
            "rows that are not of the documented form are dead letters with their reason",
            ids,
            input_edit(*righted_by),
            Run::new(move |context| refused_rows(context, vendor)),
        ));
    }
    let (dataset, column) = vendor.required;
    checks.push(vendor_check(
        vendor,
        "rows.once",
        "after lost answers and throttling every row stands in the bucket once, and a run without news writes nothing",
        vendor.retry_ids,
        input_edit((dataset, column, "\"absent\"")),
        Run::new(move |context| once(context, vendor)),
    ));
    checks
}

fn keys_check(vendor: &'static Vendor, keys: &'static Keys) -> Check {
    let run = Run::new(move |context| layout(context, vendor, keys));
    vendor_check(vendor, keys.id, keys.title, keys.ids, profile_edit(keys.broken_by), run)
}

fn form_check(vendor: &'static Vendor, form: &'static Form) -> Check {
    let what = match form.kind {
        FormKind::Parquet(codec) => format!("Parquet with columns in {}", codec.to_lowercase()),
        FormKind::JsonLines { packed } => format!("JSON lines{}", if packed { " in gzip" } else { "" }),
        FormKind::Csv { packed } => format!("CSV with a header{}", if packed { " in gzip" } else { "" }),
    };
    vendor_check(
        vendor,
        format!("format.{}", form.id),
        format!("`{}` files are {what}, and none is empty", form.suffix),
        form.ids,
        profile_edit(form.broken_by),
        Run::new(move |context| form_holds(context, vendor, form)),
    )
}

fn columns_check(vendor: &'static Vendor, columns: &'static Columns) -> Check {
    let number = columns.list.split_whitespace().count();
    vendor_check(
        vendor,
        format!("schema.{}", columns.dataset.replace('_', "-")),
        format!("{} has the {number} documented columns in order, with their types", columns.dataset),
        columns.ids,
        profile_edit(columns.broken_by),
        Run::new(move |context| columns_hold(context, vendor, columns)),
    )
}

fn header_check(vendor: &'static Vendor, header: &'static Header) -> Check {
    let broken_by = match header.broken_by {
        Broken::Profile(find, replace) => profile_edit((find, replace)),
        Broken::Config(find, replace) => Falsifier::ConfigEdit(TextEdit::new(find, replace)),
    };
    let run = Run::new(move |context| header_is_sent(context, vendor, header));
    vendor_check(vendor, format!("headers.{}", header.id), header.title, header.ids, broken_by, run)
}

/// Whether a key is of a pattern: `#` is a digit, `~` a hexadecimal one, `*` some of `a` to `z`, digits and `-`.
fn is_of(key: &str, pattern: &str) -> bool {
    let mut rest = key.chars().peekable();
    for wanted in pattern.chars() {
        let fits = match wanted {
            '#' => rest.next_if(char::is_ascii_digit).is_some(),
            '~' => rest.next_if(|found| matches!(found, '0'..='9' | 'a'..='f')).is_some(),
            '*' => {
                let is_word = |found: &char| matches!(found, 'a'..='z' | '0'..='9' | '-');
                let is_some = rest.next_if(is_word).is_some();
                while rest.next_if(is_word).is_some() {}
                is_some
            }
            plain => rest.next_if_eq(&plain).is_some(),
        };
        if !fits {
            return false;
        }
    }
    rest.next().is_none()
}

/// The objects after one export of sample rows.
async fn exported(
    context: CheckContext,
    vendor: &'static Vendor,
    setup: Setup,
) -> Result<Vec<(String, Bytes)>, Stop> {
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    stage.deliver_samples(&(0..40))?;
    stage.sync("export the rows").await?;
    let objects: Vec<_> = stage.objects().await?.into_iter().collect();
    step("the objects of the export").equal(&false, &objects.is_empty())?;
    Ok(objects)
}

async fn layout(context: CheckContext, vendor: &'static Vendor, keys: &'static Keys) -> Conclusion {
    let setup = Setup { prefix: keys.prefix, head: keys.head, ..Setup::default() };
    let mut absent: BTreeSet<&str> = keys.patterns.iter().copied().collect();
    for (key, _) in exported(context, vendor, setup).await? {
        let of = keys.patterns.iter().find(|pattern| is_of(&key, pattern));
        let of = step(format!("the form of `{key}`")).some(&keys.patterns.join(" or "), of)?;
        absent.remove(of);
    }
    step("documented keys without an object").equal(&BTreeSet::new(), &absent)
}

fn text_table(format: Format, key: &str, body: &Bytes) -> Result<TextTable, Stop> {
    let read = if format == Format::Csv { read_csv(body) } else { read_json_lines(body) };
    step(format!("read `{key}`")).succeeds("a text of its format", read)
}

async fn form_holds(context: CheckContext, vendor: &'static Vendor, form: &'static Form) -> Conclusion {
    for (key, body) in exported(context, vendor, Setup { head: form.head, ..Setup::default() }).await? {
        step(format!("`{key}` ends in `{}`", form.suffix)).equal(&true, &key.ends_with(form.suffix))?;
        let rows = match form.kind {
            FormKind::Parquet(codec) => {
                let table = step(format!("open `{key}` with a Parquet reader"))
                    .succeeds("a table", parquet_metadata(&body))?;
                for column in
                    table.row_groups().iter().flat_map(parquet::file::metadata::RowGroupMetaData::columns)
                {
                    let found = column.compression().to_string();
                    let found = found.split('(').next().unwrap_or_default().to_owned();
                    step(format!("the codec of `{}` in `{key}`", column.column_path()))
                        .equal(codec, found.as_str())?;
                }
                usize::try_from(table.file_metadata().num_rows()).unwrap_or(0)
            }
            FormKind::JsonLines { packed } => {
                let table = text_table(Format::Ndjson, &key, &body)?;
                step(format!("`{key}` is packed with gzip")).equal(&packed, &table.is_packed)?;
                table.rows.len()
            }
            FormKind::Csv { packed } => {
                let table = text_table(Format::Csv, &key, &body)?;
                step(format!("`{key}` is packed with gzip")).equal(&packed, &table.is_packed)?;
                table.rows.len()
            }
        };
        step(format!("the rows of `{key}`")).equal(&40, &rows)?;
    }
    Ok(())
}

/// The kind of an Arrow column, as the tables of this suite name kinds.
fn kind_of(field: &Field) -> &'static str {
    match field.data_type() {
        DataType::Utf8 => "string",
        DataType::Int64 => "number",
        DataType::Boolean => "boolean",
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => "instant",
        DataType::Struct(_) => "struct",
        DataType::List(item) => match item.data_type() {
            DataType::Utf8 => "strings",
            DataType::Int64 => "integers",
            _ => "list",
        },
        _ => "unknown",
    }
}

/// Whether a value of a text is of a kind; null is of each.
fn is_of_kind(value: &Value, kind: &str, is_csv: bool) -> bool {
    let Some(text) = value.as_str() else {
        return match kind {
            "number" => value.is_i64() && !is_csv,
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        } || value.is_null();
    };
    match kind {
        "string" => true,
        "digits" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        "instant" => text.ends_with('Z') && text.parse::<Timestamp>().is_ok(),
        "number" => {
            let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
            is_csv && !text.is_empty() && text.bytes().all(plain)
        }
        _ => false,
    }
}

async fn columns_hold(
    context: CheckContext,
    vendor: &'static Vendor,
    columns: &'static Columns,
) -> Conclusion {
    let expected: Vec<(&str, &str)> =
        columns.list.split_whitespace().filter_map(|column| column.split_once(':')).collect();
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let objects = exported(context, vendor, Setup::default()).await?;
    let mut of_dataset = objects.iter().filter(|(key, _)| key.contains(columns.key_part)).peekable();
    step(format!("objects of `{}`", columns.dataset)).some("at least one", of_dataset.peek())?;
    for (key, body) in of_dataset {
        if has_extension(key, "parquet") {
            let schema = step(format!("open `{key}` with a Parquet reader"))
                .succeeds("a table", parquet_schema(body))?;
            let found: Vec<(&str, &str)> =
                schema.fields().iter().map(|field| (field.name().as_str(), kind_of(field))).collect();
            step(format!("the columns of `{key}`")).equal(&expected, &found)?;
            continue;
        }
        let is_csv = has_extension(key, "csv");
        let table = text_table(if is_csv { Format::Csv } else { Format::Ndjson }, key, body)?;
        for row in &table.rows {
            let found: Vec<&str> = row.keys().map(String::as_str).collect();
            step(format!("the members of a row of `{key}`")).equal(&names, &found)?;
            for (name, kind) in &expected {
                let value = row.get(*name).unwrap_or(&Value::Null);
                step(format!("`{name}` of a row of `{key}`, {value}, is of the kind {kind}"))
                    .equal(&true, &is_of_kind(value, kind, is_csv))?;
            }
        }
    }
    Ok(())
}

async fn header_is_sent(
    context: CheckContext,
    vendor: &'static Vendor,
    header: &'static Header,
) -> Conclusion {
    let setup = Setup { head: header.head, insists: Some(header.insists), ..Setup::default() };
    let objects = exported(context, vendor, setup).await?;
    step("something was written").equal(&false, &objects.is_empty())
}

/// The stage with the page's rows delivered: those that stand in the bucket, or those that are refused.
async fn with_examples(
    context: CheckContext,
    vendor: &'static Vendor,
    refused: bool,
) -> Result<(VendorStage, Vec<String>), Stop> {
    let Examples { now, head, csv, .. } = vendor.examples;
    let setup = Setup { now, head, ..Setup::default() };
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    let mut outcomes = Vec::new();
    for dataset in stage.profile.datasets() {
        let mut lines = String::new();
        for example in stage.profile.row_examples() {
            let is_csv = example.format == Format::Csv;
            let is_meant = example.dataset == *dataset.name() && example.outcome.is_err() == refused;
            if !is_meant || (!refused && is_csv != csv) {
                continue;
            }
            lines.extend(example.row.lines().map(str::trim));
            lines.push('\n');
            outcomes.push(match &example.outcome {
                Ok(text) => text.trim_start_matches('\n').to_owned(),
                Err(reason) => reason.clone(),
            });
        }
        stage.deliver(dataset, &lines)?;
    }
    step("the page shows such rows").equal(&false, &outcomes.is_empty())?;
    Ok((stage, outcomes))
}

async fn documented_rows(context: CheckContext, vendor: &'static Vendor) -> Conclusion {
    let (stage, texts) = with_examples(context, vendor, false).await?;
    stage.sync("export the page's rows").await?;
    let mut lines = BTreeSet::new();
    for (key, body) in stage.objects().await? {
        let text = step(format!("unpack `{key}`")).succeeds("a text", unpacked_text(&body))?;
        lines.extend(text.lines().map(str::to_owned));
    }
    for line in texts.iter().flat_map(|text| text.lines()) {
        step(format!("the line `{line}`")).equal(&true, &lines.contains(line))?;
    }
    Ok(())
}

async fn refused_rows(context: CheckContext, vendor: &'static Vendor) -> Conclusion {
    let (stage, reasons) = with_examples(context, vendor, true).await?;
    let report = stage.sync("export rows that are wrong").await?;
    let mut found = BTreeSet::new();
    for file in report.datasets.iter().filter_map(|dataset| dataset.dead_letter_file.as_ref()) {
        let letters = step("read the dead letters").works(std::fs::read_to_string(file))?;
        for letter in letters.lines() {
            let letter: Value = step("read a dead letter").works(serde_json::from_str(letter))?;
            found.extend(letter.get("reason").and_then(Value::as_str).map(str::to_owned));
        }
    }
    step("the reasons of the dead letters").equal(&reasons.into_iter().collect::<BTreeSet<_>>(), &found)
}

fn has_extension(key: &str, extension: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// The rows of all objects.
async fn rows_of(stage: &VendorStage) -> Result<usize, Stop> {
    let mut rows = 0;
    for (key, body) in stage.objects().await? {
        rows += if has_extension(&key, "parquet") {
            step(format!("read `{key}`")).succeeds("a table", read_rows(&body))?
        } else {
            let format = if has_extension(&key, "csv") { Format::Csv } else { Format::Ndjson };
            text_table(format, &key, &body)?.rows.len()
        };
    }
    Ok(rows)
}

fn read_rows(body: &Bytes) -> Result<usize, parquet::errors::ParquetError> {
    let rows = parquet_metadata(body)?.file_metadata().num_rows();
    Ok(usize::try_from(rows).unwrap_or(0))
}

async fn once(context: CheckContext, vendor: &'static Vendor) -> Conclusion {
    let stage = VendorStage::open(context, vendor.profile, Setup::default()).await?;
    let datasets = stage.profile.datasets().len();
    stage.deliver_samples(&(0..20))?;
    let lost = stage.emulator.inject(Fault::on(Op::PutObject).times(1).drop_answer());
    let busy = stage.emulator.inject(Fault::on(Op::PutObject).skip(1).times(1).slow_down());
    stage.sync("export while an answer is lost").await?;
    step("answers that were lost").equal(&1, &lost.hits())?;
    drop((lost, busy));
    step("the rows in the bucket").equal(&(20 * datasets), &rows_of(&stage).await?)?;
    let before = stage.objects().await?;
    stage.sync("export without news").await?;
    step("objects changed by a run without news").equal(&true, &(before == stage.objects().await?))
}
