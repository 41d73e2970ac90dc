//! Clients that request a page as fast as they get it: plain HTTP/1.1 over kept connections.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// How long a pod may take to answer for the first time.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until `/ready` answers 200.
///
/// # Errors
/// It does not in time.
pub(super) fn wait_until_ready(port: u16) -> anyhow::Result<()> {
    wait_until_answered(port, "/ready")
}

/// Waits until `path` answers 200.
///
/// # Errors
/// It does not in time.
pub(super) fn wait_until_answered(port: u16, path: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        if Client::connect(port).and_then(|mut client| client.get(path).map(drop)).is_ok() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("nothing answers on port {port}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Several clients of one pod.
pub(super) struct Clients {
    port: u16,
    count: usize,
    clients: Vec<Client>,
}

impl Clients {
    pub(super) const fn new(port: u16, count: usize) -> Self {
        Self { port, count, clients: Vec::new() }
    }

    /// Requests a second, with every client as fast as it is answered. Sessions start before the measurement.
    ///
    /// # Errors
    /// A request fails.
    pub(super) fn rate(&mut self, time: Duration) -> anyhow::Result<f64> {
        while self.clients.len() < self.count {
            let mut client = Client::connect(self.port)?;
            client.get("/")?;
            self.clients.push(client);
        }
        let began = Instant::now();
        let requests = thread::scope(|scope| {
            let working: Vec<_> =
                self.clients.iter_mut().map(|client| scope.spawn(|| client.work(began + time))).collect();
            working
                .into_iter()
                .map(|work| work.join().unwrap_or_else(|_| bail!("a client panicked")))
                .sum::<anyhow::Result<u32>>()
        })?;
        Ok(f64::from(requests) / began.elapsed().as_secs_f64())
    }
}

/// A client with one connection and one cookie.
pub(super) struct Client {
    connection: BufReader<TcpStream>,
    cookie: String,
    line: String,
    body: Vec<u8>,
}

impl Client {
    pub(super) fn connect(port: u16) -> anyhow::Result<Self> {
        let connection = TcpStream::connect(("127.0.0.1", port))?;
        connection.set_nodelay(true)?;
        let (cookie, line, body) = (String::new(), String::new(), Vec::new());
        Ok(Self { connection: BufReader::new(connection), cookie, line, body })
    }

    /// Starts a session, and returns the field with its cookie.
    pub(super) fn session(&mut self) -> anyhow::Result<String> {
        self.get("/")?;
        ensure!(!self.cookie.is_empty(), "the answer sets no cookie");
        Ok(self.cookie.trim().to_owned())
    }

    fn work(&mut self, until: Instant) -> anyhow::Result<u32> {
        let mut requests = 0;
        while Instant::now() < until {
            self.get("/")?;
            requests += 1;
        }
        Ok(requests)
    }

    /// Requests a page and returns it.
    pub(super) fn get(&mut self, path: &str) -> anyhow::Result<std::borrow::Cow<'_, str>> {
        let cookie = &self.cookie;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{cookie}\r\n");
        self.connection.get_mut().write_all(request.as_bytes())?;
        self.read_line()?;
        ensure!(self.line.starts_with("HTTP/1.1 200"), "{path} answers {}", self.line.trim());
        let mut length = 0;
        loop {
            self.read_line()?;
            let Some((name, value)) = self.line.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().context("content-length is no number")?,
                "set-cookie" => self.cookie = format!("cookie: {}\r\n", value.split(';').next().unwrap_or_default()),
                _ => {}
            }
        }
        self.body.resize(length, 0);
        self.connection.read_exact(&mut self.body)?;
        Ok(String::from_utf8_lossy(&self.body))
    }

    fn read_line(&mut self) -> anyhow::Result<()> {
        self.line.clear();
        ensure!(self.connection.read_line(&mut self.line)? > 0, "the connection has ended");
        Ok(())
    }
}
