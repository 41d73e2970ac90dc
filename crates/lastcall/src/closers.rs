//! Closers: resources of the app that are closed at the end of a drain, such as a database pool.
//!
//! They run one after another, in reverse order of registration, so that a resource is closed before those that it was built on. Each has
//! its own time limit. One that fails, panics or exceeds its limit is logged, and the next one runs all the same.
//!
//! A closer runs on a thread of its own, with the app's runtime as its context: a closer that blocks its thread holds up neither the
//! drain task nor requests, nor the end of the runtime.

mod close_result;
mod registered;
mod running;

use std::time::Duration;

pub use close_result::CloseResult;
pub(crate) use registered::{Closer, Closers};
pub(crate) use running::Closing;

/// The longest time limit of a closer.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The longest name of a closer, in characters.
const MAX_NAME_CHARS: usize = 64;

#[cfg(test)]
mod tests;
