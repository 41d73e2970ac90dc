//! The sign-in page and its messages.

use std::time::Duration;

use askama::Template;
use axum::response::{IntoResponse, Response};

use crate::auth::ReturnPath;
use crate::pages::layout::Layout;
use crate::pages::response::page;
use crate::{assets, clock};

pub(super) const BAD_LINK: &str =
    "That link was used already or has expired: a link signs in once, within 15 minutes. Ask for another one.";
pub(super) const BAD_LINK_USE_TOKEN: &str = "That link was used already or has expired. Sign in with the token.";
pub(super) const BAD_LINK_SIGNED_IN: &str =
    "That link was used already or has expired. You are signed in on this browser: continue at /admin.";
pub(super) const LINK_PRINTED: &str = "A link was printed. It is the last line of the log.";
pub(super) const LINK_PRINTED_RECENTLY: &str = "A link was printed less than a minute ago: it is in the log. If it was used already, print another after the minute.";
pub(super) const SIGNED_OUT: &str = "You are signed out.";
pub(super) const TOO_MANY_ATTEMPTS: &str = "Too many attempts. Wait a few seconds.";
pub(super) const WRONG_TOKEN: &str = "That is not the token.";

/// The sign-in page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    layout: Layout,
    notice: Option<Notice>,
    method: Method,
    next: String,
}

/// A message above the form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    text: &'static str,
    is_error: bool,
}

/// How the page lets operators sign in.
#[derive(Debug)]
pub(super) enum Method {
    /// With the token.
    Token,
    /// By this link.
    Link(String),
    /// By a link that is printed to the log on request.
    PrintLink {
        /// The time until a link can be printed, in whole seconds, rounded up.
        seconds: u64,
        /// The page to load then.
        then: String,
    },
}

impl Notice {
    pub(super) const fn info(text: &'static str) -> Self {
        Self { text, is_error: false }
    }

    pub(super) const fn error(text: &'static str) -> Self {
        Self { text, is_error: true }
    }
}

impl SignInPage {
    pub(super) fn new(notice: Option<Notice>, method: Method, return_path: &ReturnPath) -> Self {
        let mut layout = Layout { is_signed_out: true, ..Layout::new("Sign in", Duration::ZERO, clock::now()) };
        if let Method::PrintLink { seconds, then } = &method {
            layout.script = assets::url("sign-in.js");
            layout.redirect = Some((*seconds, then.clone())).filter(|(seconds, _)| *seconds > 0);
        }
        Self { layout, notice, method, next: return_path.as_str().to_owned() }
    }

    fn has_error(&self) -> bool {
        self.notice.is_some_and(|notice| notice.is_error)
    }
}

impl IntoResponse for SignInPage {
    fn into_response(self) -> Response {
        page(&self)
    }
}
