use std::fmt::Write as _;

use bucketproof_clock::Entropy;

use super::{Scenario, ScenarioError, build};

const ACCOUNT: &str = "[[account]]\nid = \"111122223333\"\nname = \"owner\"\n";
const STATEMENT: &str = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
const SECRET: &str = "thisMustNeverBeShown";

/// Reads and builds a scenario with one policy file beside it.
fn load(text: &str, file: &str) -> Result<(), ScenarioError> {
    let scenario = Scenario::from_parts(text, "scenario.toml", &[("policies/p.json", file)])?;
    build(&scenario, Entropy::seeded(1), "2026-01-01T00:00:00Z".parse().unwrap()).map(|_| ())
}

/// The complaint about the usual account with `rest` behind it.
fn complaint(rest: &str, file: &str) -> String {
    let error = load(&format!("{ACCOUNT}{rest}"), file).unwrap_err();
    format!("error: {error}\nhelp: {}\n", error.help())
}

/// Compares what is said about every way of being wrong with the snapshot `name`.
fn check(name: &str, cases: &[(&str, &str)]) {
    let mut all = String::new();
    for (case, rest) in cases {
        let _infallible = writeln!(all, "{case}\n{}", complaint(rest, "{}"));
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, all) });
}

#[test]
fn names_and_ids_are_checked() {
    let user = "[[account.user]]\nname = \"a\"\n";
    let key =
        |id: &str, secret: &str| format!("[[account.access_key]]\nid = \"{id}\"\nsecret = \"{secret}\"\n");
    let good = key("AKIAEXAMPLEEXAMPLE00", SECRET);
    check(
        "names_and_ids",
        &[
            ("unknown field of the scenario", "[[acount]]\n"),
            ("unknown field of a user", "[[account.user]]\nname = \"a\"\npolices = []\n"),
            ("missing field", "[[account.user]]\npolicies = []\n"),
            ("wrong type", "[[account.user]]\nname = 7\n"),
            ("not TOML", "[[account.user]\n"),
            ("account id", "[[account]]\nid = \"1234\"\nname = \"x\"\n"),
            ("account declared twice", ACCOUNT),
            ("canonical id", "canonical_id = \"xyz\"\n"),
            ("user declared twice", &user.repeat(2)),
            ("user name", "[[account.user]]\nname = \"a b\"\n"),
            ("path", "[[account.user]]\nname = \"a\"\npath = \"team\"\n"),
            ("unknown group", "[[account.user]]\nname = \"a\"\ngroups = [\"team\"]\n"),
            ("group declared twice", &"[[account.group]]\nname = \"g\"\n".repeat(2)),
            ("access key id", &key("short", SECRET)),
            ("access key declared twice", &good.repeat(2)),
            ("empty secret", &key("AKIAEXAMPLEEXAMPLE00", "")),
            ("secret of a wrong type", &good.replace(&format!("\"{SECRET}\""), "20260101")),
        ],
    );
}

#[test]
fn what_iam_keeps_is_checked() {
    let user = |rest: &str| format!("[[account.user]]\nname = \"a\"\n{rest}\n");
    let key = |rest: &str| {
        user(&format!("[[account.user.access_key]]\nid = \"AKIAEXAMPLEEXAMPLE00\"\nsecret = \"s\"\n{rest}"))
    };
    let policy = "[[account.policy]]\nname = \"p\"\ndocument = '{\"Statement\":[]}'\n";
    let role = |rest: &str| {
        let trust = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}}"#;
        format!("[[account.role]]\nname = \"r\"\ntrust = '{trust}'\n{rest}\n")
    };
    check(
        "principals",
        &[
            ("alias", "alias = \"The Owner\"\n"),
            ("unknown managed policy", &user("policies = [\"arn:aws:iam::111122223333:policy/none\"]")),
            ("unknown policy of AWS", &user("policies = [\"arn:aws:iam::aws:policy/None\"]")),
            ("unknown boundary", &user("boundary = \"arn:aws:iam::aws:policy/None\"")),
            ("policy declared twice", &policy.replace("[]", STATEMENT).repeat(2)),
            ("policy that says nothing", policy),
            ("names that differ by case", "[[account.user]]\nname = \"a\"\n[[account.user]]\nname = \"A\"\n"),
            ("status of a key", &key("status = \"Off\"")),
            ("age of a key", &key("created = \"last year\"")),
            ("session duration", &role("max_session_duration = 60")),
            ("role of an instance profile", "[[account.instance_profile]]\nname = \"i\"\nrole = \"r\"\n"),
            ("tag of a wrong type", &user("tags = { team = 7 }")),
        ],
    );
}

