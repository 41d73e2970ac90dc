use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{checks, tag};
use crate::image::identity::git;
use crate::image::kustomization;

/// A temporary repository with a remote, ready to release 1.2.3.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    pub(crate) fn ready() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        let images = kustomization::text("registry.example/team", "1.2.3");
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        // Without the machine's user name, hooks and signing key.
        for (name, value) in [
            ("user.name", "t"),
            ("user.email", "t@t"),
            ("core.hooksPath", "/"),
            ("commit.gpgSign", "false"),
            ("tag.gpgSign", "false"),
        ] {
            repository.git(&["config", name, value]);
        }
        repository.write("Cargo.toml", "[workspace]\n\n[workspace.package]\nversion = \"1.2.3\"\n");
        repository.write(".gitignore", "/remote\n");
        repository.write("CHANGELOG.md", "## 1.2.3 - 2026-01-31\n- x\n");
        repository.write(kustomization::FILE, &images);
        repository.write("kubernetes/overlays/minikube/kustomization.yaml", &images);
        repository.write("kubernetes/all.yaml", "      - image: sample-app-user:1.2.3\n        image: redis:8\n");
        repository.commit();
        repository.git(&["init", "--quiet", "--bare", "--initial-branch", "main", "remote"]);
        repository.git(&["remote", "add", "origin", "remote"]);
        repository.push();
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git").args(arguments).current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    fn push(&self) {
        self.git(&["push", "--quiet", "origin", "main"]);
    }

    fn faults(&self, label: checks::Label<'_>) -> Vec<String> {
        checks::all(self.path(), "1.2.3", label)
    }

    /// The faults if both images are right.
    fn faults_beside_images(&self) -> String {
        let commit = git(self.path(), &["rev-parse", "--short=12", "HEAD"]).unwrap();
        self.faults(&|_, label| Some(if label.ends_with("version") { "1.2.3" } else { &commit }.to_owned())).join("\n")
    }
}

#[test]
fn a_correct_tree_can_be_released_and_is_tagged_once() {
    let repository = Repository::ready();
    assert_eq!(repository.faults_beside_images(), "");
    tag(repository.path(), "1.2.3").unwrap();
    assert_eq!(git(repository.path(), &["cat-file", "-t", "v1.2.3"]).as_deref(), Some("tag"), "annotated");
    assert_eq!(repository.faults_beside_images(), "the tag v1.2.3 is taken");
}

#[test]
fn a_tag_that_only_the_remote_has_is_taken_too() {
    let repository = Repository::ready();
    repository.git(&["push", "--quiet", "origin", "HEAD:refs/tags/v1.2.3"]);
    assert_eq!(repository.faults_beside_images(), "the tag v1.2.3 is taken on origin");
}

#[test]
fn a_tree_that_differs_from_the_remote_main_is_reported_with_the_difference() {
    let repository = Repository::ready();
    repository.write("new.rs", "");
    // The build writes the images' names into a file: that must not require another build.
    repository.write(kustomization::FILE, &kustomization::text("other.example", "1.2.3"));
    assert_eq!(repository.faults_beside_images(), "not committed: ?? new.rs");
    repository.git(&["switch", "--quiet", "--create", "aside"]);
    repository.commit();
    let faults = repository.faults_beside_images();
    assert!(faults.contains("this is aside") && faults.contains("main of origin is at"), "{faults}");
    fs::remove_dir_all(repository.path().join("remote")).unwrap();
    assert!(repository.faults_beside_images().contains("origin cannot be asked"));
}

#[test]
fn manifests_of_another_version_are_reported_file_by_file() {
    let repository = Repository::ready();
    repository.write(kustomization::FILE, &kustomization::text("registry.example/team", "1.2.2"));
    repository.write("kubernetes/overlays/minikube/kustomization.yaml", "images: []\n");
    repository.write("kubernetes/all.yaml", "  image: sample-app-user:1.2.3\n  - image: sample-app-admin\n");
    repository.commit();
    repository.push();
    let faults = repository.faults_beside_images();
    for fault in [
        "kubernetes/overlays/production/images/kustomization.yaml names sample-app-user:1.2.2",
        "kubernetes/overlays/production/images/kustomization.yaml names sample-app-admin:1.2.2",
        "kubernetes/overlays/minikube/kustomization.yaml names no tag of sample-app-user",
        "kubernetes/all.yaml names sample-app-admin: cargo xtask manifests",
    ] {
        assert!(faults.contains(fault), "{fault} in:\n{faults}");
    }
    assert_eq!(faults.lines().count(), 5, "{faults}");
}

#[test]
fn missing_images_and_images_of_another_commit_are_reported() {
    let repository = Repository::ready();
    let none = repository.faults(&|_, _| None).join("\n");
    assert!(
        none.contains("no image sample-app-user:1.2.3") && none.contains("no image sample-app-admin:1.2.3"),
        "{none}"
    );
    let old = repository
        .faults(&|_, label| Some(if label.ends_with("version") { "1.2.3" } else { "0123456789ab" }.to_owned()));
    assert_eq!(old.len(), 2, "{old:?}");
    assert!(old.iter().all(|fault| fault.contains("revision=0123456789ab")), "{old:?}");
}
