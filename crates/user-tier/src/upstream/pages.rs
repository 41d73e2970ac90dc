//! The script in pages of the app: the place where requests and answers pass it.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use upstream::AnswerBody;

/// Puts the script into pages of the app.
#[derive(Clone, Debug)]
pub(super) struct PageScripts {
    /// The URL of the script; `None`: pages stay as they are.
    #[expect(dead_code, reason = "the rewriting of pages is built beside this")]
    src: Option<String>,
}

impl PageScripts {
    pub(super) const fn new(src: Option<String>) -> Self {
        Self { src }
    }

    /// Prepares a request whose answer may be a page.
    #[expect(clippy::unused_self, reason = "the rewriting of pages is built beside this")]
    pub(super) fn on_request(&self, _head: &mut Parts) {}

    /// Puts the script into an answer that is a page.
    #[expect(clippy::unused_self, reason = "the rewriting of pages is built beside this")]
    pub(super) fn on_response(&self, answer: Response<AnswerBody>) -> Response {
        answer.map(Body::new)
    }
}
