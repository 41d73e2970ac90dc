//! The redis-server that the pods share. It writes an append-only file, so that it can come back with its data or
//! without. It never waits for the disk: what a killed process has written is there when the next one reads it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::net::TcpStream;

use super::child::{Child, server};
use super::until;

const WAIT: Duration = Duration::from_secs(20);

/// A running redis-server.
#[derive(Debug)]
pub(super) struct Redis {
    port: u16,
    logs: PathBuf,
    data: tempfile::TempDir,
    child: Option<Child>,
}

impl Redis {
    /// Starts it empty, and waits until it answers.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub(super) async fn start(port: u16, logs: &Path) -> anyhow::Result<Self> {
        let mut redis = Self { port, logs: logs.to_owned(), data: tempfile::tempdir()?, child: None };
        redis.start_again(true).await?;
        Ok(redis)
    }

    /// The address for the pods.
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    ///
    /// # Errors
    /// It does not end.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.signal(Signal::SIGKILL)?;
            child.wait(WAIT).await?;
        }
        Ok(())
    }

    /// Starts it with its data, or without.
    ///
    /// # Errors
    /// It does not start.
    pub(super) async fn start_again(&mut self, with_data: bool) -> anyhow::Result<()> {
        if !with_data {
            self.data = tempfile::tempdir()?;
        }
        let (port, folder) = (self.port.to_string(), self.data.path().to_string_lossy().into_owned());
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", &folder];
        self.child = Some(Child::start(&self.logs, "redis", &server("redis-server")?, &arguments, &[])?);
        let address = ("127.0.0.1", self.port);
        until("redis-server answers", WAIT, async || TcpStream::connect(address).await.is_ok()).await
    }
}
