//! `cargo xtask image`: builds images of both tiers with the first engine that works, and prints their names.
//!
//! `Dockerfile.user` and `Dockerfile.admin` define the content of the images.

pub(crate) mod engine;
pub(crate) mod identity;
pub(crate) mod kustomization;
mod load;
pub(crate) mod sbom;

use std::fs;

use anyhow::{Context as _, bail};

use crate::steps::{announce, root};
use engine::{Build, Engine};
use identity::Identity;

/// An image and the binary in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tier {
    /// The image's name, and its binary's package.
    pub(crate) image: &'static str,
    pub(crate) package: &'static str,
    pub(crate) dockerfile: &'static str,
}

/// The images in build order; the second reuses the build stages of the first.
pub(crate) const TIERS: [Tier; 2] = [
    Tier { image: "sample-app-user", package: "user-tier", dockerfile: "Dockerfile.user" },
    Tier { image: "sample-app-admin", package: "admin-tier", dockerfile: "Dockerfile.admin" },
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Refuses uncommitted changes, and writes the version alone into the manifests
    #[arg(long)]
    release: bool,
    /// Registry of the images, HOST/PATH: adds names with it, and makes the production overlay use them
    #[arg(long, value_name = "HOST/PATH")]
    registry: Option<String>,
    /// Pushes the images with the registry's name
    #[arg(long, requires = "registry")]
    push: bool,
    /// Loads the images into a cluster on this machine
    #[arg(long, value_name = "CLUSTER")]
    load: Option<load::Cluster>,
    /// The engine that builds [default: the first of docker, podman and buildah that works]
    #[arg(long)]
    engine: Option<Engine>,
    /// Base of the build, with cargo, a C compiler and CA certificates [default: the Dockerfile's]
    #[arg(long, value_name = "IMAGE")]
    builder_image: Option<String>,
    /// Base of the final image [default: the Dockerfile's, which is empty]
    #[arg(long, value_name = "IMAGE")]
    runtime_image: Option<String>,
    /// Cargo's profile; `image-quick` builds faster, for trying out
    #[arg(long, default_value = "release")]
    profile: String,
    /// Passed on to the engine's `build`, after `--`
    #[arg(last = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

/// Builds and tags the images, writes their bills of materials, and pushes or loads them if asked to.
///
/// # Errors
/// The tree is dirty and this is a release, no engine works, or a step fails.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let identity = Identity::of(&root())?;
    if arguments.release && !identity.is_clean() {
        bail!(
            "the tree is not what is committed (revision {}), and a release must be: commit, or leave --release away",
            identity.revision
        );
    }
    let engine = engine::find(arguments.engine)?;
    let folder = root().join("target/images");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut tags = Vec::new();
    for tier in TIERS {
        let names = names(tier.image, arguments.registry.as_deref(), &identity);
        engine.build(&Build { tier, names: &names, identity: &identity, arguments: &asked_for(arguments) })?;
        let list = folder.join(format!("{}.cdx.json", tier.image));
        fs::write(&list, sbom::of(tier.package, &identity)?)
            .with_context(|| format!("{} cannot be written", list.display()))?;
        tags.extend(names);
    }
    if let Some(registry) = &arguments.registry {
        if arguments.push {
            let there = tags.iter().filter(|tag| tag.starts_with(&format!("{registry}/")));
            there.into_iter().try_for_each(|tag| engine.push(tag))?;
        }
        kustomization::write(&root(), registry, &identity.tag(arguments.release))?;
        announce(&format!("{} names them now", kustomization::FILE));
    }
    if let Some(cluster) = arguments.load {
        TIERS.iter().try_for_each(|tier| load::load(engine, cluster, tier.image, &identity, &folder))?;
    }
    announce("built; what is inside each is listed in target/images/*.cdx.json");
    tags.iter().for_each(|tag| println!("{tag}"));
    Ok(())
}

/// All names of an image: by version, and by version and revision; the same with the registry, if there is one.
fn names(image: &str, registry: Option<&str>, identity: &Identity) -> Vec<String> {
    let prefixes = [Some(String::new()), registry.map(|registry| format!("{registry}/"))];
    let tags = [identity.tag(true), identity.tag(false)];
    prefixes.iter().flatten().flat_map(|prefix| tags.iter().map(move |tag| format!("{prefix}{image}:{tag}"))).collect()
}

/// The engine's arguments that come from ours.
fn asked_for(arguments: &Arguments) -> Vec<String> {
    let bases = [("BUILDER_IMAGE", &arguments.builder_image), ("RUNTIME_IMAGE", &arguments.runtime_image)];
    let bases = bases.into_iter().filter_map(|(name, image)| Some(format!("{name}={}", image.as_ref()?)));
    let built = bases.chain([format!("PROFILE={}", arguments.profile)]);
    built.flat_map(|value| ["--build-arg".to_owned(), value]).chain(arguments.rest.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_version_and_by_revision_here_and_in_the_registry() {
        let identity = Identity::given("1.2.3", "0123456789ab", "2026-01-01T00:00:00Z");
        assert_eq!(
            names("sample-app-user", Some("host:5000/team"), &identity),
            [
                "sample-app-user:1.2.3",
                "sample-app-user:1.2.3-0123456789ab",
                "host:5000/team/sample-app-user:1.2.3",
                "host:5000/team/sample-app-user:1.2.3-0123456789ab",
            ]
        );
        assert_eq!(names("a", None, &identity), ["a:1.2.3", "a:1.2.3-0123456789ab"]);
    }
}
