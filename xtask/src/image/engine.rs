//! Docker, podman or buildah: the first that works. All three read the same Dockerfiles.

use std::process::{Command, Stdio};

use anyhow::bail;
use clap::ValueEnum;

use super::Tier;
use super::identity::Identity;
use crate::steps::{root, step};

/// A program that builds images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    Docker,
    Podman,
    Buildah,
}

/// One image to build.
#[derive(Debug)]
pub(crate) struct Build<'a> {
    pub(crate) tier: Tier,
    /// All names that it gets.
    pub(crate) names: &'a [String],
    pub(crate) identity: &'a Identity,
    /// Further arguments of the engine's `build`.
    pub(crate) arguments: &'a [String],
}

/// The requested engine, or else the first that works.
///
/// # Errors
/// It does not work, or none does; the message contains the output of each.
pub(crate) fn find(asked_for: Option<Engine>) -> anyhow::Result<Engine> {
    let mut reasons = String::new();
    for engine in Engine::value_variants().iter().copied().filter(|engine| asked_for.is_none_or(|name| name == *engine))
    {
        match engine.works() {
            Ok(()) => return Ok(engine),
            Err(why) => reasons.push_str(&format!("\n  {}: {why}", engine.program())),
        }
    }
    bail!("no engine for building images works; install one of these:{reasons}")
}

impl Engine {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
        }
    }

    /// A command of it, in the root of the repository.
    pub(crate) fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.args(arguments).current_dir(root());
        command
    }

    /// A client may be installed without a running server; `info` needs both.
    fn works(self) -> Result<(), String> {
        let output = self.command(&["info"]).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("fails without a message").trim().to_owned())
    }

    /// Builds an image under all its names.
    ///
    /// # Errors
    /// The build fails; its output has been shown.
    pub(crate) fn build(self, build: &Build<'_>) -> anyhow::Result<()> {
        step(&format!("build {}", build.tier.image), &mut self.build_command(build))
    }

    fn build_command(self, build: &Build<'_>) -> Command {
        let mut command = self.command(&["build", "--file", build.tier.dockerfile]);
        if self != Self::Docker {
            // Docker caches layers by default; these two need a flag.
            command.arg("--layers");
        }
        let Identity { version, revision, created } = build.identity;
        for (name, value) in [("VERSION", version), ("REVISION", revision), ("CREATED", created)] {
            if !value.is_empty() {
                command.arg("--build-arg").arg(format!("{name}={value}"));
            }
        }
        build.names.iter().for_each(|name| {
            command.args(["--tag", name]);
        });
        command.args(build.arguments).arg(".");
        // Our own folder is for the tags only.
        command.stdout(std::io::stderr());
        command
    }

    /// Pushes an image to the registry in its name.
    ///
    /// # Errors
    /// The push fails.
    pub(crate) fn push(self, name: &str) -> anyhow::Result<()> {
        step("push", &mut self.command(&["push", name]))
    }

    /// A label of a local image; `None` if there is no such image or no such label.
    pub(crate) fn label(self, image: &str, label: &str) -> Option<String> {
        let format = match self {
            Self::Docker | Self::Podman => format!("{{{{index .Config.Labels {label:?}}}}}"),
            Self::Buildah => format!("{{{{index .OCIv1.Config.Labels {label:?}}}}}"),
        };
        let output = self.command(&["inspect", "--type", "image", "--format", &format, image]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_passes_the_identity_and_further_arguments() {
        let identity = Identity::given("1.2.3", "0123456789ab", "");
        let names = ["a:1".to_owned(), "b/a:1".to_owned()];
        let rest = ["--volume".to_owned(), "/x:/y".to_owned()];
        let build = Build { tier: super::super::TIERS[0], names: &names, identity: &identity, arguments: &rest };
        let arguments = |engine: Engine| {
            let command = engine.build_command(&build);
            command.get_args().map(|word| word.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        let common =
            "--build-arg VERSION=1.2.3 --build-arg REVISION=0123456789ab --tag a:1 --tag b/a:1 --volume /x:/y .";
        assert_eq!(arguments(Engine::Docker), format!("build --file Dockerfile.user {common}"));
        assert_eq!(arguments(Engine::Buildah), format!("build --file Dockerfile.user --layers {common}"));
    }
}
