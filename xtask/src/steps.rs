//! Runs a command as a step: announced, with its output shown, and named if it fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A `cargo` command of the toolchain that runs xtask, in the root of the repository.
///
/// It does not inherit the variables of `cargo run` about xtask's own package: build scripts that read them would run again each
/// time that `cargo xtask test` follows a plain `cargo test`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a step to its end.
///
/// # Errors
/// The command cannot be run, or fails.
pub(crate) fn step(name: &str, command: &mut Command) -> anyhow::Result<()> {
    announce(&format!("{name}: {}", shown(command)));
    let status = command.status().with_context(|| format!("{name}: {} cannot be run", program(command)))?;
    if !status.success() {
        bail!("{name} failed ({status}); its output is above");
    }
    Ok(())
}

/// Announces a step on stderr, as cargo does, so that the order is kept when output goes to a file.
pub(crate) fn announce(text: &str) {
    eprintln!("\n==> {text}");
}

/// The command as it would be typed, without the folder of its program.
fn shown(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program(command)).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn program(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}
