//! What the tests of the manifests need: `kubectl`, which is named where it is missing, for Debian's is years old; and
//! `kubernetes-validate`, which is installed into `target/tools`, where nothing of the system changes.

use std::process::{Command, Stdio};

use anyhow::bail;

use crate::steps::{root, step};

/// Names what is missing, or installs it.
///
/// # Errors
/// `kubectl` is missing, or the other cannot be installed.
pub(crate) fn ensure() -> anyhow::Result<()> {
    if !runs("kubectl", &["version", "--client"]) {
        bail!(
            "not on PATH: kubectl, 1.32 or newer\n\
             tests render and apply the manifests with it; install it (https://kubernetes.io/docs/tasks/tools),\n\
             or leave these tests out: cargo xtask test --quick"
        );
    }
    let tools = root().join("target/tools");
    let there = tools.join("bin/kubernetes-validate");
    if there.is_file() || runs("kubernetes-validate", &["--version"]) {
        return Ok(());
    }
    let pip = tools.join("bin/pip");
    if !pip.is_file() {
        step(
            "make a place for tools (Debian: python3-venv)",
            Command::new("python3").args(["-m", "venv"]).arg(&tools),
        )?;
    }
    step("install what checks manifests", Command::new(pip).args(["install", "--quiet", "kubernetes-validate"]))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
