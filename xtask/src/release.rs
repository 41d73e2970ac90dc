//! `cargo xtask release`: reports everything that prevents a release of this tree, or else creates the tag.
//!
//! Never pushes: a published tag cannot be withdrawn.

mod changelog;
mod checks;

use std::path::Path;

use anyhow::bail;

use crate::image::{engine, identity};
use crate::steps::{announce, root};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Checks and reports what is wrong; creates no tag
    #[arg(long)]
    dry_run: bool,
    /// Where the images were built [default: the first of docker, podman and buildah that works]
    #[arg(long)]
    engine: Option<engine::Engine>,
}

/// Checks all, then tags `vX.Y.Z`.
///
/// # Errors
/// Something is wrong, all of it in one message; or git does not create the tag.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let engine = engine::find(arguments.engine);
    let label = |image: &str, label: &str| engine.as_ref().ok().and_then(|engine| engine.label(image, label));
    let version = identity::version(&root())?;
    let mut faults = checks::all(&root(), &version, &label);
    if let Err(error) = &engine {
        faults.push(error.to_string());
    }
    if !faults.is_empty() {
        bail!("{version} cannot be released:\n- {}", faults.join("\n- "));
    }
    if arguments.dry_run {
        announce(&format!("{version} can be released: the same without --dry-run creates the tag v{version}"));
        return Ok(());
    }
    tag(&root(), &version)?;
    announce(&format!("tagged; publish it with: git push {} v{version}", checks::remote(&root())));
    Ok(())
}

fn tag(root: &Path, version: &str) -> anyhow::Result<()> {
    let name = format!("v{version}");
    let message = format!("Lastcall {version}");
    let git = std::process::Command::new("git")
        .args(["tag", "--annotate", "--message", &message, &name])
        .current_dir(root)
        .status()?;
    if !git.success() {
        bail!("git did not create the tag {name}; its output is above");
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
