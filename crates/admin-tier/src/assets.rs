//! The style sheet and the scripts of the operators' pages.

use std::sync::LazyLock;

use axum::Router;
use cli::assets::{Assets, File, PICTURE, SCRIPT, STYLE};

const FILES: [File; 11] = [
    ("style.css", STYLE, include_str!("../assets/style.css")),
    ("page.js", SCRIPT, include_str!("../assets/page.js")),
    ("live.js", SCRIPT, include_str!("../assets/live.js")),
    ("pending.js", SCRIPT, include_str!("../assets/pending.js")),
    ("storage.js", SCRIPT, include_str!("../assets/storage.js")),
    ("morph.js", SCRIPT, include_str!("../assets/morph.js")),
    ("times.js", SCRIPT, include_str!("../assets/times.js")),
    ("time_zone.js", SCRIPT, include_str!("../assets/time_zone.js")),
    ("sign-in.js", SCRIPT, include_str!("../assets/sign-in.js")),
    ("shortcuts.js", SCRIPT, include_str!("../assets/shortcuts.js")),
    ("icon.svg", PICTURE, include_str!("../assets/icon.svg")),
];

static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets::new(&FILES));

/// The URL of a file.
pub(crate) fn url(name: &str) -> String {
    ASSETS.url(name)
}

/// Serves the files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.router()
}
