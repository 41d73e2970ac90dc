//! Style sheet and scripts, in the binary, under URLs that change when any of them does.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [(&str, &str, &str); 10] = [
    ("style.css", "text/css; charset=utf-8", include_str!("../assets/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
    ("page.js", SCRIPT, include_str!("../assets/page.js")),
    ("banner.js", SCRIPT, include_str!("../assets/banner.js")),
    ("countdown.js", SCRIPT, include_str!("../assets/countdown.js")),
    ("notes.js", SCRIPT, include_str!("../assets/notes.js")),
    ("places.js", SCRIPT, include_str!("../assets/places.js")),
    ("stream.js", SCRIPT, include_str!("../assets/stream.js")),
    ("words.js", SCRIPT, include_str!("../assets/words.js")),
    ("again.js", SCRIPT, include_str!("../assets/again.js")),
];

/// One hash over all files: the same on every pod of this build, and scripts find each other under it.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    FILES.iter().for_each(|(_, _, content)| hasher.write(content.as_bytes()));
    format!("{:016x}", hasher.finish())
});

/// The URL of a file.
pub(crate) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *HASH)
}

/// Serves the files.
pub(crate) fn router() -> Router {
    Router::new().route("/assets/{hash}/{name}", get(file)).route("/favicon.ico", get(icon))
}

async fn file(Path((hash, name)): Path<(String, String)>) -> Response {
    find(&name, hash == *HASH)
}

async fn icon() -> Response {
    find("icon.svg", false)
}

/// A page of another release may ask during a rollout: it gets the file, but must not keep it.
fn find(name: &str, current: bool) -> Response {
    let Some((_, kind, content)) = FILES.iter().find(|(file, _, _)| *file == name) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_hash_may_be_kept_for_long() {
        let cache = |response: Response| response.headers()[CACHE_CONTROL].to_str().unwrap().to_owned();
        assert!(cache(find("page.js", true)).contains("immutable"));
        assert_eq!(cache(find("page.js", false)), "no-cache");
        assert_eq!(find("../main.rs", true).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn every_script_finds_the_scripts_it_imports() {
        for (name, kind, content) in FILES {
            for line in content.lines().filter(|line| kind == SCRIPT && line.contains(" from \"")) {
                let imported = line.split('"').nth(1).unwrap().trim_start_matches("./");
                assert!(FILES.iter().any(|(file, _, _)| *file == imported), "{name} imports {imported}");
            }
        }
    }
}
