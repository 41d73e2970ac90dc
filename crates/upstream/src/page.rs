//! Puts the script into pages of the app: a tag directly after the `<head>` start tag of HTML that a user opens. The body streams
//! through; nothing of it is changed but for the tag.
//!
//! A page is the answer to a navigation, of any status that a browser shows. Answers to `fetch`, pictures and fragments stay as they
//! are. A page that cannot get the script passes unchanged, and the reason is reported.

mod body;
mod charset;
mod coding;
mod insertion;
mod place;
mod policy;
mod reason;
mod request;
mod response;
mod rewriting;
mod tag;
mod validators;
mod variants;

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};

pub use self::body::{Body, BodyError};
use self::insertion::Insertion;
pub use self::reason::WithoutNotice;
pub use self::request::{Expected, PageRequest};
use self::response::Treatment;
use self::rewriting::{Report, Rewriting};

/// What the script's path ends with, behind the prefix of Lastcall's routes.
const SCRIPT: &str = "/assets/lastcall.js";

/// The script that pages get.
#[derive(Clone)]
pub struct PageScript {
    source: Arc<str>,
    /// The path of the event stream, which the script opens.
    events: Arc<str>,
    report: Report,
}

impl PageScript {
    /// For the script at this path, such as `/_lastcall/assets/lastcall.js`; its event stream is at `events` beside `assets`. `report`
    /// is called for each page that passes without the script. It must be quick.
    pub fn new(source: &str, report: impl Fn(WithoutNotice) + Send + Sync + 'static) -> Self {
        let prefix = source.strip_suffix(SCRIPT).unwrap_or_default();
        Self { source: source.into(), events: format!("{prefix}/events").into(), report: Arc::new(report) }
    }

    /// Adapts a request for a page, so that the app answers with something that can get the script. Other requests stay as they are.
    pub fn on_request(&self, head: &mut http::request::Parts) -> Expected {
        request::adapt(head)
    }

    /// Marks an answer, whether it is a page or not, so that no cache takes the one with the script for the one without.
    pub fn mark_variants(headers: &mut HeaderMap) {
        variants::mark(headers);
    }

    /// Gives the script to an answer, if it is a page.
    pub fn on_response<B>(&self, expected: &Expected, response: Response<B>) -> Response<Body<B>> {
        let Expected::Page(request) = expected else { return response.map(Body::unchanged) };
        let (mut head, body) = response.into_parts();
        if head.status == StatusCode::NOT_MODIFIED {
            if validators::is_one_of(&head.headers, &request.weak_tags) {
                response::adapt_head(&mut head.headers);
            }
            return Response::from_parts(head, Body::unchanged(body));
        }
        let body = match response::treat(&head, request, [&self.source, &self.events]) {
            Treatment::Unchanged => Body::unchanged(body),
            Treatment::WithoutNotice(reason) => {
                if !request.is_head {
                    (self.report)(reason);
                }
                Body::unchanged(body)
            }
            Treatment::Rewrite(page) => {
                response::adapt_head(&mut head.headers);
                if request.is_head {
                    Body::of_head(body)
                } else {
                    let insertion = Insertion::new(tag::tag(&self.source, page.nonce.as_deref()), page.encoding);
                    Body::rewritten(body, Rewriting::new(insertion, &page.codings, Arc::clone(&self.report)))
                }
            }
        };
        Response::from_parts(head, body)
    }
}

impl std::fmt::Debug for PageScript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageScript").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
