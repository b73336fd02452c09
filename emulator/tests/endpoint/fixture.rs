//! The accounts that most tests meet.

use bucketproof_clock::Clock;
use bucketproof_emulator::{Builder, Emulator, Scenario};

use crate::wire::{Key, Wire};

pub(crate) const EXTERNAL_ID: &str = "Suprsend-7f3a";
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/vendors/exporter";

pub(crate) const ADMIN: Key = Key::new("AKIAADMINUSEREXAMPLE", "adminSecret+/0");
pub(crate) const WRITER: Key = Key::new("AKIAWRITERUSEREXAMPL", "writerSecret+/0");
pub(crate) const READER: Key = Key::new("AKIAREADERUSEREXAMPL", "readerSecret+/0");
pub(crate) const VENDOR: Key = Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");
pub(crate) const ROOT: Key = Key::new("AKIAROOTUSEROOEXAMPL", "rootSecret+/0");

/// An owner with an administrator, two narrow users, a role for a vendor and two buckets; a partner with that vendor.
pub(crate) const SCENARIO: &str = r#"
[[account]]
id = "111122223333"
name = "owner"

[[account.access_key]]
id = "AKIAROOTUSEROOEXAMPL"
secret = "rootSecret+/0"

[[account.user]]
name = "admin"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAADMINUSEREXAMPLE"
secret = "adminSecret+/0"

[[account.user]]
name = "writer"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject","s3:DeleteObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],"Resource":"arn:aws:s3:::logs/open/*"}]}']
[[account.user.access_key]]
id = "AKIAWRITERUSEREXAMPL"
secret = "writerSecret+/0"

[[account.user]]
name = "reader"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}]}']
[[account.user.access_key]]
id = "AKIAREADERUSEREXAMPL"
secret = "readerSecret+/0"

[[account.user]]
name = "nobody"
[[account.user.access_key]]
id = "AKIANOBODYUSEREXAMPL"
secret = "nobodySecret+/0"

[[account.role]]
name = "exporter"
path = "/vendors/"
trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/vendor"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"Suprsend-7f3a"}}},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/vendors/exporter"},"Action":"sts:AssumeRole"}]}'
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::logs/*"},{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}']

[[account.role]]
name = "archivist"
trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}'
max_session_duration = 43200
tags = { team = "archive", level = "3" }

[[account.bucket]]
name = "logs"

[[account.bucket]]
name = "archive"
region = "eu-central-1"

[[account]]
id = "444455556666"
name = "partner"

[[account.user]]
name = "vendor"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAVENDORUSEREXAMPL"
secret = "vendorSecret+/0"

[[account.user]]
name = "forbidden"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sts:*","Resource":"*"}]}']
[[account.user.access_key]]
id = "AKIAFORBIDDENEXAMPLE"
secret = "forbiddenSecret+/0"
"#;

pub(crate) fn scenario() -> Scenario {
    Scenario::from_toml(SCENARIO).unwrap()
}

/// New Year 2026, standing still.
pub(crate) fn new_year() -> Clock {
    Clock::manual("2026-01-01T00:00:00Z".parse().unwrap())
}

/// The usual accounts, in memory.
pub(crate) async fn emulator() -> Emulator {
    Emulator::builder().scenario(scenario()).clock(new_year()).seed(7).start().await.unwrap()
}

/// The usual accounts behind a socket, with the socket's other end.
pub(crate) async fn listening() -> (Emulator, Wire) {
    listening_with(|builder| builder).await
}

/// The same, started with more settings.
pub(crate) async fn listening_with(settings: impl FnOnce(Builder) -> Builder) -> (Emulator, Wire) {
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario()).clock(new_year()).seed(7).listen(listen);
    let emulator = settings(builder).start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    (emulator, wire)
}
