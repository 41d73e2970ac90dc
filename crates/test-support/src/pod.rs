//! A user pod as a process.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use crate::{Person, Process, metric};

/// A running user pod on its own ports.
#[derive(Debug)]
pub struct UserPod {
    process: Process,
    /// The address of its pages, as `127.0.0.1:port`.
    pub http: String,
    /// The address of its gRPC service.
    pub grpc: String,
}

impl UserPod {
    /// Starts `binary` (`env!("CARGO_BIN_EXE_user-tier")`) as `name` and waits until it serves.
    pub async fn start(binary: impl AsRef<Path>, name: &str, options: &[(&str, &str)]) -> Self {
        Self::serving(Process::start(binary, &[], &environment(name, options))).await
    }

    /// Starts a pod as [`start`](Self::start) does, with this limit of open files.
    pub async fn start_limited(
        binary: impl AsRef<Path>,
        name: &str,
        open_files: u64,
        options: &[(&str, &str)],
    ) -> Self {
        Self::serving(Process::start_limited(binary, open_files, &[], &environment(name, options))).await
    }

    async fn serving(process: Process) -> Self {
        let line = process.line("http.address=").await;
        let field = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {line}"));
            rest.split('"').next().unwrap().to_owned()
        };
        Self { http: field("http.address"), grpc: field("grpc.address"), process }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// Creates a new user of this pod.
    pub fn person(&self) -> Person {
        Person::new(&self.http)
    }

    /// The value of a series of `/metrics`.
    pub async fn metric(&self, series: &str) -> f64 {
        let page = self.person().text("/metrics").await;
        metric(&page, series).unwrap_or_else(|| panic!("no {series} in:\n{page}"))
    }
}

fn environment<'a>(name: &'a str, options: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fixed = [("HTTP_ADDR", "127.0.0.1:0"), ("GRPC_ADDR", "127.0.0.1:0"), ("POD_NAME", name)];
    fixed.iter().chain(options).copied().collect()
}

impl Deref for UserPod {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for UserPod {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}
