//! The log: on stderr, one line an event, as text or JSON. In a line of text only the time and the level stand
//! before the message, so that scripts find the lines that they know. Writing never blocks: see [`queue`].

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
const DEFAULT: &str = "info,kube_client=off";

/// Reads `RUST_LOG`: `info` and above where it is unset.
///
/// # Errors
/// What is wrong and what to write.
pub fn filter(environment: &dyn Environment) -> Result<EnvFilter, String> {
    let text = environment.get("RUST_LOG").unwrap_or_else(|| DEFAULT.to_owned());
    EnvFilter::try_new(text).map_err(|error| format!("{error}; write it like info or lastcall=debug"))
}

/// What the log gets at the end of the process to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The process's log. Made before anything else; what is in it is written when it is dropped, if stderr is read.
#[derive(Debug)]
pub struct Log {
    queue: LogQueue,
}

impl Log {
    /// A log on stderr, for plain lines at first.
    ///
    /// # Errors
    /// Where the system starts no thread.
    pub fn new() -> io::Result<Self> {
        Ok(Self { queue: LogQueue::start(stderr())? })
    }

    /// Writes what is logged from now on, panics included.
    ///
    /// # Errors
    /// Where `RUST_LOG` makes no sense, or logging was started before.
    pub fn start(&self, format: LogFormat) -> Result<(), LogError> {
        let filter = filter(&ProcessEnvironment).map_err(LogError::Filter)?;
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(self.queue.clone()).with_target(false);
        // A line that cannot be written is lost; saying so on the same stderr would block in the middle of a drain.
        let builder = builder.log_internal_errors(false);
        let started = match format {
            LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
        started.map_err(|_| LogError::Twice)?;
        panic::set_hook(Box::new(log_panic));
        Ok(())
    }

    /// Says what is wrong, where nothing is logged yet, and gives what the process exits with.
    pub fn fail(&self, what: &dyn Display, status: u8) -> ExitCode {
        self.say(what);
        ExitCode::from(status)
    }

    /// Says something on a line of its own, where nothing is logged yet.
    pub fn say(&self, what: &dyn Display) {
        self.queue.push(format!("{what}\n").as_bytes());
    }

    /// Lines that were dropped because stderr was not read, as a counter that goes on counting.
    pub fn dropped_lines(&self) -> Arc<AtomicU64> {
        self.queue.dropped_lines()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.flush(FLUSH_TIMEOUT);
    }
}

/// The standard hook writes to stderr itself, and would block where nobody reads it.
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