#[test]
fn buckets_and_objects_are_checked() {
    let bucket = |rest: &str| format!("[[account.bucket]]\nname = \"logs\"\n{rest}\n");
    check(
        "buckets_and_objects",
        &[
            ("bucket name", "[[account.bucket]]\nname = \"Logs\"\n"),
            ("bucket declared twice", &bucket("").repeat(2)),
            ("region", &bucket("region = \"europe\"")),
            ("ownership", &bucket("ownership = \"Mine\"")),
            ("name of an ACL", &bucket("acl = \"public\"")),
            ("ACL where ACLs are off", &bucket("acl = \"public-read\"")),
            ("public ACL", &bucket("ownership = \"ObjectWriter\"\nacl = \"public-read\"")),
            ("switches in one word", &bucket("public_access_block = false")),
            ("versioning", &bucket("versioning = \"On\"")),
            ("encryption", &bucket("encryption = \"AES255\"")),
            ("encryption of a wrong type", &bucket("encryption = 256")),
            ("encryption with a key of its own", &bucket("encryption = { kms_key = \"alias/k\" }")),
            ("encryption with an unknown field", &bucket("encryption = { kms = \"alias/k\" }")),
            ("blocked encryption", &bucket("encryption = { blocked_encryption_types = [\"SSE-S3\"] }")),
            (
                "notification without a destination",
                &bucket("notifications = [{ events = [\"s3:ObjectCreated:*\"] }]"),
            ),
            (
                "notification of a missing topic",
                &bucket(
                    "notifications = [{ topic = \"arn:aws:sns:us-east-1:111122223333:t\", events = [\"s3:ObjectCreated:*\"] }]",
                ),
            ),
            (
                "unknown event",
                &bucket(
                    "notifications = [{ topic = \"arn:aws:sns:us-east-1:111122223333:t\", events = [\"s3:Fly\"] }]",
                ),
            ),
            ("unknown switch", &bucket("public_access_block = { block_all = true }")),
            ("object without content", &bucket("objects = [{ key = \"k\" }]")),
            (
                "object with two contents",
                &bucket("objects = [{ key = \"k\", text = \"a\", file = \"policies/p.json\" }]"),
            ),
            ("object of a missing file", &bucket("objects = [{ key = \"k\", file = \"missing.csv\" }]")),
            (
                "object declared twice",
                &bucket("objects = [{ key = \"k\", text = \"a\" }, { key = \"k\", text = \"b\" }]"),
            ),
            ("object without a key", &bucket("objects = [{ key = \"\", text = \"a\" }]")),
            ("topic name", "[[account.topic]]\nname = \"a b\"\n"),
            ("topic declared twice", &"[[account.topic]]\nname = \"t\"\n".repeat(2)),
            ("topic policy", "[[account.topic]]\nname = \"t\"\npolicy = '{\"Statement\":[]'\n"),
            (
                "protocol of a subscription",
                "[[account.topic]]\nname = \"t\"\n[[account.topic.subscription]]\nprotocol = \"email\"\nendpoint = \"a@b\"\n",
            ),
            (
                "filter policy of a subscription",
                "[[account.topic]]\nname = \"t\"\n[[account.topic.subscription]]\nprotocol = \"http\"\nendpoint = \"http://h/\"\nfilter_policy = '{\"a\":[]}'\n",
            ),
            ("queue name", "[[account.queue]]\nname = \"a.fifo\"\n"),
            (
                "attribute of a queue",
                "[[account.queue]]\nname = \"q\"\nattributes = { VisibilityTimeout = \"-1\" }\n",
            ),
        ],
    );
}

#[test]
fn kms_keys_are_checked() {
    let key = |rest: &str| format!("[[account.kms_key]]\n{rest}\n");
    let id = "id = \"1234abcd-12ab-34cd-56ef-1234567890ab\"";
    let policy = |principal: &str| {
        format!(
            "policy = '{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{principal},\
             \"Action\":\"kms:*\",\"Resource\":\"*\"}}}}'"
        )
    };
    check(
        "kms_keys",
        &[
            ("unknown field", &key("name = \"app\"")),
            ("id", &key("id = \"app\"")),
            ("id declared twice", &key(id).repeat(2)),
            ("region", &key("region = \"europe\"")),
            ("alias", &key("alias = \"alias/a b\"")),
            ("alias of AWS", &key("alias = \"aws/s3\"")),
            ("alias declared twice", &(key("alias = \"alias/app\"") + &key("alias = \"app\""))),
            ("state", &key("state = \"Deleted\"")),
            ("reserved tag", &key("tags = { \"aws:team\" = \"raw\" }")),
            ("missing policy file", &key("policy = \"policies/missing.json\"")),
            ("broken policy", &key("policy = '{\"Version\": \"2012-10-17\"}'")),
            ("unknown principal", &key(&policy("{\"AWS\":\"999999999999\"}"))),
        ],
    );
    let complete = key(&format!(
        "{id}\nregion = \"eu-west-1\"\nalias = \"app\"\ndescription = \"for logs\"\nstate = \"Disabled\"\ntags = {{ team = \"raw\" }}\n{}",
        policy("{\"AWS\":\"111122223333\"}")
    ));
    load(&format!("{ACCOUNT}{complete}"), "{}").unwrap();
}

