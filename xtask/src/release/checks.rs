//! The checks before a release. Each reports every fault that it finds.

use std::fs;
use std::path::{Path, PathBuf};

use super::changelog;
use crate::image::{TIERS, identity, kustomization};
use identity::git;

const VERSION: &str = "org.opencontainers.image.version";
const REVISION: &str = "org.opencontainers.image.revision";
/// The kustomizations that name the images' tags.
const OVERLAYS: [&str; 2] = ["kubernetes/overlays/minikube/kustomization.yaml", kustomization::FILE];

/// Returns a local image's label, by image and label.
pub(super) type Label<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// All faults, one line each.
pub(super) fn all(root: &Path, version: &str, label: Label<'_>) -> Vec<String> {
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).unwrap_or_default();
    [
        changelog::faults(&changelog, version),
        tree(root),
        tag(root, version),
        manifests(root, version),
        images(root, version, label),
    ]
    .concat()
}

/// The remote that main follows.
pub(super) fn remote(root: &Path) -> String {
    git(root, &["config", "branch.main.remote"]).unwrap_or_else(|| "origin".to_owned())
}

/// The tree is committed, on main, and equal to the remote's main. Asks the remote, because the last fetch may be old.
fn tree(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    // The build of the images writes this file, which is committed after the tag.
    let changes = identity::changes(root);
    if !changes.is_empty() {
        faults.push(format!("not committed: {}", changes.lines().map(str::trim).collect::<Vec<_>>().join(", ")));
    }
    let branch = git(root, &["branch", "--show-current"]).unwrap_or_else(|| "no branch".to_owned());
    if branch != "main" {
        faults.push(format!("releases are made from main, this is {branch}"));
    }
    let remote = remote(root);
    let theirs = git(root, &["ls-remote", &remote, "refs/heads/main"]);
    let theirs = theirs.as_deref().and_then(|line| line.split_whitespace().next());
    match (theirs, git(root, &["rev-parse", "HEAD"])) {
        (None, _) => faults.push(format!("{remote} cannot be asked, or has no main")),
        (Some(theirs), Some(ours)) if theirs != ours => {
            faults.push(format!("main of {remote} is at {theirs:.12}, this is {ours:.12}: pull or push"));
        }
        _ => {}
    }
    faults
}

fn tag(root: &Path, version: &str) -> Vec<String> {
    let name = format!("refs/tags/v{version}");
    let remote = remote(root);
    let here = git(root, &["show-ref", &name]).map(|_| format!("the tag v{version} is taken"));
    let there = git(root, &["ls-remote", &remote, &name]).map(|_| format!("the tag v{version} is taken on {remote}"));
    here.into_iter().chain(there).collect()
}

/// All image tags in the manifests are the version.
fn manifests(root: &Path, version: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for file in OVERLAYS {
        let Ok(text) = fs::read_to_string(root.join(file)) else {
            faults.push(format!("{file} cannot be read"));
            continue;
        };
        let tags = kustomization::tags(&text);
        for tier in TIERS {
            match tags.iter().find(|(name, _)| name == tier.image) {
                None => faults.push(format!("{file} names no tag of {}", tier.image)),
                Some((_, tag)) if tag != version => faults.push(format!("{file} names {}:{tag}", tier.image)),
                Some(_) => {}
            }
        }
    }
    for file in rendered(root) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let images = text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image:"));
        let ours = images.map(|image| image.trim().trim_matches('"')).filter(|image| image.contains("sample-app-"));
        let wrong = ours.filter(|image| image.rsplit_once(':').is_none_or(|(_, tag)| tag != version));
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        faults.extend(wrong.map(|image| format!("kubernetes/{name} names {image}: cargo xtask manifests")));
    }
    faults
}

/// The file that `kubectl apply -f kubernetes/` applies.
fn rendered(root: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(root.join("kubernetes")).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")).collect()
}

/// Both images exist, with this version and this commit.
fn images(root: &Path, version: &str, label: Label<'_>) -> Vec<String> {
    let commit = git(root, &["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    let mut faults = Vec::new();
    for tier in TIERS {
        let image = format!("{}:{version}", tier.image);
        if label(&image, VERSION).is_none() {
            faults.push(format!("there is no image {image}: cargo xtask image --release"));
            continue;
        }
        for (name, expected) in [(VERSION, version), (REVISION, commit.as_str())] {
            let found = label(&image, name).unwrap_or_default();
            if found != expected {
                faults.push(format!("{image} says {name}={found}, this is {expected}: cargo xtask image --release"));
            }
        }
    }
    faults
}
