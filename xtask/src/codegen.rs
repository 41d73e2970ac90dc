//! `cargo xtask codegen`: the test that compares the generated code writes it instead.

use crate::steps::{cargo, step};

pub(crate) fn run() -> anyhow::Result<()> {
    let mut command = cargo(&["test", "--quiet", "--package", "session-wire", "--test", "generated"]);
    step("proto/ to code", command.env("LASTCALL_CODEGEN", "write"))
}
