//! The log: on stderr, one line an event, as text or JSON. In a line of text only the time and the level stand
//! before the message, so that scripts find the lines that they know.

use std::io::{IsTerminal, stderr};

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// How log lines are written (`LOG_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl LogFormat {
    /// The words of the option.
    pub const CHOICES: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

/// Why there is no log.
#[derive(Debug, Error)]
pub enum LogError {
    /// `RUST_LOG` makes no sense.
    #[error("RUST_LOG: {0}; write it like info or lastcall=debug")]
    Filter(#[from] ParseError),
    /// There is a log already.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logging: `info` and above, unless `RUST_LOG` says otherwise.
///
/// # Errors
/// Where `RUST_LOG` makes no sense, or logging was started before.
pub fn start(format: LogFormat) -> Result<(), LogError> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(text)?,
        _ => EnvFilter::new("info"),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|_| LogError::Twice)
}
