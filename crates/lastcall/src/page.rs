//! The pages that the service shows on its own account, and how any answer of its own is written: a page where a
//! browser navigates, a problem document where a program asks.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_support::header_fields::is_navigation;
use http_support::{Problem, security_headers};

use crate::assets::{RELOAD_PATH, RETRY_PATH};
use crate::route_prefix::RoutePrefix;

/// A page that the service needs and the app may design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// The user has left. `base` is where the app begins, relative links included.
    SignedOut {
        /// The path of the app's first page for this user.
        base: &'a str,
        /// Whether the browser left by itself at the end of a countdown.
        automatic: bool,
    },
    /// A request to sign out that no user may have made (another site's, a prefetch, a picture): ask before signing out (`POST` to
    /// `logout` below `routes`).
    ConfirmSignOut {
        /// The path of the app's first page for this user.
        base: &'a str,
        /// The path of Lastcall's own routes for this user. Ends with a slash.
        routes: &'a str,
    },
    /// Nobody is let in until maintenance is over.
    Maintenance {
        /// In what time it should be over, where the operator has said so.
        back_in: Option<Duration>,
        /// What to open in the end: a path, or nothing for the address of the page itself.
        location: &'a str,
    },
    /// This pod is about to stop: trying again finds another one.
    TryAgain {
        /// What to open in the end: a path, or nothing for the address of the page itself.
        location: &'a str,
    },
    /// Nobody can say just now whether the session that the cookie names is there: trying again finds it.
    Searching {
        /// What to open in the end: a path, or nothing for the address of the page itself.
        location: &'a str,
    },
    /// The request was on its way with the cookie from before a login: the browser has a new one by now, and the page opens
    /// again by itself, once. [`crate::RELOAD_SCRIPT`] does that.
    SessionRenewed {
        /// What to open: a path, or nothing for the address of the page itself.
        location: &'a str,
        /// Whether the page has opened again already, without scripts: it does nothing by itself then.
        is_repeated: bool,
    },
    /// This pod holds as many people as it may.
    Busy {
        /// What to open in the end: a path, or nothing for the address of the page itself.
        location: &'a str,
    },
    /// Something is wrong with the request.
    Problem {
        /// The status of the answer.
        status: StatusCode,
        /// What is wrong, in a few words.
        title: &'a str,
        /// What to do about it.
        detail: &'a str,
    },
}

/// Draws the pages: gives HTML for each. Status and headers are the service's.
pub trait Pages: Send + Sync + 'static {
    /// The page as a whole HTML document. What comes from users must be escaped.
    fn html(&self, page: Page<'_>) -> String;
}

/// Pages without any design, for a service that brings none.
#[derive(Clone, Debug, Default)]
pub struct PlainPages {
    prefix: RoutePrefix,
}

impl PlainPages {
    /// Makes them for routes with this prefix ([`Config::route_prefix`](crate::Config::route_prefix)).
    pub const fn new(prefix: RoutePrefix) -> Self {
        Self { prefix }
    }
}

impl Pages for PlainPages {
    fn html(&self, page: Page<'_>) -> String {
        let (title, text, more) = match page {
            Page::SignedOut { base, .. } => {
                ("You are signed out", "Goodbye.", format!("<p><a href=\"{base}\">Sign in again</a></p>"))
            }
            Page::ConfirmSignOut { routes, .. } => (
                "Sign out?",
                "Nothing has happened yet.",
                format!("<form method=\"post\" action=\"{routes}logout\"><button>Sign out</button></form>"),
            ),
            Page::Maintenance { location, .. } => {
                ("We'll be back soon", "We are at work on this service.", self.retry(30, location))
            }
            Page::TryAgain { location } => {
                ("One moment", "This server is about to stop; another one takes over.", self.retry(1, location))
            }
            Page::Searching { location } => {
                ("One moment", "Your session is being looked for. Nothing is lost.", self.retry(1, location))
            }
            Page::SessionRenewed { location, is_repeated } => (
                "One moment",
                "You have just signed in. This page opens again by itself.",
                self.reload(location, is_repeated),
            ),
            Page::Busy { location } => {
                ("We are full right now", "Please try again in a moment.", self.retry(5, location))
            }
            Page::Problem { title, detail, .. } => (title, detail, String::new()),
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"></head>\
             <body><main><h1>{title}</h1><p>{text}</p>{more}</main></body></html>"
        )
    }
}

impl PlainPages {
    /// Tries again to open `location`, with scripts at a moment of its own, without them by the clock.
    fn retry(&self, seconds: u32, location: &str) -> String {
        let (refresh, prefix) = (refresh(seconds, location), self.prefix.as_str());
        format!(
            "<p><span id=\"again\" role=\"status\">This page tries again by itself.</span> \
             <span id=\"trying\" aria-hidden=\"true\"></span></p>\
             <p><a href=\"{location}\" data-location=\"{location}\">Try again now</a></p>\
             <script src=\"{prefix}{RETRY_PATH}\" data-again=\"{seconds}\" data-prefix=\"{prefix}\" defer></script>{refresh}"
        )
    }

    /// Opens `location` once, with scripts and without.
    fn reload(&self, location: &str, is_repeated: bool) -> String {
        let prefix = self.prefix.as_str();
        let refresh = if is_repeated { String::new() } else { refresh(1, location) };
        format!(
            "<p><a href=\"{location}\">Open it now</a></p>\
             <script src=\"{prefix}{RELOAD_PATH}\" data-location=\"{location}\" defer></script>{refresh}"
        )
    }
}

/// Opens `location` after so many seconds where no script does.
fn refresh(seconds: u32, location: &str) -> String {
    let url = if location.is_empty() { String::new() } else { format!(";url={location}") };
    format!("<noscript><meta http-equiv=\"refresh\" content=\"{seconds}{url}\"></noscript>")
}

/// Nothing that stands in a page runs: scripts and styles are files.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Writes an HTML page.
pub(crate) fn html(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    security_headers::add(headers, security_headers::NOT_A_PAGE);
    response
}

/// Answers with what is wrong: the app's page where the caller navigates, else `application/problem+json`. The service
/// answers like this; an app that does the same speaks with one voice.
pub fn problem(pages: &dyn Pages, headers: &HeaderMap, status: StatusCode, title: &str, detail: &str) -> Response {
    let problem = Problem::new(status, title.to_owned(), detail.to_owned());
    problem_to(pages, is_navigation(headers), problem)
}

/// The same where it is known whether the caller navigates.
pub(crate) fn problem_to(pages: &dyn Pages, navigates: bool, problem: Problem) -> Response {
    if !navigates {
        return problem.into_response();
    }
    let Problem { status, title, detail, .. } = &problem;
    html(*status, pages.html(Page::Problem { status: *status, title, detail }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_plain_page_has_a_script_or_a_style_in_it() {
        let problem = Page::Problem { status: StatusCode::NOT_FOUND, title: "x", detail: "y" };
        for page in [
            Page::TryAgain { location: "" },
            Page::Maintenance { back_in: None, location: "" },
            Page::Searching { location: "" },
            Page::Busy { location: "/" },
            Page::SessionRenewed { location: "/", is_repeated: false },
            Page::SignedOut { base: "/", automatic: true },
            problem,
        ] {
            let html = PlainPages::default().html(page);
            let scripts = html.matches("<script").count();
            assert_eq!(scripts, html.matches("defer></script>").count(), "{html}");
            assert!(!html.contains("style"), "{html}");
        }
        assert!(PlainPages::default().html(Page::TryAgain { location: "" }).contains(RETRY_PATH));
    }
}
