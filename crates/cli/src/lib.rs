//! What both binaries need around their service: options, secrets, logging, signals and version.
//!
//! The tiers do not depend on each other; they share this crate. It knows nothing of sessions.

pub mod command;
pub mod common_options;
pub mod logging;
pub mod maintenance;
pub mod memory_limit;
pub mod options;
pub mod options_page;
pub mod process;
pub mod proxy_options;
pub mod secret;
pub mod signals;
mod similar_names;
pub mod version;

/// The exit status of a configuration error (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;
