//! Table definitions by which query engines read what an export writes: the columns, and the partitions that the layout's
//! folders make, found by projection instead of by listing.

use std::fmt::Write as _;

use crate::profile::{Column, ColumnType, Dataset, Encoding, Format, VendorProfile};

/// Whose SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon Athena.
    Athena,
    /// Trino with the Hive connector.
    Trino,
}

/// Years that partitions are looked for in.
const YEARS: (u16, u16) = (2020, 2040);

/// A column that the layout's folders make.
struct PartitionColumn {
    name: &'static str,
    placeholder: &'static str,
    range: (u16, u16),
    /// Digits that folders always have; 0 if they have as many as it takes.
    digits: u8,
}

const PARTITION_COLUMNS: [PartitionColumn; 6] = [
    PartitionColumn { name: "year", placeholder: "{t:%Y}", range: YEARS, digits: 4 },
    PartitionColumn { name: "month", placeholder: "{t:%m}", range: (1, 12), digits: 2 },
    PartitionColumn { name: "month", placeholder: "{t:%-m}", range: (1, 12), digits: 0 },
    PartitionColumn { name: "day", placeholder: "{t:%d}", range: (1, 31), digits: 2 },
    PartitionColumn { name: "day", placeholder: "{t:%-d}", range: (1, 31), digits: 0 },
    PartitionColumn { name: "hour", placeholder: "{t:%H}", range: (0, 23), digits: 2 },
];

/// Where a dataset's objects lie.
struct Place {
    /// The folder below which all of them lie, as a URL.
    location: String,
    /// The folders of a partition, as a URL with `${year}` and so on; none without partitions.
    template: Option<String>,
    partitions: Vec<&'static PartitionColumn>,
    /// What the names of the dataset's objects end with, if other datasets have objects in the same folders.
    ending: Option<String>,
}

impl Place {
    fn of(profile: &VendorProfile, dataset: &Dataset, encoding: &Encoding, root: &str) -> Self {
        let (folders, file) =
            dataset.layout().template().rsplit_once('/').unwrap_or(("", dataset.layout().template()));
        let name = dataset.name().as_str();
        let shares = |other: &&Dataset| {
            other.name() != dataset.name()
                && other.layout().template().rsplit_once('/').map_or("", |(folders, _)| folders) == folders
        };
        let ending = (!folders.contains("{dataset}")
            && profile.datasets().iter().any(|other| shares(&other)))
        .then(|| format!("/{}", file.replace("{dataset}", name).replace("{ext}", &encoding.extension)));
        let folders = folders.replace("{dataset}", name);
        let partitions: Vec<&PartitionColumn> =
            PARTITION_COLUMNS.iter().filter(|column| folders.contains(column.placeholder)).collect();
        let above = folders.split('/').take_while(|folder| !folder.contains("{t:"));
        let mut location = root.to_owned();
        for folder in above {
            if !folder.is_empty() {
                location.push_str(folder);
                location.push('/');
            }
        }
        let template = (!partitions.is_empty()).then(|| {
            let filled = partitions.iter().fold(folders.clone(), |text, column| {
                text.replace(column.placeholder, &format!("${{{}}}", column.name))
            });
            format!("{root}{filled}/")
        });
        Self { location, template, partitions, ending }
    }
}

/// The definition of a dataset's table. `root` is the URL of bucket and prefix with its closing slash.
pub fn table(
    profile: &VendorProfile,
    dataset: &Dataset,
    encoding: &Encoding,
    (dialect, root): (Dialect, &str),
) -> String {
    let place = Place::of(profile, dataset, encoding, root);
    let table = match place.ending {
        Some(_) => format!("{}_objects", dataset.name()),
        None => dataset.name().to_string(),
    };
    let mut text = match dialect {
        Dialect::Athena => athena(dataset, encoding, &place, &table),
        Dialect::Trino => trino(dataset, encoding, &place, &table),
    };
    // Writing to a String cannot fail.
    let _infallible = match &place.ending {
        Some(ending) => writeln!(
            text,
            "\n-- Objects of other datasets lie in the same folders.\nCREATE VIEW {name} AS\nSELECT * FROM {table} WHERE \
             \"$path\" LIKE '%{ending}';",
            name = dataset.name()
        ),
        None => Ok(()),
    };
    text
}

