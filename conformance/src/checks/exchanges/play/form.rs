//! HTML forms: the fields in their order, among them those of a signed policy.
//!
//! `sign: +1h [..]` makes a policy that ends then, with these conditions beside those that every signature needs, and the
//! fields of its signature; `sign-all: {..}` signs this text as it is; `spoil: signature` changes what was signed; and
//! `file: text` is the file.

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::Names;
use crate::outcome::Stop;
use crate::stage::Ground;
use crate::step::step;

const BOUNDARY: &str = "b0und";

/// The form as a browser sends it.
pub(super) fn request(
    ground: &Ground,
    names: &Names,
    target: &str,
    fields: &[(String, String)],
) -> Result<Request<Bytes>, Stop> {
    let mut body = String::new();
    let mut kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let is_spoilt = |what: &str| fields.iter().any(|(name, value)| name == "spoil" && value == what);
    for (name, value) in fields {
        match name.as_str() {
            "spoil" if value == "kind" => "text/plain".clone_into(&mut kind),
            "spoil" => {}
            "file" => add(&mut body, "file\"; filename=\"local.txt", value),
            "sign" | "sign-all" => {
                let signer = Signer::of(ground, names)?;
                let policy = if name == "sign" { signer.policy(names, value)? } else { value.clone() };
                for (name, value) in signer.fields(ground, names, &policy) {
                    if is_spoilt(&format!("without {name}")) {
                        continue;
                    }
                    let value = if name == "x-amz-signature" && is_spoilt("signature") {
                        "0".repeat(64)
                    } else {
                        value
                    };
                    add(&mut body, name, &value);
                }
            }
            name => add(&mut body, name, value),
        }
    }
    body = format!("{body}--{BOUNDARY}--\r\n");
    let request = Request::post(ground.url(target)).header("content-type", kind).body(Bytes::from(body));
    step("make the form").works(request)
}

fn add(body: &mut String, name: &str, value: &str) {
    *body =
        format!("{body}--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
}

/// Who signs, and when: what the fields say and the policy demands of them.
struct Signer {
    credentials: Credentials,
    scope: String,
    time: String,
}

impl Signer {
    fn of(ground: &Ground, names: &Names) -> Result<Self, Stop> {
        let credentials = step("who signs the form").some("credentials", ground.first())?;
        let now = step("read the time").works(Timestamp::try_from(names.now))?;
        let day = now.strftime("%Y%m%d");
        let scope = format!("{}/{day}/{}/s3/aws4_request", credentials.access_key_id(), ground.region());
        Ok(Self { scope, time: now.strftime("%Y%m%dT%H%M%SZ").to_string(), credentials })
    }

    fn policy(&self, names: &Names, text: &str) -> Result<String, Stop> {
        let read = step("read the form");
        let (until, conditions) = read.some("`sign: +1h [..]`", text.split_once(' '))?;
        let expiration = read.some("a time such as `+1h`", names.value(&format!("now{until}")))?;
        let inner = conditions.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let own = match read.some("conditions between brackets", inner)? {
            "" => String::new(),
            inner => format!(",{inner}"),
        };
        let Self { scope, time, .. } = self;
        let bucket = names.saved("bucket")?;
        Ok(format!(
            "{{\"expiration\":\"{expiration}\",\"conditions\":[{{\"bucket\":\"{bucket}\"}},\
             {{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"}},{{\"x-amz-credential\":\"{scope}\"}},\
             {{\"x-amz-date\":\"{time}\"}}{own}]}}"
        ))
    }

    fn fields(&self, ground: &Ground, names: &Names, policy: &str) -> [(&'static str, String); 5] {
        let policy = STANDARD.encode(policy);
        let key =
            generate_signing_key(self.credentials.secret_access_key(), names.now, ground.region(), "s3");
        let signature = calculate_signature(key, policy.as_bytes());
        [
            ("policy", policy),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", self.scope.clone()),
            ("x-amz-date", self.time.clone()),
            ("x-amz-signature", signature),
        ]
    }
}
