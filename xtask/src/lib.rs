//! The chores that tests look into.

pub mod manifests;
pub mod waits;
