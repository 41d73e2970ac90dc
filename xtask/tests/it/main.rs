//! The chores and what they make, from outside.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test panics where something is missing")]

mod manifests;
