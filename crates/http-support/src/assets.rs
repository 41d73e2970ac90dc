//! Serving static files that are compiled into the binary: style sheets, scripts, images.
//!
//! Every file has an entity tag, so that a browser that has the file gets 304. A file is served in one of two ways:
//! - under a URL with a hash of the content ([`Assets`]), which browsers keep for a year;
//! - under a fixed path ([`at_fixed_path`]), where browsers ask each time whether their copy is current (`no-cache`).

use std::hash::{DefaultHasher, Hasher as _};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};

use crate::header_fields::members;

/// The media type of a style sheet.
pub const CSS: &str = "text/css; charset=utf-8";
/// The media type of a script.
pub const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The media type of an SVG image.
pub const SVG: &str = "image/svg+xml";

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";

/// A static file: its name, its media type, its content.
pub type File = (&'static str, &'static str, &'static str);

/// The static files of one binary, under URLs that change with their content.
#[derive(Debug)]
pub struct Assets {
    files: &'static [File],
    /// One hash over all files, so that scripts can import each other by relative URLs. It is the same on every pod of a build.
    hash: String,
}

impl Assets {
    /// Takes the files.
    pub fn new(files: &'static [File]) -> Self {
        Self { files, hash: hash(files.iter().map(|(_, _, content)| *content)) }
    }

    /// The URL of a file.
    pub fn url(&self, name: &str) -> String {
        format!("/assets/{}/{name}", self.hash)
    }

    /// Routes to the files, and to `icon.svg` as `/favicon.ico`.
    pub fn router<S: Clone + Send + Sync + 'static>(&'static self) -> Router<S> {
        let file = move |Path((hash, name)): Path<(String, String)>, headers: HeaderMap| async move {
            self.response(&name, hash == self.hash, &headers)
        };
        let icon = move |headers: HeaderMap| async move { self.response("icon.svg", false, &headers) };
        Router::new().route("/assets/{hash}/{name}", get(file)).route("/favicon.ico", get(icon))
    }

    /// During a rollout, a page of another release can ask for a file. It gets this release's file, but must not keep it.
    fn response(&self, name: &str, is_current: bool, request: &HeaderMap) -> Response {
        let Some(file) = self.files.iter().find(|(file, _, _)| *file == name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let cache_control = if is_current { IMMUTABLE } else { REVALIDATE };
        file_response(file, &entity_tag(file), cache_control, request)
    }
}

/// Serves a file under a path that does not change with its content.
pub fn at_fixed_path<S: Clone + Send + Sync + 'static>(file: File) -> MethodRouter<S> {
    let tag = entity_tag(&file);
    get(move |request: HeaderMap| {
        let response = file_response(&file, &tag, REVALIDATE, &request);
        async move { response }
    })
}

fn hash<'a>(contents: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = DefaultHasher::new();
    contents.for_each(|content| hasher.write(content.as_bytes()));
    format!("{:016x}", hasher.finish())
}

fn entity_tag((_, _, content): &File) -> String {
    format!("\"{}\"", hash(std::iter::once(*content)))
}

/// The file, or 304 if the request names its entity tag.
fn file_response(
    (_, media_type, content): &File,
    tag: &str,
    cache_control: &'static str,
    request: &HeaderMap,
) -> Response {
    // Entity tags are compared weakly (RFC 9110, 13.1.2).
    let is_tag = |known: &[u8]| known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes();
    let mut response = if members(request, IF_NONE_MATCH.as_str()).any(is_tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(*content))
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_fields::tests::headers;

    const SCRIPT: File = ("page.js", JAVASCRIPT, "import './x.js'");

    #[test]
    fn a_browser_that_has_the_file_gets_304_and_another_gets_the_file() {
        let tag = entity_tag(&SCRIPT);
        let ask =
            |known: &str| file_response(&SCRIPT, &tag, REVALIDATE, &headers(&[("if-none-match", known.as_bytes())]));
        for known in [&tag, &format!("W/{tag}"), &format!("\"other\", {tag}"), &format!("\"ü\", {tag}")] {
            assert_eq!(ask(known).status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let fresh = ask("\"other\"");
        assert_eq!(fresh.status(), StatusCode::OK);
        assert_eq!(fresh.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(fresh.headers()[ETAG], tag);
    }

    #[test]
    fn only_the_url_with_the_current_hash_is_immutable() {
        let assets = Assets::new(&[SCRIPT]);
        let cache_control = |is_current| {
            let response = assets.response("page.js", is_current, &HeaderMap::new());
            response.headers()[CACHE_CONTROL].clone()
        };
        assert_eq!(cache_control(true), IMMUTABLE);
        assert_eq!(cache_control(false), "no-cache");
        assert_eq!(assets.response("../main.rs", true, &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_url_changes_with_the_content() {
        let (one, two) = (Assets::new(&[("a.js", JAVASCRIPT, "1")]), Assets::new(&[("a.js", JAVASCRIPT, "2")]));
        assert_ne!(one.url("a.js"), two.url("a.js"));
    }
}
