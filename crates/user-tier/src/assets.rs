//! The style sheet and the scripts of the sample app.

use std::sync::LazyLock;

use axum::Router;
use http_support::assets::{Assets, CSS, File, JAVASCRIPT, SVG};

const FILES: [File; 16] = [
    ("style.css", CSS, include_str!("../assets/style.css")),
    ("icon.svg", SVG, include_str!("../assets/icon.svg")),
    ("page.js", JAVASCRIPT, include_str!("../assets/page.js")),
    ("chat.js", JAVASCRIPT, include_str!("../assets/chat.js")),
    ("local_notes.js", JAVASCRIPT, include_str!("../assets/local_notes.js")),
    ("merge.js", JAVASCRIPT, include_str!("../assets/merge.js")),
    ("notes_sync.js", JAVASCRIPT, include_str!("../assets/notes_sync.js")),
    ("notes.js", JAVASCRIPT, include_str!("../assets/notes.js")),
    ("work.js", JAVASCRIPT, include_str!("../assets/work.js")),
    ("upload.js", JAVASCRIPT, include_str!("../assets/upload.js")),
    ("export.js", JAVASCRIPT, include_str!("../assets/export.js")),
    ("last_session.js", JAVASCRIPT, include_str!("../assets/last_session.js")),
    ("words.js", JAVASCRIPT, include_str!("../assets/words.js")),
    ("goodbye.js", JAVASCRIPT, include_str!("../assets/goodbye.js")),
    ("retry.js", JAVASCRIPT, lastcall::WAITING_SCRIPT),
    ("reload.js", JAVASCRIPT, lastcall::RELOAD_SCRIPT),
];

static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets::new(&FILES));

/// The URL of a file.
pub(crate) fn url(name: &str) -> String {
    ASSETS.url(name)
}

/// Serves the files.
pub(crate) fn router() -> Router {
    ASSETS.router()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_finds_the_scripts_it_imports() {
        for (name, kind, content) in FILES {
            for line in content.lines().filter(|line| kind == JAVASCRIPT && line.contains(" from \"")) {
                let imported = line.split('"').nth(1).unwrap().trim_start_matches("./");
                assert!(FILES.iter().any(|(file, _, _)| *file == imported), "{name} imports {imported}");
            }
        }
    }
}
