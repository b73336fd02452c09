//! What the vendors' pages say of failures, found out by name on every profile that documents it.

use bucketproof_connector::engine::SyncError;
use bucketproof_connector::report::ConnectionState;

use super::place::{BUCKET, KEY_ID, Place, SECRET, all_profiles};

async fn refused(
    place: &Place,
    what: &str,
    changes: &[(&str, &str)],
    secret: &str,
) -> Option<(String, String)> {
    let connection = place.connection_with(changes, secret);
    let error = connection.sync().await.unwrap_err();
    let SyncError::Store { diagnosis, .. } = &error else { panic!("{what}: {error}") };
    assert!(!error.to_string().contains(secret) && !error.help().contains(secret), "{what}");
    assert!(!diagnosis.help.is_empty());
    let state = connection.status().unwrap().state;
    assert!(
        matches!(state, ConnectionState::SetupFailed | ConnectionState::CredentialsRejected),
        "{what}: {state:?}"
    );
    Some((diagnosis.requirement.clone()?, error.to_string()))
}

/// Claims DAT-25, DAT-27, DAT-28, DAT-29, DAT-31, PER-47, PER-49, SPL-54, SUP-72, SUP-73, SUP-74.
#[tokio::test]
async fn wrong_buckets_regions_keys_and_secrets_are_named_as_the_pages_name_them() {
    for (text, profile) in all_profiles() {
        let place = Place::documented(&text).await;
        place.write_rows(0..3);
        let documented = |when: &str| {
            let entry =
                text.split("[[doctor]]").find(|entry| entry.contains(&format!("when = \"{when}\"")))?;
            Some(entry.split("id = \"").nth(1)?.split('"').next()?.to_owned())
        };
        let other_key = KEY_ID.replace("VENDOR", "NOBODY");
        let cases = [
            ("no_such_bucket", (BUCKET, "customer-exportz"), SECRET, "customer-exportz"),
            ("wrong_region", ("region = \"us-east-1\"", "region = \"eu-west-1\""), SECRET, "`us-east-1`"),
            ("access_key_unknown", (KEY_ID, other_key.as_str()), SECRET, other_key.as_str()),
            ("signature_mismatch", (KEY_ID, KEY_ID), "anotherSecretForTests/0/00EXAMPLEKEY00", KEY_ID),
        ];
        for (when, change, secret, named) in cases {
            let what = format!("{}: {when}", profile.id());
            let Some(id) = documented(when) else { continue };
            // A state directory belongs to one bucket.
            let mut changes = vec![change];
            changes.extend((when == "no_such_bucket").then_some(("dir = \"state\"", "dir = \"other\"")));
            let (requirement, message) = refused(&place, &what, &changes, secret).await.unwrap();
            assert_eq!(requirement, id, "{what}: {message}");
            assert!(message.contains(named), "{what}: {message}");
        }
        // Put right, the same state goes on: nothing was lost by the refusals.
        place.sync().await;
        assert_eq!(place.content(profile.encoding().format).await, place.expected(0..3), "{}", profile.id());
    }
}
