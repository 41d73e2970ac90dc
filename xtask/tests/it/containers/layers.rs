//! Which changes rebuild the layer of dependencies.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::container::Rootfs;
use super::images::{Images, said};

/// A copy of the build context.
fn copy(images: &Images) -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    let mut copy = Command::new("cp");
    copy.args(["-r", "--parents", "Cargo.toml", "Cargo.lock", "crates", "xtask/Cargo.toml", "xtask/src/main.rs"]);
    copy.args(["Dockerfile.user", ".dockerignore"]).arg(tree.path());
    said(copy.current_dir(images.root()));
    tree
}

/// Everything in the tree that dependencies are built from, with its time: both decide whether a layer is used again.
fn skeleton(images: &Images, tree: &Path) -> String {
    let name = "localhost/skeleton";
    images.build_stage("skeleton", tree, name);
    let rootfs = Rootfs::of(images, name);
    let mut list = Command::new("find");
    list.args([".", "-printf", "%p %s %T@ %m\\n", "-type", "f", "-exec", "sha256sum", "{}", ";"]);
    let listed = said(list.current_dir(rootfs.path().join("src")));
    let mut lines: Vec<&str> = listed.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn dependencies_are_rebuilt_when_they_change_and_not_when_sources_do() {
    let images = Images::built();
    let tree = copy(&images);
    let change = |file: &str, text: &str| {
        let file = tree.path().join(file);
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + text).unwrap();
    };
    let before = skeleton(&images, tree.path());
    assert!(before.contains("./crates/lastcall/src/lib.rs 0 "), "an empty crate:\n{before}");

    change("crates/lastcall/src/lib.rs", "// changed\n");
    change("crates/user-tier/src/main.rs", "// changed\n");
    change("crates/lastcall/src/new.rs", "// new\n");
    change("crates/lastcall/assets/new.css", "new");
    assert_eq!(skeleton(&images, tree.path()), before);

    change("Cargo.lock", "# changed\n");
    assert_ne!(skeleton(&images, tree.path()), before);
}
