//! Style sheets and scripts, in the binary, under URLs that change when any of them does.

use std::hash::{DefaultHasher, Hasher as _};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};

/// A file: its name, its media type, its content.
pub type File = (&'static str, &'static str, &'static str);

/// The media type of a style sheet.
pub const STYLE: &str = "text/css; charset=utf-8";
/// The media type of a script.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";
/// The media type of a picture in SVG.
pub const PICTURE: &str = "image/svg+xml";

/// The files of one binary.
#[derive(Debug)]
pub struct Assets {
    files: &'static [File],
    /// One hash over all files: the same on every pod of a build, and scripts find each other under it.
    hash: String,
}

impl Assets {
    /// Takes the files.
    pub fn new(files: &'static [File]) -> Self {
        let mut hasher = DefaultHasher::new();
        files.iter().for_each(|(_, _, content)| hasher.write(content.as_bytes()));
        Self { files, hash: format!("{:016x}", hasher.finish()) }
    }

    /// The URL of a file.
    pub fn url(&self, name: &str) -> String {
        format!("/assets/{}/{name}", self.hash)
    }

    /// Serves the files under their URLs, and `icon.svg` as `/favicon.ico` as well.
    pub fn router<S: Clone + Send + Sync + 'static>(&'static self) -> Router<S> {
        let file = move |Path((hash, name)): Path<(String, String)>| async move { self.find(&name, hash == self.hash) };
        Router::new()
            .route("/assets/{hash}/{name}", get(file))
            .route("/favicon.ico", get(move || async { self.find("icon.svg", false) }))
    }

    /// A page of another release may ask during a rollout: it gets the file, but must not keep it.
    fn find(&self, name: &str, current: bool) -> Response {
        let Some((_, kind, content)) = self.files.iter().find(|(file, _, _)| *file == name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let cache = if current { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            (CACHE_CONTROL, HeaderValue::from_static(cache)),
            (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
        ];
        (headers, *content).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_hash_may_be_kept_for_long() {
        let assets = Assets::new(&[("page.js", SCRIPT, "import './x.js'")]);
        let cache = |response: Response| response.headers()[CACHE_CONTROL].to_str().unwrap().to_owned();
        assert!(cache(assets.find("page.js", true)).contains("immutable"));
        assert_eq!(cache(assets.find("page.js", false)), "no-cache");
        assert_eq!(assets.find("../main.rs", true).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn another_content_is_another_url() {
        let (one, two) = (Assets::new(&[("a.js", SCRIPT, "1")]), Assets::new(&[("a.js", SCRIPT, "2")]));
        assert_ne!(one.url("a.js"), two.url("a.js"));
    }
}
