//! The style sheet, scripts and icon of the pages.

use std::sync::LazyLock;

use axum::Router;
use cli::assets::{Assets, File, PICTURE, SCRIPT, STYLE};

const FILES: [File; 11] = [
    ("style.css", STYLE, include_str!("../assets/style.css")),
    ("page.js", SCRIPT, include_str!("../assets/page.js")),
    ("live.js", SCRIPT, include_str!("../assets/live.js")),
    ("hold.js", SCRIPT, include_str!("../assets/hold.js")),
    ("stored.js", SCRIPT, include_str!("../assets/stored.js")),
    ("swap.js", SCRIPT, include_str!("../assets/swap.js")),
    ("times.js", SCRIPT, include_str!("../assets/times.js")),
    ("zone.js", SCRIPT, include_str!("../assets/zone.js")),
    ("sign-in.js", SCRIPT, include_str!("../assets/sign-in.js")),
    ("keys.js", SCRIPT, include_str!("../assets/keys.js")),
    ("icon.svg", PICTURE, include_str!("../assets/icon.svg")),
];

static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets::new(&FILES));

/// Returns the URL of a file.
pub(crate) fn url(name: &str) -> String {
    ASSETS.url(name)
}

/// Returns the routes of the files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.router()
}
