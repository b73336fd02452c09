//! The tables of `fixtures/authz` once more, over HTTP: each row becomes a scenario and the request that asks for its
//! action, and the decision in the journal must be the row's. Rows that no request can bring about are counted by reason,
//! shown with `--nocapture`.

mod row;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use aws_credential_types::Credentials;
use bucketproof_authz::Outcome;
use bucketproof_emulator::{Emulator, Scenario};
use bytes::Bytes;
use serde::Deserialize;

use self::row::{ACCOUNTS, Account, Caller, Row, Unfit, encoded, renamed};
use crate::fixture::new_year;
use crate::wire::{Answer, Ask, Key, Signing};

/// So many rows at least must have a request.
const ROWS_MIN: usize = 350;

#[derive(Deserialize)]
struct Table {
    decision: Vec<Row>,
}

/// A text in a scenario.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn listed(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// The accounts with their users and roles, and the bucket that the row is about.
fn scenario(row: &Row, tags: &BTreeMap<String, String>) -> String {
    let caller = row.caller();
    let mut toml = String::new();
    for account in ACCOUNTS {
        let _ = writeln!(
            toml,
            "[[account]]\nid = \"{}\"\nname = \"{}\"\ncanonical_id = \"{}\"\n{}",
            account.id(),
            account.name,
            account.canonical_id(),
            access_key("account", &account.key("root")),
        );
        // Only the caller has what the row says; the others are there to be named.
        let own = account == caller.account;
        let of = |kinds: &[&str]| own && kinds.contains(&caller.kind.as_str());
        let attached = |is_caller: bool| {
            let identity = if is_caller { row.identity() } else { Vec::new() };
            let boundary = row.boundary.as_ref().filter(|_| is_caller).map(|one| row.policy(one));
            let boundary = boundary.map(|text| format!("boundary = {}\n", quoted(&text))).unwrap_or_default();
            let tags = tags.iter().filter(|_| is_caller);
            let tags: Vec<String> =
                tags.map(|(key, value)| format!("{} = {}", quoted(key), quoted(value))).collect();
            format!("policies = {}\n{boundary}tags = {{ {} }}\n", listed(&identity), tags.join(", "))
        };
        let _ = writeln!(
            toml,
            "[[account.user]]\nname = \"alice\"\npath = \"/eng/\"\n{}{}",
            attached(of(&["user", "federated"])),
            access_key("account.user", &account.key("user")),
        );
        let trust = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{}:user/starter"}},"Action":"sts:AssumeRole"}}}}"#,
            account.id()
        );
        let _ = writeln!(
            toml,
            "[[account.user]]\nname = \"starter\"\n{}[[account.role]]\nname = \"loader\"\npath = \"/svc/\"\ntrust = {}\n{}",
            access_key("account.user", &account.key("starter")),
            quoted(&trust),
            attached(of(&["session"])),
        );
        if account == ACCOUNTS[0] {
            toml.push_str(&buckets(row));
        }
    }
    toml
}

fn access_key(of: &str, key: &Credentials) -> String {
    let (id, secret) = (key.access_key_id(), key.secret_access_key());
    format!("[[{of}.access_key]]\nid = \"{id}\"\nsecret = \"{secret}\"\n")
}

/// A bucket with ACLs gets its state by requests, any other has it from the start.
fn buckets(row: &Row) -> String {
    let open = "block_public_acls = false, ignore_public_acls = false, block_public_policy = false";
    if row.has_acls() {
        return format!(
            "[[account.bucket]]\nname = \"bkt\"\nownership = \"ObjectWriter\"\n\
             public_access_block = {{ {open}, restrict_public_buckets = false }}\n"
        );
    }
    let path = renamed(&row.resource);
    let path = path.strip_prefix("arn:aws:s3:::").unwrap_or_default();
    let (bucket, key) = path.split_once('/').unwrap_or((if path.is_empty() { "bkt" } else { path }, ""));
    let policy = row.resource_policy.as_ref().map(|statements| row.policy(statements));
    let policy = policy.map(|text| format!("policy = {}\n", quoted(&text))).unwrap_or_default();
    let objects = if key.is_empty() { "k" } else { key };
    format!(
        "[[account.bucket]]\nname = {}\n{policy}public_access_block = {{ {open}, restrict_public_buckets = {} }}\n\
         objects = [{{ key = {}, text = \"data\" }}]\n",
        quoted(bucket),
        row.restrict_public_buckets,
        quoted(objects),
    )
}