fn athena(dataset: &Dataset, encoding: &Encoding, place: &Place, table: &str) -> String {
    let columns: Vec<String> = dataset
        .columns()
        .iter()
        .map(|column| {
            let doc = column.doc.replace('\'', "''");
            format!("  `{}` {} COMMENT '{doc}'", column.name, athena_type(column, encoding.format))
        })
        .collect();
    let mut text = format!("CREATE EXTERNAL TABLE `{table}` (\n{}\n)\n", columns.join(",\n"));
    let mut properties: Vec<String> = Vec::new();
    if let Some(template) = &place.template {
        let partitions: Vec<String> =
            place.partitions.iter().map(|column| format!("`{}` int", column.name)).collect();
        let _infallible = writeln!(text, "PARTITIONED BY ({})", partitions.join(", "));
        properties.push("'projection.enabled' = 'true'".to_owned());
        for column in &place.partitions {
            let (name, (from, to)) = (column.name, column.range);
            properties.push(format!("'projection.{name}.type' = 'integer'"));
            properties.push(format!("'projection.{name}.range' = '{from},{to}'"));
            if column.digits > 0 {
                properties.push(format!("'projection.{name}.digits' = '{}'", column.digits));
            }
        }
        properties.push(format!("'storage.location.template' = '{template}'"));
    }
    text.push_str(match encoding.format {
        Format::Parquet => "STORED AS PARQUET\n",
        Format::Ndjson => "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\n",
        Format::Csv => {
            properties.push("'skip.header.line.count' = '1'".to_owned());
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'\n"
        }
    });
    let _infallible = write!(text, "LOCATION '{}'", place.location);
    if !properties.is_empty() {
        let _infallible = write!(text, "\nTBLPROPERTIES (\n  {}\n)", properties.join(",\n  "));
    }
    text.push_str(";\n");
    text
}

/// Instants of text files stay texts: their form is not that of the engine's timestamps. CSV has texts alone.
fn athena_type(column: &Column, format: Format) -> String {
    if format == Format::Csv {
        return "string".to_owned();
    }
    match column.kind {
        ColumnType::Datetime | ColumnType::Millis if format == Format::Parquet => "timestamp".to_owned(),
        ColumnType::String
        | ColumnType::Json
        | ColumnType::Object
        | ColumnType::Decimal
        | ColumnType::Datetime
        | ColumnType::Millis => "string".to_owned(),
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::Integer => "bigint".to_owned(),
        ColumnType::Array | ColumnType::ArrayJson => "array<string>".to_owned(),
        ColumnType::IntegerArray => "array<bigint>".to_owned(),
        ColumnType::Struct => athena_struct(column, format),
        ColumnType::StructArray => format!("array<{}>", athena_struct(column, format)),
    }
}

fn athena_struct(column: &Column, format: Format) -> String {
    let fields: Vec<String> =
        column.fields.iter().map(|field| format!("{}:{}", field.name, athena_type(field, format))).collect();
    format!("struct<{}>", fields.join(","))
}

fn trino(dataset: &Dataset, encoding: &Encoding, place: &Place, table: &str) -> String {
    let mut columns: Vec<String> = dataset
        .columns()
        .iter()
        .map(|column| {
            let doc = column.doc.replace('\'', "''");
            format!("  \"{}\" {} COMMENT '{doc}'", column.name, trino_type(column, encoding.format))
        })
        .collect();
    for column in &place.partitions {
        let (from, to) = column.range;
        let digits = match column.digits {
            0 => String::new(),
            digits => format!(", partition_projection_digits = {digits}"),
        };
        columns.push(format!(
            "  \"{}\" integer WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['{from}', \
             '{to}']{digits})",
            column.name
        ));
    }
    let mut properties = vec![
        format!("external_location = '{}'", place.location),
        match encoding.format {
            Format::Parquet => "format = 'PARQUET'".to_owned(),
            Format::Ndjson => "format = 'OPENX_JSON'".to_owned(),
            Format::Csv => "format = 'CSV',\n  skip_header_line_count = 1".to_owned(),
        },
    ];
    if let Some(template) = &place.template {
        let names: Vec<String> = place.partitions.iter().map(|column| format!("'{}'", column.name)).collect();
        properties.push(format!("partitioned_by = ARRAY[{}]", names.join(", ")));
        properties.push("partition_projection_enabled = true".to_owned());
        properties.push(format!("partition_projection_location_template = '{template}'"));
    }
    format!(
        "CREATE TABLE \"{table}\" (\n{}\n)\nWITH (\n  {}\n);\n",
        columns.join(",\n"),
        properties.join(",\n  ")
    )
}

fn trino_type(column: &Column, format: Format) -> String {
    if format == Format::Csv {
        return "varchar".to_owned();
    }
    match column.kind {
        ColumnType::Datetime | ColumnType::Millis if format == Format::Parquet => "timestamp(6)".to_owned(),
        ColumnType::String
        | ColumnType::Json
        | ColumnType::Object
        | ColumnType::Decimal
        | ColumnType::Datetime
        | ColumnType::Millis => "varchar".to_owned(),
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::Integer => "bigint".to_owned(),
        ColumnType::Array | ColumnType::ArrayJson => "array(varchar)".to_owned(),
        ColumnType::IntegerArray => "array(bigint)".to_owned(),
        ColumnType::Struct => trino_row(column, format),
        ColumnType::StructArray => format!("array({})", trino_row(column, format)),
    }
}

fn trino_row(column: &Column, format: Format) -> String {
    let fields: Vec<String> = column
        .fields
        .iter()
        .map(|field| format!("\"{}\" {}", field.name, trino_type(field, format)))
        .collect();
    format!("row({})", fields.join(", "))
}

#[cfg(test)]
mod tests;
