//! The options of every container, checked by the real binaries: all exist, and they fit together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::sidecar::variants;
use super::{all, list, of_kind};
use crate::binary;

/// Where Secrets and the ConfigMap are mounted.
const MOUNTS: &str = "/etc/lastcall";

/// Their files in a cluster.
const FILES: [(&str, &str); 6] = [
    ("session/session-key", "a secret of thirty-two bytes and more than that"),
    ("shared/grpc-token", "a token"),
    ("shared/redis-url", "rediss://redis.example.com:6380"),
    ("admin/admin-token", "another token"),
    // Beside an app.
    ("secret/session-key", "a secret of thirty-two bytes and more than that"),
    ("secret/grpc-token", "a token"),
];

fn tier_of(image: &str) -> PathBuf {
    binary(if image.contains("sample-app-user") { "user-tier" } else { "admin-tier" })
}

fn own_containers(objects: &[Value]) -> impl Iterator<Item = &Value> {
    let pods = of_kind(objects, "Deployment").map(|it| &it["spec"]["template"]["spec"]);
    // A native sidecar is one of the pod's init containers.
    let containers = pods
        .flat_map(|pod| list(&pod["containers"]).iter().chain(pod["initContainers"].as_array().into_iter().flatten()));
    containers.filter(|container| container["image"].as_str().unwrap().contains("sample-app-"))
}

/// The value of a variable in a pod.
fn value_of(variable: &Value) -> &str {
    let field = &variable["valueFrom"]["fieldRef"]["fieldPath"];
    match (variable["value"].as_str(), field.as_str()) {
        (Some(value), None) => value,
        (None, Some("metadata.name")) => "sample-app-user-7d4b9c6f8-x2x4z",
        (None, Some("metadata.labels['pod-template-hash']")) => "7d4b9c6f8",
        _ => panic!("no value for {variable}"),
    }
}

/// Runs the binary as in the container, up to the check of its options.
fn check(container: &Value, mounts: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(tier_of(container["image"].as_str().unwrap()));
    command.env_clear().args(list(&container["args"]).iter().map(|argument| argument.as_str().unwrap()));
    for variable in list(&container["env"]) {
        let value = value_of(variable).replace(MOUNTS, mounts.to_str().unwrap());
        command.env(variable["name"].as_str().unwrap(), value);
    }
    let output = command.arg("--check-config").output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn mounts() -> tempfile::TempDir {
    let mounts = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        let path = mounts.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    mounts
}

#[test]
fn every_container_has_options_that_its_binary_accepts() {
    let mounts = mounts();
    let rendered = all().into_iter().map(|(name, objects)| (name, objects, 3));
    let beside_apps = variants().map(|(name, objects)| (name.to_owned(), objects, 1));
    for (name, objects, containers) in rendered.chain(beside_apps) {
        assert_eq!(own_containers(&objects).count(), containers, "{name}");
        for container in own_containers(&objects) {
            let (code, said) = check(container, mounts.path());
            assert_eq!(code, Some(0), "{name}: {}: {said}", container["name"]);
        }
    }
}

#[test]
fn production_requires_its_store_and_releases_sessions_to_other_pods() {
    let objects = super::overlay("production");
    let container = own_containers(&objects).find(|container| container["name"] == "user-tier").unwrap();
    for (name, expected) in [("STORE_AT_START", "required"), ("FORCED_END", "release")] {
        let variable = list(&container["env"]).iter().find(|variable| variable["name"] == name);
        assert_eq!(variable.map(value_of), Some(expected), "{name}");
    }
}

#[test]
fn user_pods_get_the_revision_of_their_deployment() {
    for name in ["minikube", "production"] {
        let objects = super::overlay(name);
        let container = own_containers(&objects).find(|container| container["name"] == "user-tier").unwrap();
        let revision = list(&container["env"]).iter().find(|variable| variable["name"] == "POD_REVISION");
        assert_eq!(revision.map(value_of), Some("7d4b9c6f8"), "{name}");
    }
}

#[test]
fn every_variable_is_an_option_of_the_binary() {
    let beside_apps = variants().map(|(name, objects)| (name.to_owned(), objects));
    for (name, objects) in all().into_iter().chain(beside_apps) {
        for container in own_containers(&objects) {
            let mut command = Command::new(tier_of(container["image"].as_str().unwrap()));
            let arguments = list(&container["args"]).iter().map(|argument| argument.as_str().unwrap());
            let help = command.args(arguments).arg("--help").output().unwrap();
            let help = String::from_utf8(help.stdout).unwrap();
            let words: Vec<_> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            for variable in list(&container["env"]) {
                let variable = variable["name"].as_str().unwrap();
                assert!(words.contains(&variable), "{name}: {} knows no {variable}", container["name"]);
            }
        }
    }
}

#[test]
fn a_pod_refuses_to_start_where_the_drain_does_not_fit() {
    let mounts = mounts();
    let objects = super::overlay("production");
    let mut container = own_containers(&objects).find(|container| container["name"] == "user-tier").unwrap().clone();
    let variables = container["env"].as_array_mut().unwrap();
    let drain = variables.iter_mut().find(|variable| variable["name"] == "DRAIN_TIMEOUT").unwrap();
    drain["value"] = "120s".into();
    let (code, said) = check(&container, mounts.path());
    assert!(code == Some(78) && said.contains("TERMINATION_GRACE_PERIOD"), "{code:?} {said}");
}

#[test]
fn production_does_not_start_without_its_secrets() {
    let nothing = tempfile::tempdir().unwrap();
    let objects = super::overlay("production");
    for container in own_containers(&objects).filter(|container| container["name"] != "maintenance-page") {
        let (code, said) = check(container, nothing.path());
        assert!(code == Some(78) && said.contains("GRPC_TOKEN"), "{code:?} {said}");
    }
    for deployment in of_kind(&objects, "Deployment") {
        for volume in list(&deployment["spec"]["template"]["spec"]["volumes"]) {
            assert!(volume["secret"]["optional"].is_null(), "{volume}");
        }
    }
}
