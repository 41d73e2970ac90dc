//! `cargo xtask codegen`: renews all generated files that are checked in. Tests compare each of them with its sources.

use crate::bundler;
use crate::steps::{cargo, step};

/// Renews the code from `proto/` and the bundle of the browser script.
///
/// # Errors
/// The files in `proto/` do not compile, or the script's modules cannot be bundled.
pub(crate) fn run() -> anyhow::Result<()> {
    // The test that compares the generated code with `proto/` writes it where this variable is set.
    let mut command = cargo(&["test", "-p", "session-wire", "--test", "generated"]);
    step("code from proto/", command.env("LASTCALL_CODEGEN", "write"))?;
    bundler::run()
}
