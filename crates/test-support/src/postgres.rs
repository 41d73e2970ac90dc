//! A real PostgreSQL of Debian's package, which tests stop, suspend and start again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nix::sys::signal::kill;
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{Process, Signal, eventually, free_port};

/// Where Debian's packages have their programs, one folder for each version.
const PACKAGES: &str = "/usr/lib/postgresql";
/// The superuser of the server, who needs no password on this machine.
const USER: &str = "lastcall";
/// How long an immediate shutdown may take when the server is dropped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// A running PostgreSQL. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    port: u16,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server with an empty data folder on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        if geteuid().is_root() {
            let owned = Command::new("chown").arg(unprivileged_user()).arg(folder.path()).status().unwrap();
            assert!(owned.success());
        }
        let mut initdb = command("initdb");
        initdb.args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER, "-D"]);
        let made = initdb.arg(&data).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { process: None, port: free_port(), folder };
        server.start_again().await;
        server
    }

    /// Starts the stopped server again, with its data, on the same port.
    pub async fn start_again(&mut self) {
        let (data, port) = (self.folder.path().join("data"), self.port.to_string());
        let mut server = command("postgres");
        server.args([
            "-p",
            &port,
            "-c",
            "fsync=off",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]);
        server.arg("-D").arg(data);
        let arguments: Vec<&str> = server.get_args().map(|argument| argument.to_str().unwrap()).collect();
        let process = Process::start(Path::new(server.get_program()), &arguments, &[]);
        process.line("ready to accept connections").await;
        self.process = Some(process);
        let port = self.port;
        eventually("postgres", || async move { TcpStream::connect(("127.0.0.1", port)).await.ok() }).await;
    }

    /// Stops the server as an administrator does: running transactions are cancelled, the data stays.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::SIGINT);
            assert!(process.wait().await.success());
        }
    }

    /// Suspends the server and all its processes: connections stay open and nothing is answered, until [`resume`](Self::resume).
    pub fn suspend(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Lets the suspended server go on.
    pub fn resume(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Signals the server first, so that it starts no further process meanwhile, and then those that serve connections.
    fn signal_all(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the server was stopped");
        process.signal(signal);
        let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &process.id().to_string()]).output().unwrap();
        for id in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
            // One may have ended meanwhile.
            let _ = kill(Pid::from_raw(id.parse().unwrap()), signal);
        }
    }
}

impl Drop for Postgres {
    /// Lets the server remove its shared memory, which a killed one leaves behind.
    fn drop(&mut self) {
        if self.process.as_mut().is_none_or(Process::has_ended) {
            return;
        }
        self.resume();
        let Some(mut process) = self.process.take() else { return };
        process.signal(Signal::SIGQUIT);
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        while !process.has_ended() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A program of the server, run by a user that it accepts: it refuses root.
fn command(name: &str) -> Command {
    let program = program(name);
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let user = unprivileged_user();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user_group(user), "--clear-groups", "--"]).arg(program);
    command
}

/// The server's own user, which its package creates, or one that every system has.
fn unprivileged_user() -> &'static str {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if users.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}

fn user_group(user: &str) -> &'static str {
    if user == "postgres" { "postgres" } else { "nogroup" }
}

/// The path of a program: of the newest package, or on `PATH`.
fn program(name: &str) -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(PACKAGES)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = versions.into_iter().rev().map(|(_, folder)| folder.join("bin")).chain(env::split_paths(&path));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; cargo xtask test installs it"))
}
