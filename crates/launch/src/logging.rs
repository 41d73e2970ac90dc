//! The log: on stderr, one line an event, as text or JSON. In a line of text only the time and the level stand
//! before the message, so that scripts find the lines that they know.

use std::io::{IsTerminal, stderr};

use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::options::{Environment, ProcessEnvironment};

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
    #[error("RUST_LOG: {0}")]
    Filter(String),
    /// There is a log already.
    #[error("logging was started twice")]
    Twice,
}

/// What is logged where `RUST_LOG` is unset. The Kubernetes client says each failed try of its own accord, and would fill
/// the log while the API is away; who uses it says once that it is, and once that it is back.
const DEFAULT: &str = "info,kube_client=off,kube_runtime=off";

/// Reads `RUST_LOG`: `info` and above where it is unset.
///
/// # Errors
/// What is wrong and what to write.
pub fn filter(environment: &dyn Environment) -> Result<EnvFilter, String> {
    let text = environment.get("RUST_LOG").unwrap_or_else(|| DEFAULT.to_owned());
    EnvFilter::try_new(text).map_err(|error| format!("{error}; write it like info or lastcall=debug"))
}

/// Starts logging.
///
/// # Errors
/// Where `RUST_LOG` makes no sense, or logging was started before.
pub fn start(format: LogFormat) -> Result<(), LogError> {
    let filter = filter(&ProcessEnvironment).map_err(LogError::Filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // A line that cannot be written is lost; saying so on the same stderr would panic in the middle of a drain.
    let builder = builder.log_internal_errors(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|_| LogError::Twice)
}
