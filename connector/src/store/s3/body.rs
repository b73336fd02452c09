//! Bodies of objects, from where they are kept and to where there is room.

use std::io::Write as _;

use aws_sdk_s3::primitives::ByteStream;

use crate::content::{Content, Room};
use crate::store::{Effect, Operation, StoreError};

/// Bytes of an object for which there is room before the first one comes; a service that lies gets no more.
const BODY_BYTES_AHEAD: u64 = 1 << 30;

/// A body as the client sends it; that of a file is read as it is sent, and again if it is sent again.
pub(super) async fn stream_of(body: &Content) -> Result<ByteStream, StoreError> {
    let no_room = |message| StoreError::NoRoom { operation: Operation::Put, message };
    match body.path() {
        Some(path) => ByteStream::from_path(path).await.map_err(|error| no_room(error.to_string())),
        None => body.to_bytes().map(ByteStream::from).map_err(|error| no_room(error.to_string())),
    }
}

/// A body, gathered where there is room for it.
pub(super) async fn gathered(
    length: Option<i64>,
    mut body: ByteStream,
    room: &Room,
) -> Result<Content, StoreError> {
    let no_room =
        |error: std::io::Error| StoreError::NoRoom { operation: Operation::Get, message: error.to_string() };
    let length = length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
    let mut sink = room.sink(length.min(BODY_BYTES_AHEAD)).map_err(no_room)?;
    loop {
        match body.try_next().await {
            Ok(Some(part)) => sink.write_all(&part).map_err(no_room)?,
            Ok(None) => return sink.finish().map_err(no_room),
            Err(error) => {
                return Err(StoreError::Unavailable {
                    operation: Operation::Get,
                    message: format!("the body ended early: {error}"),
                    effect: Effect::None,
                });
            }
        }
    }
}
