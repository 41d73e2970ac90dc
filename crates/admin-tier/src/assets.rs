//! The style sheet and the script of the operators' pages.

use std::sync::LazyLock;

use axum::Router;
use launch::assets::{Assets, File, PICTURE, SCRIPT, STYLE};

const FILES: [File; 3] = [
    ("style.css", STYLE, include_str!("../assets/style.css")),
    ("renew.js", SCRIPT, include_str!("../assets/renew.js")),
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
