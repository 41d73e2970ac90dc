//! `cargo xtask pictures`: renews the pictures of README and docs in docs/images, by the browser tests that take them.

use std::fs;

use anyhow::Context as _;

use crate::steps::{announce, cargo, root, step};
use crate::tools;

/// The pictures in the README and the manual, without `.png`.
const SHOWN: [&str; 6] = ["banner", "banner-phone", "dashboard", "users-dark", "maintenance", "monitoring"];

/// Takes the pictures and copies them.
///
/// # Errors
/// A picture cannot be taken or copied.
pub(crate) fn run() -> anyhow::Result<()> {
    tools::ensure_nextest()?;
    tools::ensure_programs()?;
    step("binaries", &mut cargo(&["build", "--workspace", "--bins"]))?;
    step("pictures", &mut cargo(&["nextest", "run", "--workspace", "-E", "test(/pictures::|prometheus::drain::/)"]))?;
    for name in SHOWN {
        let from = root().join(format!("target/screenshots/{name}.png"));
        let to = root().join(format!("docs/images/{name}.png"));
        fs::copy(&from, &to).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    }
    announce("docs/images is new: look at the pictures before they are committed");
    Ok(())
}
