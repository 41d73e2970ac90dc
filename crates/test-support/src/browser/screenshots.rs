//! Screenshots, kept in `target/screenshots` of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use super::Browser;

impl Browser {
    /// Saves a screenshot of the viewport. Replaces one with the same name.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, self.driver.screenshot_as_png().await.unwrap()).unwrap();
        file
    }
}
