//! `cargo xtask codegen`: the test that compares the generated code with `proto/` writes it instead.

use crate::steps::{cargo, step};

/// Renews the checked-in code.
///
/// # Errors
/// The files in `proto/` do not compile.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut command = cargo(&["test", "-p", "session-wire", "--test", "generated"]);
    step("code from proto/", command.env("LASTCALL_CODEGEN", "write"))
}
