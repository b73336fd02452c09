use super::{Decimal, Network, boolean, instant};

fn decimal(text: &str) -> Option<Decimal<'_>> {
    Decimal::parse(text)
}

#[test]
fn decimals_compare_by_value() {
    for (left, right) in [
        ("10", "10.0"),
        ("+10", "0010.000"),
        ("-0", "0"),
        ("1e3", "1000"),
        ("1.5E-2", ".015"),
        ("0e9", "0"),
        ("100e-2", "1."),
        (" 7 ", "7"),
    ] {
        assert_eq!(decimal(left), decimal(right), "{left} {right}");
    }
    for (less, more) in [
        ("1.25", "1.5"),
        ("9", "10"),
        ("-1", "0"),
        ("-10", "-9"),
        ("-1e2", "-99.5"),
        ("0.009", "0.01"),
        ("9007199254740992", "9007199254740993"),
        ("18446744073709551615", "18446744073709551616"),
        ("1", "1.0000000000000000000000000001"),
        ("9e99999", "1e100000"),
    ] {
        assert!(decimal(less) < decimal(more), "{less} {more}");
        assert!(decimal(more) > decimal(less), "{less} {more}");
        assert_ne!(decimal(more), decimal(less), "{less} {more}");
    }
    for text in
        ["", ".", "-", "e3", "1e", "1e1.5", "0x10", "ten", "1.2.3", "1,5", "٣", "--1", "Infinity", "NaN"]
    {
        assert_eq!(decimal(text), None, "{text}");
    }
    assert!(decimal(".5").is_some() && decimal("5.").is_some());
}

#[test]
fn instants_have_many_forms() {
    let noon = instant("2026-07-01T12:00:00Z").expect("valid");
    for text in [
        "2026-07-01T12:00Z",
        "2026-07-01T14:00:00+02:00",
        "2026-07-01T12:00:00.000Z",
        "2026-07-01T12:00:00",
        "1782907200",
        "1782907200.0",
    ] {
        assert_eq!(instant(text), Some(noon), "{text}");
    }
    assert_eq!(instant("2026"), instant("2026-01-01T00:00:00Z"));
    assert_eq!(instant("2026-02"), instant("2026-02-01"));
    assert_eq!(instant("0"), Some(0));
    assert!(instant("-1") < instant("0"));
    assert_eq!(instant("-1.5"), Some(-1_500_000_000));
    assert_eq!(instant("1.0000000019"), Some(1_000_000_001));
    assert_eq!(instant("2026-07-01"), instant("2026-07-01T00:00:00Z"));
    for text in [".", "1.2.3", "2026-", "2026-7", "2026-07-1", "26-07-01", "2026-02-30", "20260-01"] {
        assert_eq!(instant(text), None, "{text}");
    }
    for text in ["", "tomorrow", "2026-13", "2026-07-01T25:00Z", "12:00"] {
        assert_eq!(instant(text), None, "{text}");
    }
}

#[test]
fn networks_keep_to_their_family() {
    let check = |network: &str, address: &str, expected: bool| {
        let network = Network::parse(network).expect(network);
        assert_eq!(network.contains(address.parse().expect(address)), expected, "{network:?} {address}");
    };
    check("203.0.113.0/24", "203.0.113.255", true);
    check("203.0.113.0/24", "203.0.114.0", false);
    check("203.0.113.8/29", "203.0.113.15", true);
    check("203.0.113.9/29", "203.0.113.8", true);
    check("203.0.113.7", "203.0.113.7", true);
    check("203.0.113.7", "203.0.113.8", false);
    check("0.0.0.0/0", "255.255.255.255", true);
    check("0.0.0.0/0", "::1", false);
    check("::/0", "8.8.8.8", false);
    check("::/0", "ffff::1", true);
    check("0.0.0.0/1", "128.0.0.1", false);
    check("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1", true);
    check("2001:db8::1", "2001:db8::2", false);
    check("0.0.0.0/0", "::ffff:1.2.3.4", false);
    for text in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "::/129", "1.2.3.4/24/1", "host"] {
        assert_eq!(Network::parse(text), None, "{text}");
    }
}

#[test]
fn booleans_ignore_case() {
    assert_eq!(boolean("TRUE"), Some(true));
    assert_eq!(boolean("False"), Some(false));
    assert_eq!(boolean("1"), None);
}
