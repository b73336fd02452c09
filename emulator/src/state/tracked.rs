//! A part of the state that knows whether it may have changed.

use std::ops::{Deref, DerefMut};

use serde::Serialize;

/// Whoever borrows the value to change it is taken to have changed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracked<T> {
    value: T,
    touched: bool,
}

impl<T> Tracked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, touched: false }
    }

    pub(crate) fn forget_touch(&mut self) {
        self.touched = false;
    }
}

impl<T: Serialize> Tracked<T> {
    /// The value as JSON, if it was borrowed to change it since this was last asked.
    pub(crate) fn take_json_if_touched(&mut self) -> Option<Result<Vec<u8>, String>> {
        std::mem::take(&mut self.touched)
            .then(|| serde_json::to_vec(&self.value).map_err(|error| error.to_string()))
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.touched = true;
        &mut self.value
    }
}
