//! What the tests need beyond the Rust toolchain: installed where that can be done, else named.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::steps::{cargo, step};

/// Installs cargo-nextest unless it is there.
pub(crate) fn ensure_nextest() -> anyhow::Result<()> {
    let there = cargo(&["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    step("installing cargo-nextest", &mut cargo(&["install", "cargo-nextest", "--locked"]))
}

/// Installs Chromium and its driver unless they are there.
pub(crate) fn ensure_browser() -> anyhow::Result<()> {
    if on_path("chromedriver") && (on_path("chromium") || on_path("google-chrome")) {
        return Ok(());
    }
    if !(on_path("apt-get") && nix::unistd::geteuid().is_root()) {
        bail!(
            "the browser tests need Chromium and ChromeDriver on PATH; install them \
             (Debian: apt-get install chromium chromium-driver; macOS: brew install --cask chromium chromedriver) \
             or leave these tests out with --quick"
        );
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    step("updating the list of packages", &mut apt(&["update", "-qq"]))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends", "chromium", "chromium-driver"];
    step("installing Chromium", &mut apt(&install))
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| is_file(&folder, program)))
}

fn is_file(folder: &Path, program: &str) -> bool {
    folder.join(program).is_file()
}
