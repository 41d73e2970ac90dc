//! What is shipped beside the binaries, tested with the binaries: images, manifests, alerts, dashboards, documentation.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test panics where something is missing")]

mod containers;
mod dev;
mod dockerfiles;
mod docs;
mod features;
mod manifests;
mod monitoring;
mod prometheus;
mod soak;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use test_support::{Process, UserPod};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    root().join(path)
}

/// The text of a file of the repository.
fn text(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The value of a YAML or JSON file of the repository.
fn read(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The elements of a list; none if the value is not a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The binary of a tier, beside ours: `cargo xtask test` builds all of them.
fn binary(name: &str) -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name(name);
    assert!(binary.is_file(), "{name} is not built; run cargo build --workspace --bins first");
    binary
}

/// A running user pod.
async fn user_pod(name: &str, options: &[(&str, &str)]) -> UserPod {
    UserPod::start(binary("user-tier"), name, options).await
}

/// A running admin tier that watches these pods, and its address.
async fn admin_tier(pods: &[&UserPod]) -> (Process, String) {
    let pods = pods.iter().map(|pod| pod.grpc.as_str()).collect::<Vec<_>>().join(",");
    let options = [("HTTP_ADDR", "127.0.0.1:0"), ("USER_PODS", pods.as_str()), ("ADMIN_AUTH", "off")];
    let process = Process::start(binary("admin-tier"), &[], &options);
    let line = process.line("http.address=").await;
    let address = line.split("http.address=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (process, address)
}
