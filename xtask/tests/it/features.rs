//! What the library is compiled with: its features leave out what they say, and nothing brings a second TLS provider.

use std::process::Command;

/// The names of the crates that a `cargo tree` lists.
fn crates(arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(super::root()).args(["tree", "--locked", "--offline", "--prefix", "none"]).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn library(features: &[&str]) -> Vec<String> {
    crates(&[&["-p", "lastcall", "-e", "normal", "--no-default-features"], features].concat())
}

/// Those of `names` that are among `crates`.
fn among<'a>(names: &[&'a str], crates: &[String]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| crates.iter().any(|found| found == name)).collect()
}

const REDIS: [&str; 2] = ["redis", "rustls"];
const INTROSPECTION: [&str; 5] = ["prost", "session-wire", "tonic", "tonic-health", "tonic-reflection"];

#[test]
fn the_library_without_features_has_neither_redis_nor_grpc() {
    let bare = library(&[]);
    assert_eq!(among(&["axum", "tokio"], &bare), ["axum", "tokio"]);
    assert_eq!(among(&REDIS, &bare), [""; 0]);
    assert_eq!(among(&INTROSPECTION, &bare), [""; 0]);
}

#[test]
fn each_feature_of_the_library_brings_its_own_crates_alone() {
    let redis = library(&["--features", "redis"]);
    assert_eq!((among(&REDIS, &redis), among(&INTROSPECTION, &redis)), (REDIS.to_vec(), Vec::new()));
    let introspection = library(&["--features", "introspection"]);
    assert_eq!(
        (among(&REDIS, &introspection), among(&INTROSPECTION, &introspection)),
        (Vec::new(), INTROSPECTION.to_vec())
    );
}

#[test]
fn one_tls_provider_serves_the_whole_workspace_tests_and_examples_included() {
    let all = crates(&["--workspace"]);
    assert_eq!(among(&["ring", "aws-lc-rs", "aws-lc-sys", "openssl"], &all), ["ring"]);
}
