//! All built-in objects, checked with the schemas of Kubernetes: `kubernetes-validate --strict`.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{all, root};

/// The program, on `PATH` or in the folder that `cargo xtask test` installs it into.
fn validate() -> Command {
    let installed = root().join("target/tools/bin/kubernetes-validate");
    Command::new(if installed.is_file() { installed.into_os_string() } else { "kubernetes-validate".into() })
}

pub(super) fn is_custom(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap();
    version.starts_with("gateway.") || version.contains(".coreos.com/")
}

/// The program's output about some objects, and whether it accepts them.
pub(super) fn said(objects: &[Value]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..objects.len()).map(|number| folder.path().join(format!("{number}.yaml"))).collect();
    for (file, object) in files.iter().zip(objects) {
        // JSON is YAML.
        fs::write(file, object.to_string()).unwrap();
    }
    let output = validate().arg("--strict").args(files).output();
    let output = output.unwrap_or_else(|error| panic!("kubernetes-validate: {error}: pip install kubernetes-validate"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn every_built_in_object_is_valid_by_the_strict_schemas() {
    for (name, objects) in all() {
        let built_in: Vec<_> = objects.into_iter().filter(|object| !is_custom(object)).collect();
        assert!(built_in.len() > 15, "{name}");
        let (fine, said) = said(&built_in);
        assert!(fine, "{name}: {said}");
    }
}

#[test]
fn a_field_that_is_spelt_wrong_is_not_valid() {
    let mut objects = super::overlay("minikube");
    objects.retain(|object| object["kind"] == "Deployment");
    objects[0]["spec"]["template"]["spec"]["terminationGracePeriod"] = 90.into();
    let (fine, said) = said(&objects);
    assert!(!fine && said.contains("terminationGracePeriod"), "{said}");
}
