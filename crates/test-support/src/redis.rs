//! A real redis-server, which tests stop, kill and start again.

use std::net::TcpListener;

use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue};
use tempfile::TempDir;

use crate::{Process, Signal, eventually};

/// A running redis-server without persistence. Dropping it kills it.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    port: u16,
    options: Vec<String>,
    folder: TempDir,
}

impl Redis {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts a server with these options.
    pub async fn with(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut redis = Self { process: None, port: free_port(), options, folder: tempfile::tempdir().unwrap() };
        redis.start_again().await;
        redis
    }

    /// Starts the killed server again, empty, on the same port.
    pub async fn start_again(&mut self) {
        let port = self.port.to_string();
        let folder = self.folder.path().to_str().unwrap();
        let fixed = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
        let arguments: Vec<&str> = fixed.into_iter().chain(self.options.iter().map(String::as_str)).collect();
        self.process = Some(Process::start("redis-server", &arguments, &[]));
        let port = self.port;
        eventually("redis-server", || async move { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() })
            .await;
    }

    /// Sends a signal. SIGSTOP makes the server hang until SIGCONT.
    pub fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("redis-server was killed").signal(signal);
    }

    /// Kills the server, which loses its data.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::SIGKILL);
            process.wait().await;
        }
    }

    /// The URL of the server.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port of the server.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command, as `redis-cli` does.
    pub async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = self.connection().await;
        redis::cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await.unwrap()
    }

    /// The keys that match a pattern, in order.
    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.ask(&["KEYS", pattern]).await;
        keys.sort();
        keys
    }

    async fn connection(&self) -> MultiplexedConnection {
        Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }
}

/// Returns a free port. Another process can take it before it is used; that is rare, and fails visibly.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
