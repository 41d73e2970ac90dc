//! `cargo xtask codegen`: the test that compares the generated code with `proto/` writes it instead.

use crate::steps::{cargo, step};

/// Renews the checked-in code.
///
/// # Errors
/// The files in `proto/` do not compile.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut options = cargo(&["test", "-p", "user-tier", "-p", "admin-tier", "--lib", "the_page_of_options"]);
    step("pages of options from the help texts", options.env("LASTCALL_CODEGEN", "write"))?;
    let mut command = cargo(&["test", "-p", "session-wire", "--test", "generated"]);
    step("code from proto/", command.env("LASTCALL_CODEGEN", "write"))
}
