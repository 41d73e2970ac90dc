//! Which build this is.

/// Version and git revision, as `--version` and gRPC tell them: `0.1.0 (1a2b3c4)`.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("LASTCALL_REVISION"), ")");
