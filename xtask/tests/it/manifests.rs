//! The manifests as a cluster gets them: each overlay and each component, rendered by `kubectl kustomize`.

mod access;
mod api;
mod chart;
mod commands;
mod custom;
mod handoff;
mod maintenance;
mod names;
mod network;
mod options;
mod rainbow;
mod restricted;
mod routes;
mod sidecar;
mod updates;
mod valid;
mod waits;

use std::fs;

use serde_json::Value;
use xtask::manifests::{check, objects, quick_start, render};

use crate::{list, root};

/// The components.
const COMPONENTS: [&str; 5] = ["autoscaling", "gateway", "ingress", "maintenance-file", "monitoring"];

/// All renderings with their names: the overlays, and production with each component.
fn all() -> Vec<(String, Vec<Value>)> {
    let overlays = ["minikube", "production"].map(|name| (name.to_owned(), overlay(name)));
    let components = COMPONENTS.iter().map(|name| (format!("production with {name}"), with(&[name])));
    overlays.into_iter().chain(components).collect()
}

/// The objects of an overlay.
fn overlay(name: &str) -> Vec<Value> {
    objects(&render(&root().join("kubernetes/overlays").join(name)).unwrap()).unwrap()
}

/// The objects of the production overlay with these components.
fn with(components: &[&str]) -> Vec<Value> {
    objects(&rendered_with(components, "")).unwrap()
}

/// An overlay on top of production, with components and further text.
fn rendered_with(components: &[&str], besides: &str) -> String {
    // Kustomize accepts no absolute paths, so the overlay has to be in the repository.
    let target = root().join("target");
    fs::create_dir_all(&target).unwrap();
    let folder = tempfile::tempdir_in(&target).unwrap();
    let list: String = components.iter().map(|name| format!("  - ../../kubernetes/components/{name}\n")).collect();
    let components = if list.is_empty() { String::new() } else { format!("components:\n{list}") };
    let text = format!("resources:\n  - ../../kubernetes/overlays/production\n{components}{besides}");
    fs::write(folder.path().join("kustomization.yaml"), text).unwrap();
    render(folder.path()).unwrap()
}

/// One object.
fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The objects of a kind.
fn of_kind<'a>(objects: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

#[test]
fn the_rendered_file_is_what_the_overlay_renders_to() {
    check(&root(), &quick_start(&root()).unwrap()).unwrap();
}

#[test]
fn a_stale_rendered_file_is_reported_with_the_command_that_renews_it() {
    let error = check(&root(), "something else").unwrap_err().to_string();
    assert!(error.contains("run cargo xtask manifests"), "{error}");
}

#[test]
fn the_folder_that_kubectl_applies_contains_one_file_and_no_kustomization() {
    let files = fs::read_dir(root().join("kubernetes")).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        files.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["sample-app.yaml"]);
}

#[test]
fn the_quick_start_contains_no_secrets_and_no_custom_resources() {
    for object in overlay("minikube") {
        let group = object["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
        let built_in = !group.contains('.') || group.ends_with(".k8s.io") && !group.starts_with("gateway.");
        assert!(built_in && object["kind"] != "Secret", "{} {}", object["kind"], object["metadata"]["name"]);
    }
}
