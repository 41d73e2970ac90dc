//! The log on stderr: one line for each event, as text or JSON.
//!
//! In text lines only the time and the level come before the message, so that scripts can match messages. Writing never
//! blocks: see [`queue`].

pub mod queue;

use std::backtrace::Backtrace;
use std::fmt::Display;
use std::io::{self, IsTerminal, stderr};
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

use queue::LogQueue;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::options::{Environment, ProcessEnvironment};

/// How log lines are written (`LOG_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text lines.
    #[default]
    Text,
    /// JSON objects, one on each line.
    Json,
}

impl LogFormat {
    /// The values of the option.
    pub const CHOICES: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

/// Why the log did not start.
#[derive(Debug, Error)]
pub enum LogError {
    /// `RUST_LOG` is invalid. The operator corrects it.
    #[error("RUST_LOG: {0}")]
    Filter(String),
    /// Logging has already started, which is an error of the program.
    #[error("logging was started twice")]
    AlreadyStarted,
}

/// The filter if `RUST_LOG` is unset. kube logs each failed request, and would fill the log while the API is unavailable: its
/// callers log once that the API fails, and once that it works again.
const DEFAULT_FILTER: &str = "info,kube_client=off";

/// Parses `RUST_LOG`. Defaults to `info`.
///
/// # Errors
/// Returns what is wrong and what to write instead.
pub fn filter(environment: &dyn Environment) -> Result<EnvFilter, String> {
    let text = environment.get("RUST_LOG").unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    EnvFilter::try_new(text).map_err(|error| format!("{error}; write it like info or lastcall=debug"))
}

/// How long writing the remaining lines may take at the end of the process.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The log of the process. Created before anything else. Dropping it writes the remaining lines, if stderr is being read.
#[derive(Debug)]
pub struct Log {
    queue: LogQueue,
}

impl Log {
    /// Creates a log on stderr, which takes plain lines until [`Log::start`].
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn new() -> io::Result<Self> {
        Ok(Self { queue: LogQueue::start(stderr())? })
    }

    /// Starts writing events, panics included.
    ///
    /// # Errors
    /// Fails if `RUST_LOG` is invalid, or if logging has already started.
    pub fn start(&self, format: LogFormat) -> Result<(), LogError> {
        let filter = filter(&ProcessEnvironment).map_err(LogError::Filter)?;
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(self.queue.clone()).with_target(false);
        // A line that cannot be written is lost: reporting that on the same stderr would block during a drain.
        let builder = builder.log_internal_errors(false);
        let started = match format {
            LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
        started.map_err(|_| LogError::AlreadyStarted)?;
        panic::set_hook(Box::new(log_panic));
        Ok(())
    }

    /// Writes an error before logging has started, and returns the exit status.
    pub fn fail(&self, error: &dyn Display, status: u8) -> ExitCode {
        self.write_line(error);
        ExitCode::from(status)
    }

    /// Writes a plain line before logging has started.
    pub fn write_line(&self, line: &dyn Display) {
        self.queue.push(format!("{line}\n").as_bytes());
    }

    /// The counter of lines that were dropped because stderr was not being read.
    pub fn dropped_lines(&self) -> Arc<AtomicU64> {
        self.queue.dropped_lines()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.flush(FLUSH_TIMEOUT);
    }
}

/// Logs a panic. The standard hook writes to stderr directly, and would block while nothing reads it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == std::backtrace::BacktraceStatus::Captured).then(|| backtrace.to_string());
    let thread = thread::current();
    tracing::error!(
        panic.location = location,
        panic.backtrace = backtrace,
        thread.name = thread.name(),
        "panicked: {message}"
    );
}
