use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::{
    DatetimeError, FIRST_SECOND, Fraction, InstantReader, InstantWriter, LAST_SECOND, instant_text,
    parse_micros,
};

#[test]
fn the_accepted_forms_name_the_same_instant() {
    for text in [
        "2025-01-15T14:05:00Z",
        "2025-01-15 14:05:00",
        "2025-01-15t14:05:00z",
        "2025-01-15T14:05:00.000000000Z",
        "2025-01-15T19:35:00+05:30",
        "2025-01-14T15:05:00-23:00",
    ] {
        assert_eq!(parse_micros(text), Ok(1_736_949_900_000_000), "{text}");
    }
}

#[test]
fn what_is_no_instant_is_refused_with_its_reason() {
    let cases = [
        ("", DatetimeError::Form),
        ("2025-01-15", DatetimeError::Form),
        ("2025-01-15T14:05Z", DatetimeError::Form),
        ("2025-01-15T14:05:00.Z", DatetimeError::Form),
        ("2025-01-15T14:05:00+0530", DatetimeError::Form),
        ("2025-01-15T14:05:00Z ", DatetimeError::Form),
        ("2025-02-29T00:00:00Z", DatetimeError::Range),
        ("2025-13-01T00:00:00Z", DatetimeError::Range),
        ("0000-01-01T00:00:00Z", DatetimeError::Range),
        ("2025-06-30T23:59:60Z", DatetimeError::Range),
        ("2025-01-15T24:00:00Z", DatetimeError::Range),
        ("2025-01-15T14:05:00+24:00", DatetimeError::Range),
        ("2025-01-15T14:05:00.0000001Z", DatetimeError::TooFine),
    ];
    for (text, error) in cases {
        assert_eq!(parse_micros(text), Err(error), "{text}");
    }
}

/// Texts of few days, and near misses of them: a reader that has seen one of the same day looks at the rest alone.
fn texts_of_few_days() -> impl Strategy<Value = Vec<String>> {
    let date = prop::sample::select(vec![
        "2025-01-15",
        "2025-01-16",
        "2025-02-29",
        "0001-01-01",
        "9999-12-30",
        "9999-12-31",
        "2025-01-1:",
        "1970-01-01",
    ]);
    let between = prop_oneof![8 => Just('T'), 1 => Just(' '), 1 => Just('t')];
    let number = 0_u8..70;
    let fraction = prop_oneof![
        Just(String::new()),
        "\\.[0-9]{3}",
        "\\.[0-9]{6}",
        "\\.[0-9]{0,9}",
        Just(".12a".to_owned()),
    ];
    let offset =
        prop_oneof![6 => Just("Z"), 1 => Just("z"), 1 => Just(""), 1 => Just("+01:00"), 1 => Just("ZZ")];
    let broken = prop::option::weighted(0.2, (0_usize..26, any::<char>()));
    let text = (date, between, [number.clone(), number.clone(), number], fraction, offset, broken).prop_map(
        |(date, between, [hour, minute, second], fraction, offset, broken)| {
            let hour = hour % 30;
            let mut text = format!("{date}{between}{hour:02}:{minute:02}:{second:02}{fraction}{offset}");
            if let Some((at, other)) = broken.filter(|(at, _)| *at < text.len()) {
                text.replace_range(at..=at, &other.to_string());
            }
            text
        },
    );
    prop::collection::vec(text, 1..20)
}

proptest! {
    #[test]
    fn a_reader_of_many_reads_each_as_if_alone(texts in texts_of_few_days()) {
        let mut reader = InstantReader::default();
        for text in texts {
            prop_assert_eq!(reader.micros(&text), parse_micros(&text), "{}", text);
        }
    }

    #[test]
    fn every_instant_of_four_digit_years_agrees_with_the_calendar_library(
        micros in -62_135_596_800_000_000_i64 + 86_400_000_000..253_402_207_200_000_000_i64,
        offset_minutes in -1_439_i32..=1_439,
    ) {
        let instant = Timestamp::from_microsecond(micros).unwrap();
        let offset = Offset::from_seconds(offset_minutes * 60).unwrap();
        let local = instant.to_zoned(TimeZone::fixed(offset)).datetime();
        let sign = if offset_minutes < 0 { '-' } else { '+' };
        let text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}{sign}{:02}:{:02}",
            local.year(), local.month(), local.day(), local.hour(), local.minute(), local.second(),
            local.subsec_nanosecond() / 1_000, offset_minutes.abs() / 60, offset_minutes.abs() % 60,
        );
        prop_assert_eq!(parse_micros(&text), Ok(micros), "{}", text);
    }
}

proptest! {
    /// Texts are those of the calendar library, and lead back to the instant.
    #[test]
    fn instants_are_written_as_the_calendar_library_writes_them(
        seconds in FIRST_SECOND..LAST_SECOND,
        fraction in prop_oneof![Just(0_i64), (0_i64..1_000).prop_map(|millis| millis * 1_000), 0_i64..1_000_000],
    ) {
        let micros = seconds * 1_000_000 + fraction;
        let instant = Timestamp::from_microsecond(micros).unwrap();
        let (short, long) = match fraction {
            0 => (format!("{instant:.0}"), format!("{instant:.0}")),
            fraction if fraction % 1_000 == 0 => (format!("{instant:.3}"), format!("{instant:.6}")),
            _ => (format!("{instant:.6}"), format!("{instant:.6}")),
        };
        // A writer that has written another day.
        let mut writer = InstantWriter::new(Fraction::Micros);
        writer.text(0).unwrap();
        let (text, length) = writer.text(micros).unwrap();
        prop_assert_eq!(&text[..length], long.as_bytes());
        prop_assert_eq!(instant_text(micros), Some(short.clone()));
        prop_assert_eq!(parse_micros(&short), Ok(micros));
    }
}

#[test]
fn instants_beyond_four_digits_of_years_have_no_text() {
    for seconds in [FIRST_SECOND - 1, LAST_SECOND, i64::MAX / 1_000_000, i64::MIN / 1_000_000] {
        assert_eq!(instant_text(seconds * 1_000_000), None, "{seconds}");
    }
}
