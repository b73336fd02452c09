use super::*;

#[test]
fn a_script_is_read_line_by_line() {
    let script = parse(
        "stranger PUT /b/k?acl\nx-amz-acl: private\n> one\n> two\n= 403 AccessDenied Access Denied\nsave id header x\n\n\
         wait 11d\nreceive {queue} 2\n= count /: 2\n= json /0/a: b: c\n= no xml VersionId\n\nfinally\nIAM DeleteUser\nUserName: u",
    )
    .unwrap();
    let Action::Ask(ask) = &script.steps[0].action else { panic!("{script:?}") };
    assert_eq!(ask.who, Who::Stranger);
    assert_eq!(ask.verb, Verb::S3 { method: "PUT".to_owned(), target: "/b/k?acl".to_owned() });
    assert_eq!(ask.fields, [("x-amz-acl".to_owned(), "private".to_owned())]);
    assert_eq!(ask.body, ["one", "two"]);
    let status = Demand::Status {
        status: 403,
        code: Some("AccessDenied".to_owned()),
        message: Some("Access Denied".to_owned()),
    };
    assert_eq!(script.steps[0].demands, [status]);
    assert_eq!(script.steps[0].saved, [("id".to_owned(), Part::Header("x".to_owned()))]);
    assert_eq!(script.steps[1].action, Action::Wait(Duration::from_hours(11 * 24)));
    assert_eq!(
        script.steps[2].demands,
        [
            Demand::Count(String::new(), 2),
            Demand::Equals(Part::Pointer("/0/a".to_owned()), "b: c".to_owned()),
            Demand::Absent(Part::Element("VersionId".to_owned())),
        ]
    );
    assert_eq!(script.finally.len(), 1);
}

#[test]
fn what_is_no_script_says_where() {
    for (text, line, message) in [
        ("= 200", 1, "there is no request above it"),
        ("GET /b\nno header", 2, "it is neither a header nor a demand"),
        ("GET /b\n= perhaps", 2, "it is no demand"),
        ("GET /b\nsave x body", 2, "it is no part of an answer"),
        ("wait long", 1, "it is no length of time"),
        ("wait 1d\n> body", 2, "it belongs to no request"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.line, error.message), (line, message), "{text}");
    }
}