/// A row on its emulator.
struct Run<'a> {
    row: &'a Row,
    emulator: Emulator,
}

impl Run<'_> {
    async fn send(&self, key: Option<Key<'_>>, ask: &Ask) -> Answer {
        const HOST: &str = "localhost";
        let ask = match key {
            Some(key) => ask.signed(&Signing::with(key), HOST, self.emulator.clock().system_time()),
            None => ask.clone(),
        };
        let mut request = http::Request::builder().method(ask.method.as_str()).uri(&ask.target);
        request = request.header("content-length", ask.body.len());
        if ask.find("host").is_none() {
            request = request.header("host", HOST);
        }
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let answer = self.emulator.send(request.body(Bytes::from(ask.body)).unwrap()).await.unwrap();
        Answer { status: answer.status().as_u16(), headers: Vec::new(), body: answer.body().to_vec() }
    }

    /// A request that prepares the state, by the root user of an account.
    async fn prepare(&self, account: Account, ask: Ask) -> Result<(), Unfit> {
        let answer = self.send(Some(Key::of(&account.key("root"))), &ask).await;
        match answer.outcome() {
            (200..=299, _) => Ok(()),
            (_, code) if code == "MalformedPolicy" => Err("a bucket policy that PutBucketPolicy refuses"),
            (_, code) if code == "InvalidBucketAclWithObjectOwnership" => {
                Err("ACLs that were switched off over a grant")
            }
            outcome => panic!("{}: {outcome:?} to {ask:?}\n{}", self.row.id, answer.text()),
        }
    }

    /// Object, ACLs, Object Ownership, policy and Block Public Access, in an order in which AWS takes them.
    async fn prepare_acls(&self) -> Result<(), Unfit> {
        let row = self.row;
        let owner = ACCOUNTS[0];
        let path = renamed(&row.resource);
        let object = path.strip_prefix("arn:aws:s3:::").filter(|path| path.contains('/'));
        if let (Some(object), Some(grants)) = (object, &row.object_acl) {
            let object = format!("/{}", encoded(object));
            let writer = row.object_owner.as_deref().map_or(Some(owner), Account::named);
            let writer = writer.ok_or("an object of an account that is none of the three")?;
            let everybody = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bkt/*"}}"#;
            self.prepare(owner, Ask::new("PUT", "/bkt?policy").body(everybody)).await?;
            self.prepare(writer, Ask::new("PUT", &object).body("data")).await?;
            self.prepare(writer, Ask::new("PUT", &format!("{object}?acl")).body(acl(writer, grants)?))
                .await?;
            self.prepare(owner, Ask::new("DELETE", "/bkt?policy")).await?;
        }
        if let Some(grants) = &row.bucket_acl {
            self.prepare(owner, Ask::new("PUT", "/bkt?acl").body(acl(owner, grants)?)).await?;
        }
        let ownership = row.ownership.as_deref().unwrap_or("BucketOwnerEnforced");
        let ownership = format!(
            "<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
        );
        self.prepare(owner, Ask::new("PUT", "/bkt?ownershipControls").body(ownership)).await?;
        let block = format!(
            "<PublicAccessBlockConfiguration><IgnorePublicAcls>{}</IgnorePublicAcls><RestrictPublicBuckets>{}\
             </RestrictPublicBuckets></PublicAccessBlockConfiguration>",
            row.ignore_public_acls, row.restrict_public_buckets
        );
        self.prepare(owner, Ask::new("PUT", "/bkt?publicAccessBlock").body(block)).await?;
        // Last, because it may deny all of this.
        match &row.resource_policy {
            None => Ok(()),
            Some(policy) => {
                self.prepare(owner, Ask::new("PUT", "/bkt?policy").body(row.policy(policy))).await
            }
        }
    }

    /// The keys with which the caller of the row signs; absent for nobody.
    async fn credentials(&self) -> Result<Option<Credentials>, Unfit> {
        let Caller { account, kind } = self.row.caller();
        let policy = self.row.session.as_ref().map(|statements| self.row.policy(statements));
        let issued = match kind.as_str() {
            "anonymous" => return Ok(None),
            "root" => return Ok(Some(account.key("root"))),
            "user" => return Ok(Some(account.key("user"))),
            "session" => {
                let sts = self.emulator.sts_with(account.key("starter"));
                let role = format!("arn:aws:iam::{}:role/svc/loader", account.id());
                let ask = sts.assume_role().role_arn(role).role_session_name("job-7").set_policy(policy);
                ask.send().await.map_err(|_| "a session policy that STS refuses")?.credentials
            }
            _ => {
                let sts = self.emulator.sts_with(account.key("user"));
                let ask = sts.get_federation_token().name("bob").set_policy(policy);
                ask.send().await.map_err(|_| "a federated user whose user may not federate")?.credentials
            }
        };
        let issued = issued.unwrap();
        let token = Some(issued.session_token().to_owned());
        Ok(Some(Credentials::new(issued.access_key_id(), issued.secret_access_key(), token, None, "")))
    }
}

/// `READ partner`, `WRITE AllUsers` as a document.
fn acl(owner: Account, grants: &[String]) -> Result<String, Unfit> {
    let mut list = String::new();
    for grant in grants {
        let (permission, grantee) = grant.split_once(' ').ok_or("a grant of another form")?;
        let (kind, name) = match grantee {
            "AllUsers" | "AuthenticatedUsers" => {
                ("Group", format!("<URI>http://acs.amazonaws.com/groups/global/{grantee}</URI>"))
            }
            "LogDelivery" => ("Group", format!("<URI>http://acs.amazonaws.com/groups/s3/{grantee}</URI>")),
            name => {
                let account = Account::named(name).ok_or("a grantee that has no account")?;
                ("CanonicalUser", format!("<ID>{}</ID>", account.canonical_id()))
            }
        };
        let _ = write!(
            list,
            "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\">{name}\
             </Grantee><Permission>{permission}</Permission></Grant>"
        );
    }
    Ok(format!(
        "<AccessControlPolicy><Owner><ID>{}</ID></Owner><AccessControlList>{list}</AccessControlList>\
         </AccessControlPolicy>",
        owner.canonical_id()
    ))
}

/// Runs a row, and tells what is wrong with the answer; an error says why the row cannot be run.
async fn run(row: &Row) -> Result<Option<String>, Unfit> {
    row.check()?;
    let (tags, query) = row.expressed()?;
    let ask = row.ask(&query)?;
    let scenario = Scenario::from_toml(&scenario(row, &tags)).unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7);
    let Ok(emulator) = builder.start().await else { return Err("a policy that AWS would not store") };
    let run = Run { row, emulator };
    if row.has_acls() {
        run.prepare_acls().await?;
    }
    let credentials = run.credentials().await?;
    run.emulator.journal().clear();
    let answer = run.send(credentials.as_ref().map(Key::of), &ask).await;

    let entries = run.emulator.journal().entries();
    let [entry] = entries.as_slice() else { panic!("{}: {} entries", row.id, entries.len()) };
    let decided = entry.decisions.iter().find(|one| one.action.eq_ignore_ascii_case(&row.action));
    let outcome = decided.map_or("undecided", |one| one.decision.outcome().as_str());
    let is_refused = entry.code.as_deref() == Some("AccessDenied");
    let explained = decided.map(|one| one.decision.explain()).unwrap_or_default();
    let holds = outcome == row.expect && is_refused == (outcome != Outcome::Allowed.as_str());
    Ok((!holds).then(|| format!("{}: {outcome}\n{ask:?}\n{}\n{explained}", row.id, answer.text())))
}

#[tokio::test]
async fn every_row_that_a_request_can_bring_about_is_decided_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/authz");
    let (mut run_rows, mut unfit) = (0, BTreeMap::<Unfit, usize>::new());
    let mut wrong = Vec::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        // The operators have a table of another form.
        if path.file_stem().is_some_and(|stem| stem == "operators") {
            continue;
        }
        let table: Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for row in &table.decision {
            match run(row).await {
                Ok(answer) => {
                    run_rows += 1;
                    wrong.extend(answer);
                }
                Err(reason) => *unfit.entry(reason).or_default() += 1,
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {run_rows} rows:\n{}", wrong.len(), wrong.join("\n"));
    println!("{run_rows} rows were run; the others are");
    for (reason, count) in &unfit {
        println!("{count:4} {reason}");
    }
    assert!(run_rows >= ROWS_MIN, "only {run_rows} rows were run, not {unfit:?}");
}
