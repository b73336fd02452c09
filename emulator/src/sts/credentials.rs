//! Temporary credentials as they are issued.

use std::sync::Arc;

use crate::ids;
use crate::query::Fields;
use crate::state::{AccessKey, Holder, Secret, Session, World};

/// A token for a session that is about to be issued.
pub(super) fn new_token(world: &World) -> Secret {
    Secret::new(ids::session_token(&world.entropy))
}

/// Registers a session under a new access key and returns its `Credentials`.
pub(super) fn issue(world: &mut World, session: Session) -> Fields {
    let id = ids::access_key_id(&world.entropy, "ASIA");
    let secret = Secret::new(ids::secret_access_key(&world.entropy));
    let fields = Fields::new()
        .text("AccessKeyId", &id)
        .text("SecretAccessKey", secret.expose())
        .text("SessionToken", session.token.expose())
        .time("Expiration", session.expires_at);
    let issued_at = session.issued_at;
    world.accounts.add_key(AccessKey::new(id, secret, Holder::Session(Arc::new(session)), issued_at));
    fields
}
