//! The maintenance switch of the pods on this machine: a file that the panel writes and the pods read.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

/// The file, in a folder of its own that goes with it.
#[derive(Debug)]
pub(super) struct Switch {
    folder: PathBuf,
}

impl Switch {
    /// Puts it there, off.
    ///
    /// # Errors
    /// The folder for temporary files cannot be written.
    pub(super) fn new() -> anyhow::Result<Self> {
        let switch = Self { folder: std::env::temp_dir().join(format!("lastcall-dev-{}", std::process::id())) };
        fs::create_dir_all(&switch.folder)
            .and_then(|()| fs::write(switch.path(), "false\n"))
            .with_context(|| format!("the maintenance switch cannot be put into {}", switch.folder.display()))?;
        Ok(switch)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("MAINTENANCE_MODE")
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // What stays behind is a word in a folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
