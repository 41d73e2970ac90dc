//! The software bill of materials of a binary: the crates that are linked, as CycloneDX (JSON, 1.5).
//!
//! `cargo tree` prints the crates and features of the build of the images; the checksums come from `Cargo.lock`. Decision 13 says
//! why this is no existing tool.

mod lock;
mod tree;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::identity::Identity;
use crate::steps::{cargo, root};
use tree::Package;

/// The list for one binary, by its package.
///
/// # Errors
/// Cargo cannot resolve the dependencies, or `Cargo.lock` cannot be read.
pub(crate) fn of(package: &str, identity: &Identity) -> anyhow::Result<String> {
    // Both packages together, as the images are built: cargo unites their features.
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let arguments = ["tree", "--locked", "-p", "user-tier", "-p", "admin-tier", "--edges", "normal,no-proc-macro"];
    let form = ["--target", &target, "--prefix", "depth", "--format", "{p}|{l}"];
    let output = cargo(&[&arguments[..], &form[..]].concat()).output().context("cargo tree cannot be run")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let packages = tree::read(&String::from_utf8(output.stdout)?, package)?;
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    Ok(serde_json::to_string_pretty(&list(&packages, &lock::checksums(&lock), identity))? + "\n")
}

/// The first package is the binary, the others are its components.
fn list(packages: &[Package], checksums: &lock::Checksums, identity: &Identity) -> Value {
    let components: Vec<Value> = packages.iter().map(|package| component(package, checksums)).collect();
    let (binary, libraries) =
        components.split_first().map_or((Value::Null, &[][..]), |(binary, rest)| (binary.clone(), rest));
    let dependencies: Vec<Value> = packages
        .iter()
        .map(|package| {
            let needs: Vec<String> = package.needs.iter().map(|at| packages[*at].url()).collect();
            json!({ "ref": package.url(), "dependsOn": needs })
        })
        .collect();
    let mut metadata = json!({
        "component": binary,
        "tools": { "components": [{ "type": "application", "name": "cargo xtask image", "version": identity.version }] },
        "properties": [{ "name": "git:revision", "value": identity.revision }],
    });
    metadata["component"]["type"] = json!("application");
    if !identity.created.is_empty() {
        metadata["timestamp"] = json!(identity.created);
    }
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": metadata,
        "components": libraries,
        "dependencies": dependencies,
    })
}

fn component(package: &Package, checksums: &lock::Checksums) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": package.url(),
        "name": package.name,
        "version": package.version,
        "purl": package.url(),
    });
    if let Some(license) = &package.license {
        component["licenses"] = json!([{ "expression": license }]);
    }
    if let Some(checksum) = checksums.get(&(package.name.clone(), package.version.clone())) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

#[cfg(test)]
mod tests;
