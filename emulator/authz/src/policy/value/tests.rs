use super::{Network, boolean, decimal, instant};

#[test]
fn decimals_compare_by_value() {
    assert_eq!(decimal("10"), decimal("10.0"));
    assert_eq!(decimal("+10"), decimal("0010.000"));
    assert!(decimal("1.25") < decimal("1.5"));
    assert!(decimal("9") < decimal("10"));
    assert!(decimal("-1") < decimal("0"));
    assert_eq!(decimal("-0"), decimal("0"));
    assert!(decimal("9007199254740993") > decimal("9007199254740992"));
    for text in ["", ".", "-", "1e3", "0x10", "ten", "1.2.3", "1,5", "٣"] {
        assert_eq!(decimal(text), None, "{text}");
    }
    assert!(decimal(".5").is_some() && decimal("5.").is_some());
    assert!(decimal("9999999999999999999.999999999999999999").is_some());
    assert_eq!(decimal("99999999999999999999"), None);
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
