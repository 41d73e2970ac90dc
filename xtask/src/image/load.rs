//! Loads images into a cluster on this machine, which has no registry to pull them from.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use clap::ValueEnum;

use super::engine::Engine;
use super::identity::Identity;
use crate::steps::step;

/// A local cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cluster {
    Minikube,
    Kind,
}

/// Loads an image by the tag of its version, which the minikube overlay names.
///
/// # Errors
/// The image cannot be exported, or the cluster does not accept it.
pub(crate) fn load(
    engine: Engine,
    cluster: Cluster,
    image: &str,
    identity: &Identity,
    folder: &Path,
) -> anyhow::Result<()> {
    let name = format!("{image}:{}", identity.tag(true));
    if engine == Engine::Docker {
        return step("load", &mut from_docker(cluster, &name));
    }
    let archive = folder.join(format!("{image}.tar"));
    // An existing archive would be extended or refused.
    fs::remove_file(&archive).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error).with_context(|| format!("{} cannot be removed", archive.display())),
    })?;
    step("pack", &mut pack(engine, &name, &archive))?;
    step("load", &mut from_archive(cluster, &archive))
}

/// These engines call a short name `localhost/…`, clusters read it as `docker.io/library/…`: the archive says the latter.
fn pack(engine: Engine, name: &str, archive: &Path) -> Command {
    let to = format!("docker-archive:{}:docker.io/library/{name}", archive.display());
    engine.command(&["push", &format!("localhost/{name}"), &to])
}

fn from_docker(cluster: Cluster, name: &str) -> Command {
    match cluster {
        Cluster::Minikube => command("minikube", &["image", "load", name]),
        Cluster::Kind => command("kind", &["load", "docker-image", name]),
    }
}

fn from_archive(cluster: Cluster, archive: &Path) -> Command {
    let archive = archive.to_string_lossy();
    match cluster {
        Cluster::Minikube => command("minikube", &["image", "load", &archive]),
        Cluster::Kind => command("kind", &["load", "image-archive", &archive]),
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> String {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_archive_names_the_image_as_the_cluster_does() {
        assert_eq!(
            words(&pack(Engine::Buildah, "a:1", Path::new("/x.tar"))),
            "buildah push localhost/a:1 docker-archive:/x.tar:docker.io/library/a:1"
        );
    }

    #[test]
    fn images_are_loaded_by_the_command_of_each_cluster() {
        assert_eq!(words(&from_docker(Cluster::Minikube, "a:1")), "minikube image load a:1");
        assert_eq!(words(&from_docker(Cluster::Kind, "a:1")), "kind load docker-image a:1");
        assert_eq!(words(&from_archive(Cluster::Kind, Path::new("/x.tar"))), "kind load image-archive /x.tar");
    }
}
