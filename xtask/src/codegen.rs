//! `cargo xtask codegen`: renews all generated files that are checked in. Tests compare each of them with its sources.

use crate::bundler;
use crate::steps::{cargo, step};

/// Renews the code from `proto/`, the pages of options in `docs/`, and the bundle of the browser script.
///
/// # Errors
/// The files in `proto/` do not compile, or the script's modules cannot be bundled.
pub(crate) fn run() -> anyhow::Result<()> {
    // The tests that compare the generated files write them where this variable is set.
    let renew = |what, arguments: &[&str]| step(what, cargo(arguments).env("LASTCALL_CODEGEN", "write"));
    renew("code from proto/", &["test", "-p", "session-wire", "--test", "generated"])?;
    let pages = ["test", "-p", "user-tier", "-p", "admin-tier", "--lib", "the_page_of_options"];
    renew("pages of options from the help texts", &pages)?;
    bundler::run()
}
