//! The defaults of the library, from which those of the options are made.

use std::sync::LazyLock;

use lastcall::Config;

use super::pod;

/// The library's defaults, which `--help` shows.
pub(super) static DEFAULTS: LazyLock<Config> = LazyLock::new(|| Config::new(pod::placeholder()));
