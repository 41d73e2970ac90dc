//! What both binaries need around their service: options, secrets, logging, signals and version.
//!
//! The tiers may not know each other; this is what they share. It knows nothing of sessions.

pub mod command;
pub mod logging;
pub mod maintenance;
pub mod memory;
pub mod options;
pub mod process;
pub mod secret;
pub mod signals;
mod spelling;
pub mod trusted;
pub mod version;

/// The exit status of a configuration error (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;
