//! A process whose stderr is a full pipe, as with a log shipper that hangs.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::TEST_TIMEOUT;

/// A running process whose stderr is not read before [`UnreadLogProcess::read`]. Dropping it kills the process.
#[derive(Debug)]
pub struct UnreadLogProcess {
    child: Child,
    reader: Option<PipeReader>,
    /// Whether filling the pipe must stop.
    is_read: Arc<AtomicBool>,
    log: Arc<Mutex<Vec<u8>>>,
}

impl UnreadLogProcess {
    /// Fills a pipe, then starts a binary whose stderr is that pipe. Of our variables it gets `PATH` only.
    pub async fn start(binary: impl AsRef<Path>, environment: &[(&str, &str)]) -> Self {
        let (reader, writer) = pipe().unwrap();
        let is_read = Arc::new(AtomicBool::new(false));
        fill(writer.try_clone().unwrap(), Arc::clone(&is_read)).await;
        let mut command = Command::new(binary.as_ref());
        command.env_clear().envs(environment.iter().copied()).env("PATH", std::env::var("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer).kill_on_drop(true);
        Self { child: command.spawn().unwrap(), reader: Some(reader), is_read, log: Arc::default() }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("the process has ended");
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
    }

    /// Starts reading the log.
    pub fn read(&mut self) {
        let (mut reader, log) = (self.reader.take().expect("it is read already"), Arc::clone(&self.log));
        self.is_read.store(true, Ordering::Relaxed);
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut part) {
                log.lock().extend_from_slice(&part[..count]);
            }
        });
    }

    /// The log so far, without the filling of the pipe.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock()).replace(FILLING as char, "")
    }

    /// Waits for the end of the process and returns the exit status.
    pub async fn wait(&mut self) -> ExitStatus {
        timeout(TEST_TIMEOUT, self.child.wait()).await.expect("the process does not end").unwrap()
    }
}

const FILLING: u8 = b'#';

/// Writes until the pipe is full, which shows in a writing thread that makes no progress.
async fn fill(mut writer: PipeWriter, is_read: Arc<AtomicBool>) {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    // Blocks until the pipe is read or has no reader.
    thread::spawn(move || {
        while !is_read.load(Ordering::Relaxed) && writer.write_all(&[FILLING; 512]).is_ok() {
            count.fetch_add(512, Ordering::Relaxed);
        }
    });
    let (mut before, mut still) = (0, 0);
    while still < 10 {
        sleep(Duration::from_millis(10)).await;
        let now = written.load(Ordering::Relaxed);
        still = if now == before && now > 0 { still + 1 } else { 0 };
        before = now;
    }
}
