//! The identity of a build: the workspace's version, and the commit.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::kustomization;

/// Appended to the revision if files differ from the commit.
const DIRTY: &str = "-dirty";
/// The revision without git, as in an unpacked archive.
const UNKNOWN: &str = "unknown";

/// Version, revision and time of a build.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The workspace's, without a `v`.
    pub(crate) version: String,
    /// Twelve hexadecimal digits, with `-dirty` appended if the tree is; `unknown` without git.
    pub(crate) revision: String,
    /// Time of the commit, RFC 3339: the same for every build of it. Empty without git.
    pub(crate) created: String,
}

impl Identity {
    /// Reads `Cargo.toml` and asks git.
    ///
    /// # Errors
    /// `Cargo.toml` cannot be read or has no version.
    pub(crate) fn of(root: &Path) -> anyhow::Result<Self> {
        let version = version(root)?;
        let Some(commit) = git(root, &["rev-parse", "--short=12", "HEAD"]) else {
            return Ok(Self { version, revision: UNKNOWN.to_owned(), created: String::new() });
        };
        let dirty = if changes(root).is_empty() { "" } else { DIRTY };
        let created = git(root, &["show", "--no-patch", "--format=%cI", "HEAD"]).unwrap_or_default();
        Ok(Self { version, revision: format!("{commit}{dirty}"), created })
    }

    /// Whether a commit describes the whole tree.
    pub(crate) fn is_clean(&self) -> bool {
        self.revision != UNKNOWN && !self.revision.ends_with(DIRTY)
    }

    /// The tag of an image: the version for a release, else the version and the revision.
    pub(crate) fn tag(&self, release: bool) -> String {
        if release { self.version.clone() } else { format!("{}-{}", self.version, self.revision) }
    }

    #[cfg(test)]
    pub(crate) fn given(version: &str, revision: &str, created: &str) -> Self {
        Self { version: version.to_owned(), revision: revision.to_owned(), created: created.to_owned() }
    }
}

/// The version, from `workspace.package.version`.
///
/// # Errors
/// There is no such file, or no version in it.
pub(crate) fn version(root: &Path) -> anyhow::Result<String> {
    let file = root.join("Cargo.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let section =
        text.split("[workspace.package]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let line = section.lines().find_map(|line| line.strip_prefix("version = "));
    line.map(|value| value.trim_matches('"').to_owned()).context("Cargo.toml has no workspace.package.version")
}

/// Files that git reports as changed or new, one a line. The file that `cargo xtask image --registry` writes does not count: it is
/// no part of an image.
pub(crate) fn changes(root: &Path) -> String {
    let but = format!(":(exclude){}", kustomization::FILE);
    git(root, &["status", "--porcelain", "--", ".", &but]).unwrap_or_default()
}

/// The output of git, trimmed; `None` if it fails or prints nothing.
pub(crate) fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(root).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::tests::Repository;

    #[test]
    fn a_clean_tree_is_named_by_its_commit_and_a_changed_one_is_dirty() {
        let repository = Repository::ready();
        let clean = Identity::of(repository.path()).unwrap();
        assert_eq!(clean.revision.len(), 12);
        assert!(clean.is_clean() && clean.created.contains('T'), "{clean:?}");
        assert_eq!(clean.tag(true), "1.2.3");
        assert_eq!(clean.tag(false), format!("1.2.3-{}", clean.revision));

        repository.write(kustomization::FILE, "images: []\n");
        assert!(Identity::of(repository.path()).unwrap().is_clean(), "where images went is not what they are made of");

        repository.write("new.rs", "");
        let dirty = Identity::of(repository.path()).unwrap();
        assert_eq!(dirty.revision, format!("{}-dirty", clean.revision));
        assert!(!dirty.is_clean());
    }

    #[test]
    fn without_git_the_revision_is_unknown_and_the_tree_is_not_clean() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[workspace.package]\nversion = \"1.2.3\"\n").unwrap();
        let identity = Identity::of(folder.path()).unwrap();
        assert_eq!((identity.tag(false).as_str(), identity.is_clean()), ("1.2.3-unknown", false));
    }
}
