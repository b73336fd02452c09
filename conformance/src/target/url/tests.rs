use super::EndpointUrl;

#[test]
fn a_url_is_scheme_and_host() {
    for (text, url) in [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://s3.example.com/", "https://s3.example.com"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ] {
        assert_eq!(EndpointUrl::parse(text).unwrap().as_str(), url);
    }
}

#[test]
fn what_is_no_url_is_refused_with_the_reason_and_without_its_secrets() {
    for (text, part) in [
        ("moto", "neither with http"),
        ("ftp://host", "neither with http"),
        ("http://", "not of the form"),
        ("http://host/bucket", "path or a query"),
        ("http://host/?x=1", "path or a query"),
        ("http://key:secret@host", "`http://…@host`"),
        ("key:secret@host", "`…@host`"),
    ] {
        let message = EndpointUrl::parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn aws_itself_is_known() {
    let is_aws = |text| EndpointUrl::parse(text).unwrap().is_aws();
    assert!(is_aws("https://s3.eu-west-1.amazonaws.com"));
    assert!(is_aws("https://S3.AMAZONAWS.COM:443"));
    assert!(is_aws("https://s3.dualstack.eu-west-1.api.aws"));
    assert!(!is_aws("https://s3.amazonaws.com.example.org"));
    assert!(!is_aws("http://127.0.0.1:9000"));
}
