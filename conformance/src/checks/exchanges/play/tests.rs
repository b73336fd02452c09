use super::*;

#[test]
fn names_are_filled_in_and_other_braces_stay() {
    let saved = BTreeMap::from([("bucket".to_owned(), "b/c".to_owned())]);
    let now = "2025-01-15T18:00:00Z".parse::<Timestamp>().unwrap().into();
    let names = Names { saved, now };
    let filled = names.fill("/{bucket}/k?x={encoded bucket} {\"a\":{\"b\":1}} {unknown} {now+1d} {now-18h}");
    assert_eq!(
        filled,
        "/b/c/k?x=b%2Fc {\"a\":{\"b\":1}} {unknown} 2025-01-16T18:00:00Z 2025-01-15T00:00:00Z"
    );
}
