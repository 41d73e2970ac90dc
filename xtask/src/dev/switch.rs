//! The maintenance switch of the pods on this machine: a file that the panel writes and the pods read.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use tempfile::TempDir;

/// The file, in a temporary folder that is deleted with it.
#[derive(Debug)]
pub(super) struct Switch {
    folder: TempDir,
}

impl Switch {
    /// Creates it, with maintenance off.
    ///
    /// # Errors
    /// The folder for temporary files cannot be written.
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("lastcall-dev-").tempdir();
        let switch = Self { folder: folder.context("there is no folder for the maintenance switch")? };
        fs::write(switch.path(), "false\n").context("the maintenance switch cannot be written")?;
        Ok(switch)
    }

    /// Its path.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("MAINTENANCE_MODE")
    }
}
