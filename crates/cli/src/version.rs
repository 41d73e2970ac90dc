//! The version of this build.

/// Version and git revision, for `--version` and gRPC: `0.1.0 (1a2b3c4)`.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("LASTCALL_REVISION"), ")");
