//! The images of the production overlay: a component of its own, written by `cargo xtask image --registry`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::TIERS;

/// The component, from the root of the repository.
pub(crate) const FILE: &str = "kubernetes/overlays/production/images/kustomization.yaml";

const HEAD: &str = "\
# Written by `cargo xtask image --registry …`.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
";

/// Makes the overlay use both images from a registry, by this tag.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(root: &Path, registry: &str, tag: &str) -> anyhow::Result<()> {
    let file = root.join(FILE);
    let folder = file.parent().context("no folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, text(registry, tag)))
        .with_context(|| format!("{} cannot be written", file.display()))
}

/// The component's text. The tag is quoted: `1.0` would be a number otherwise.
pub(crate) fn text(registry: &str, tag: &str) -> String {
    let image = |name: &str| format!("  - name: {name}\n    newName: {registry}/{name}\n    newTag: \"{tag}\"\n");
    TIERS.iter().fold(HEAD.to_owned(), |text, tier| text + &image(tier.image))
}

/// The tag of each image that a kustomization names, by the image's name; reads hand-written files as well.
pub(crate) fn tags(text: &str) -> Vec<(String, String)> {
    let mut name = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim_start_matches(['-', ' ']);
        let value = |key: &str| line.strip_prefix(key).map(|value| value.trim().trim_matches(['"', '\'']).to_owned());
        if let Some(value) = value("name:") {
            name = value;
        } else if let Some(tag) = value("newTag:") {
            found.push((name.clone(), tag));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_file_is_read_back() {
        let text = text("host:5000/team", "1.2.3");
        assert!(text.contains("newName: host:5000/team/sample-app-admin\n"), "{text}");
        let expected = ["sample-app-user", "sample-app-admin"].map(|name| (name.to_owned(), "1.2.3".to_owned()));
        assert_eq!(tags(&text), expected);
    }

    #[test]
    fn tags_are_read_in_any_order() {
        let text = "images:\n- newName: x/a\n  name: a\n  newTag: '1'\n- name: b\n  newTag: 2\n";
        assert_eq!(tags(text), [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    }
}
