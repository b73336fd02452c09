//! Names beside canonical ids: only under the defaults of the time that had them.

use aws_sdk_s3::types::ObjectCannedAcl;
use bucketproof_emulator::{Emulator, Scenario};

const SCENARIO: &str = r#"
    [[account]]
    id = "111122223333"
    name = "Fish & Sons"
    [[account.user]]
    name = "owner"
    policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}']
    access_key = [{ id = "AKIADISPLAYNAMESTEST", secret = "any text" }]
"#;

async fn shown(emulator: Emulator) -> (Vec<Option<String>>, String) {
    let s3 = emulator.s3("owner");
    s3.create_bucket().bucket("named").send().await.unwrap();
    // A key that looks like what stands before an id is a key.
    let key = "<Owner><ID>x</ID>";
    let put = s3.put_object().bucket("named").key(key).acl(ObjectCannedAcl::BucketOwnerFullControl);
    put.send().await.unwrap();
    let acl = s3.get_object_acl().bucket("named").key(key).send().await.unwrap();
    let grantee = acl.grants()[0].grantee().unwrap().display_name().map(str::to_owned);
    let listed = s3.list_objects().bucket("named").send().await.unwrap();
    let object = &listed.contents()[0];
    let names = vec![
        acl.owner().unwrap().display_name().map(str::to_owned),
        grantee,
        object.owner().unwrap().display_name().map(str::to_owned),
    ];
    (names, object.key().unwrap().to_owned())
}

#[tokio::test]
async fn owners_and_grantees_have_names_under_the_defaults_of_before() {
    let start = |legacy: bool| async move {
        let builder = Emulator::builder().scenario(Scenario::from_toml(SCENARIO).unwrap()).seed(7);
        let builder = if legacy { builder.legacy_defaults() } else { builder };
        shown(builder.start().await.unwrap()).await
    };
    let key = "<Owner><ID>x</ID>".to_owned();
    assert_eq!(start(true).await, (vec![Some("Fish & Sons".to_owned()); 3], key.clone()));
    assert_eq!(start(false).await, (vec![None; 3], key));
}
