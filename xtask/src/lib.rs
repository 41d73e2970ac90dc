//! The parts of xtask that its integration tests use.

pub mod manifests;
pub mod waits;
