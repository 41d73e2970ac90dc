//! The style sheet and the scripts of the operators' pages.

use std::sync::LazyLock;

use axum::Router;
use http_support::assets::{Assets, CSS, File, JAVASCRIPT, SVG};

const FILES: [File; 11] = [
    ("style.css", CSS, include_str!("../assets/style.css")),
    ("page.js", JAVASCRIPT, include_str!("../assets/page.js")),
    ("live.js", JAVASCRIPT, include_str!("../assets/live.js")),
    ("pending.js", JAVASCRIPT, include_str!("../assets/pending.js")),
    ("storage.js", JAVASCRIPT, include_str!("../assets/storage.js")),
    ("morph.js", JAVASCRIPT, include_str!("../assets/morph.js")),
    ("times.js", JAVASCRIPT, include_str!("../assets/times.js")),
    ("time_zone.js", JAVASCRIPT, include_str!("../assets/time_zone.js")),
    ("sign-in.js", JAVASCRIPT, include_str!("../assets/sign-in.js")),
    ("shortcuts.js", JAVASCRIPT, include_str!("../assets/shortcuts.js")),
    ("icon.svg", SVG, include_str!("../assets/icon.svg")),
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
