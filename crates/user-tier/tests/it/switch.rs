//! The maintenance switch of a test's pods: a file, replaced by another file as a mounted ConfigMap is.

use tempfile::TempDir;

pub(crate) struct Switch {
    folder: TempDir,
    path: String,
}

impl Switch {
    pub(crate) fn new(content: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("MAINTENANCE_MODE").to_str().unwrap().to_owned();
        let switch = Self { folder, path };
        switch.set(content);
        switch
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn set(&self, content: &str) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, content).unwrap();
        std::fs::rename(next, &self.path).unwrap();
    }

    /// The options of a pod that follows it.
    pub(crate) fn options(&self) -> [(&str, &str); 2] {
        [("MAINTENANCE_FILE", self.path()), ("MAINTENANCE_POLL", "100ms")]
    }
}
