//! Pictures of what a person sees, kept after the run: `target/screenshots` in the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use super::Browser;

impl Browser {
    /// Takes a picture of what is in sight and puts it where pictures go, over one of the same name.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, self.driver.screenshot_as_png().await.unwrap()).unwrap();
        file
    }
}