#[test]
fn policies_are_checked() {
    let user = |policy: &str| format!("[[account.user]]\nname = \"a\"\npolicies = ['{policy}']\n");
    let role = |principal: &str| {
        format!(
            "[[account.role]]\nname = \"r\"\ntrust = '{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\
             \"Principal\":{principal},\"Action\":\"sts:AssumeRole\"}}}}'\n"
        )
    };
    let bucket = |principal: &str, resource: &str| {
        format!(
            "[[account.bucket]]\nname = \"logs\"\npolicy = '{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\
             \"Allow\",\"Principal\":{principal},\"Action\":\"s3:GetObject\",\"Resource\":\"{resource}\"}}}}'\n"
        )
    };
    let ghost = "{\"AWS\":\"arn:aws:iam::111122223333:user/ghost\"}";
    check(
        "policies",
        &[
            (
                "missing policy file",
                "[[account.user]]\nname = \"a\"\npolicies = [\"policies/missing.json\"]\n",
            ),
            ("broken JSON", &user("{\"Version\": \"2012-10-17\",")),
            ("unknown element", &user("{\"Version\":\"2012-10-17\",\"Statment\":[]}")),
            (
                "a file without statements",
                "[[account.user]]\nname = \"a\"\npolicies = [\"policies/p.json\"]\n",
            ),
            ("unknown principal in a trust policy", &role(ghost)),
            ("unknown account in a trust policy", &role("{\"AWS\":\"999999999999\"}")),
            ("unknown principal in a bucket policy", &bucket(ghost, "arn:aws:s3:::logs/*")),
            (
                "foreign resource in a bucket policy",
                &bucket("{\"AWS\":\"111122223333\"}", "arn:aws:s3:::other/*"),
            ),
            ("public bucket policy", &bucket("\"*\"", "arn:aws:s3:::logs/*")),
        ],
    );
}

#[test]
fn a_broken_policy_file_is_shown_with_its_own_line() {
    let broken =
        "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    { \"Effect\": \"Maybe\" }\n  ]\n}\n";
    let of_user = complaint("[[account.user]]\nname = \"a\"\npolicies = [\"policies/p.json\"]\n", broken);
    assert!(of_user.starts_with("error: scenario.toml:6:13: policies/p.json:4:"), "{of_user}");
    let of_bucket = complaint("[[account.bucket]]\nname = \"logs\"\npolicy = \"policies/p.json\"\n", broken);
    assert!(of_bucket.starts_with("error: scenario.toml:6:10: policies/p.json:4:"), "{of_bucket}");
}

#[test]
fn secrets_are_never_shown() {
    let text = format!(
        "{ACCOUNT}[[account.access_key]]\nid = \"AKIAEXAMPLEEXAMPLE00\"\nsecret = \"{SECRET}\"\n\
         [[account.user]]\nname = \"a\"\n[[account.user.access_key]]\nid = \"AKIAEXAMPLEEXAMPLE01\"\nsecret = \"{SECRET}\"\n"
    );
    let scenario = Scenario::from_toml(&text).unwrap();
    let world = build(&scenario, Entropy::seeded(1), "2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
    assert!(
        world.accounts.access_key("AKIAEXAMPLEEXAMPLE01").is_some_and(|key| key.secret.expose() == SECRET)
    );
    for shown in [
        format!("{scenario:?}"),
        format!("{world:?}"),
        format!("{:?}", crate::Emulator::builder().scenario(scenario)),
    ] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    for broken in [
        text.replace("name = \"a\"", "name = 7"),
        format!("{text}x = 1\n"),
        text.replace("secret", "sekret"),
        format!("{text}["),
    ] {
        let error = load(&broken, "{}").unwrap_err();
        assert!(!format!("{error} {} {error:?}", error.help()).contains(SECRET), "{error}");
    }
}

#[test]
fn files_beside_the_scenario_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    let text = format!(
        "{ACCOUNT}[[account.bucket]]\nname = \"logs\"\nobjects = [{{ key = \"k\", file = \"data/k.csv\" }}]\n"
    );
    std::fs::write(&path, text).unwrap();
    let missing = Scenario::from_file(&path).unwrap_err();
    assert!(missing.message().starts_with("the file `data/k.csv` cannot be read: "), "{missing}");
    assert_eq!(missing.position(), Some((6, 32)));
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/k.csv"), "a,b\n").unwrap();
    let scenario = Scenario::from_file(&path).unwrap();
    assert_eq!(scenario.file("data/k.csv"), Some("a,b\n"));
    assert_eq!(scenario.with_file("data/k.csv", "c").file("data/k.csv"), Some("c"));
    let unreadable = Scenario::from_file(folder.path().join("none.toml")).unwrap_err();
    assert_eq!((unreadable.position(), unreadable.help()), (None, "check the path"));
}
