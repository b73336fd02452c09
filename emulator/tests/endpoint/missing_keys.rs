//! Reads of missing keys: who is told that they are missing.

use aws_sdk_s3::error::ProvideErrorMetadata;
use bucketproof_emulator::{Emulator, Scenario};

/// `lister` may list what is public, `reader` reads as well, `denied` lists and must not read, `nobody` may nothing.
const PRINCIPALS: &str = r#"
    [[account]]
    id = "111122223333"
    name = "customer"
    bucket = [{ name = "shop" }]
    [[account.user]]
    name = "lister"
    policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringLike":{"s3:prefix":"public/*"}}}}']
    access_key = [{ id = "AKIAMISSINGKEYSTEST1", secret = "any text" }]
    [[account.user]]
    name = "reader"
    policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}}']
    access_key = [{ id = "AKIAMISSINGKEYSTEST2", secret = "any text" }]
    [[account.user]]
    name = "denied"
    policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}']
    access_key = [{ id = "AKIAMISSINGKEYSTEST3", secret = "any text" }]
    [[account.user]]
    name = "nobody"
    access_key = [{ id = "AKIAMISSINGKEYSTEST4", secret = "any text" }]
"#;

/// What a GET is answered: the code, and the denied action if there is one.
async fn read(emulator: &Emulator, principal: &str, key: &str) -> String {
    let error = emulator.s3(principal).get_object().bucket("shop").key(key).send().await.unwrap_err();
    let error = error.into_service_error();
    let message = error.message().unwrap_or_default();
    let action = message.split_whitespace().find(|word| word.starts_with("s3:")).unwrap_or_default();
    format!("{} {action}", error.code().unwrap_or_default()).trim_end().to_owned()
}

async fn start(switch: &str) -> Emulator {
    let scenario = Scenario::from_toml(&format!("{switch}\n{PRINCIPALS}")).unwrap();
    Emulator::builder().scenario(scenario).seed(7).start().await.unwrap()
}

#[tokio::test]
async fn by_default_only_who_may_read_is_told_that_a_key_is_missing() {
    let emulator = start("").await;
    assert_eq!(read(&emulator, "lister", "public/no").await, "AccessDenied s3:GetObject");
    assert_eq!(read(&emulator, "reader", "public/no").await, "NoSuchKey");
    assert_eq!(read(&emulator, "denied", "public/no").await, "AccessDenied s3:GetObject");
}

#[tokio::test]
async fn a_scenario_can_tell_everybody_who_may_list() {
    let emulator = start("missing_keys_shown_to_listers = true").await;
    assert_eq!(read(&emulator, "lister", "public/no").await, "NoSuchKey");
    assert_eq!(read(&emulator, "lister", "private/no").await, "AccessDenied s3:GetObject");
    assert_eq!(read(&emulator, "reader", "public/no").await, "NoSuchKey");
    assert_eq!(read(&emulator, "denied", "public/no").await, "AccessDenied s3:GetObject");
    assert_eq!(read(&emulator, "nobody", "public/no").await, "AccessDenied s3:GetObject");
    // What exists is read with the permission alone.
    emulator.s3("denied").put_object().bucket("shop").key("public/yes").send().await.unwrap();
    assert_eq!(read(&emulator, "lister", "public/yes").await, "AccessDenied s3:GetObject");
    // An exported scenario keeps the switch.
    let exported = Scenario::from_toml(&emulator.export_scenario()).unwrap();
    let again = Emulator::builder().scenario(exported).seed(8).start().await.unwrap();
    assert_eq!(read(&again, "lister", "public/no").await, "NoSuchKey");
}
