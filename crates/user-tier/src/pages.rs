//! The pages of the sample app, rendered by askama, which escapes all text from users.

use std::time::Duration;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use lastcall::{DrainNotice, Page, Pages, RoutePrefix, Session};

use crate::export::{self, Rounds};
use crate::notes::{MAX_TEXT_BYTES, Notes};
use crate::{assets, upload};

/// The parts that every page has.
struct Frame<'a> {
    title: &'static str,
    style: String,
    icon: String,
    script: Option<String>,
    /// The path in front of the library's own routes.
    prefix: &'a str,
    /// Seconds until a page without scripts reloads; 0: never.
    again: u32,
    /// The path that such a page opens; empty: its own address.
    location: &'a str,
}

impl<'a> Frame<'a> {
    fn new(title: &'static str) -> Self {
        Self {
            title,
            style: assets::url("style.css"),
            icon: assets::url("icon.svg"),
            script: None,
            prefix: "",
            again: 0,
            location: "",
        }
    }

    /// A page that retries by itself to open `location`.
    fn again(title: &'static str, seconds: u32, location: &'a str, prefix: &'a str) -> Self {
        Self { again: seconds, location, prefix, script: Some(assets::url("retry.js")), ..Self::new(title) }
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    /// The library's script.
    lastcall: String,
    session_id: String,
    user: &'a str,
    anonymous: bool,
    /// The largest text that is saved, in bytes of UTF-8.
    max_text_bytes: usize,
    /// Whether saved notes outlive this process.
    outlives_process: bool,
    /// Whether the user may enter another name.
    names_itself: bool,
    pod: &'a str,
    login_time: String,
    /// The login time and the end of the countdown, for browsers without scripts.
    since: String,
    until: String,
    base: &'a str,
    /// Where the library's own routes are.
    routes: String,
    notice: Option<DrainNotice>,
    /// Whether the session continues on another pod after the countdown.
    stays_signed_in: bool,
    /// Whether a drain waits for work of the session.
    is_protected: bool,
    /// The notice as JSON, for the library's script.
    notice_json: String,
    /// The largest file that can be uploaded.
    max_upload: String,
    max_upload_bytes: u64,
    /// The choices of an export, and how long its file is kept.
    rounds: [Rounds; 3],
    export_kept_minutes: u64,
}

/// The home page of a session. Shows the current notice, with and without scripts.
pub(crate) fn home(session: &Session, notes: &Notes) -> Response {
    let user = session.user();
    let notice = session.notice();
    let page = Home {
        frame: Frame { script: Some(assets::url("page.js")), ..Frame::new("Notes") },
        lastcall: session.script_path(),
        session_id: session.id().to_string(),
        user: user.as_str(),
        anonymous: user.as_str() == lastcall::ANONYMOUS,
        max_text_bytes: MAX_TEXT_BYTES,
        outlives_process: notes.outlives_process(),
        names_itself: session.allows_login_form(),
        pod: session.pod().as_str(),
        login_time: session.login_time().to_string(),
        since: session.login_time().to_utc_string(),
        until: notice.as_ref().map(|notice| notice.forced_logout_at.to_utc_string()).unwrap_or_default(),
        base: session.base(),
        routes: session.routes_path(),
        stays_signed_in: notice.as_ref().is_some_and(|notice| notice.stays_signed_in),
        is_protected: notice.as_ref().is_some_and(|notice| notice.grace_ms.is_some_and(|grace| grace > 0)),
        notice_json: serde_json::to_string(&notice).unwrap_or_else(|_| "null".to_owned()),
        notice,
        max_upload: format!("{} GB", upload::MAX_BYTES / 1_000_000_000),
        max_upload_bytes: upload::MAX_BYTES,
        rounds: Rounds::ALL,
        export_kept_minutes: export::KEPT_FOR.as_secs() / 60,
    };
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the home page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut<'a> {
    frame: Frame<'a>,
    base: &'a str,
    automatic: bool,
}

#[derive(Template)]
#[template(path = "confirm_sign_out.html")]
struct ConfirmSignOut<'a> {
    frame: Frame<'a>,
    base: &'a str,
    routes: &'a str,
}

#[derive(Template)]
#[template(path = "maintenance.html")]
struct Maintenance<'a> {
    frame: Frame<'a>,
    /// The expected time until the end of maintenance, if the operator has set one.
    back_in: Option<String>,
}

#[derive(Template)]
#[template(path = "try_again.html")]
struct TryAgain<'a> {
    frame: Frame<'a>,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "session_renewed.html")]
struct SessionRenewed<'a> {
    frame: Frame<'a>,
    location: &'a str,
    /// Whether the page has reloaded already and does not reload again.
    is_repeated: bool,
}

#[derive(Template)]
#[template(path = "busy.html")]
struct Busy<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    detail: &'a str,
}

/// The sample app's versions of the library's pages.
#[derive(Clone, Debug, Default)]
pub(crate) struct SamplePages {
    prefix: RoutePrefix,
}

impl SamplePages {
    pub(crate) const fn new(prefix: RoutePrefix) -> Self {
        Self { prefix }
    }
}

impl Pages for SamplePages {
    fn html(&self, page: Page<'_>) -> String {
        let prefix = self.prefix.as_str();
        let rendered = match page {
            Page::SignedOut { base, automatic } => {
                let script = Some(assets::url("goodbye.js"));
                SignedOut { frame: Frame { script, ..Frame::new("Signed out") }, base, automatic }.render()
            }
            Page::ConfirmSignOut { base, routes } => {
                ConfirmSignOut { frame: Frame::new("Sign out?"), base, routes }.render()
            }
            Page::Maintenance { back_in, location } => {
                let frame = Frame::again("We'll be back soon", 30, location, prefix);
                Maintenance { frame, back_in: back_in.map(about) }.render()
            }
            Page::TryAgain { location } => {
                let text = "This server is about to stop. Another server will answer.";
                TryAgain { frame: Frame::again("One moment", 2, location, prefix), text }.render()
            }
            Page::Searching { location } => {
                let text = "We are looking up your session. Nothing is lost.";
                TryAgain { frame: Frame::again("One moment", 2, location, prefix), text }.render()
            }
            Page::SessionRenewed { location, is_repeated } => {
                let frame = Frame { script: Some(assets::url("reload.js")), ..Frame::new("One moment") };
                SessionRenewed { frame, location, is_repeated }.render()
            }
            Page::AppUnavailable { location } => {
                let text = "The application does not answer right now. It may be starting.";
                TryAgain { frame: Frame::again("One moment", 2, location, prefix), text }.render()
            }
            Page::Busy { location } => Busy { frame: Frame::again("We are full", 10, location, prefix) }.render(),
            Page::Problem { title, detail, .. } => {
                Problem { frame: Frame::new("Problem"), heading: title, detail }.render()
            }
        };
        rendered.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be rendered");
            String::new()
        })
    }
}

/// A duration in words.
fn about(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match minutes {
        0 | 1 => "a minute".to_owned(),
        2..60 => format!("{minutes} minutes"),
        60 => "an hour".to_owned(),
        _ => format!("{} hours", minutes.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_rendered_with_its_heading_and_retries_without_an_open_meta_refresh() {
        let status = StatusCode::NOT_FOUND;
        for (page, heading) in [
            (Page::SignedOut { base: "/", automatic: false }, "You are signed out"),
            (Page::SignedOut { base: "/", automatic: true }, "You were signed out"),
            (Page::ConfirmSignOut { base: "/", routes: "/" }, "Sign out?"),
            (Page::Maintenance { back_in: None, location: "" }, "We'll be back soon"),
            (Page::TryAgain { location: "" }, "One moment"),
            (Page::Searching { location: "" }, "One moment"),
            (Page::SessionRenewed { location: "/", is_repeated: false }, "You have just signed in"),
            (Page::Busy { location: "" }, "We are full right now"),
            (Page::Problem { status, title: "<Not> found", detail: "x" }, "&#60;Not&#62; found"),
        ] {
            let html = SamplePages::default().html(page);
            assert!(html.contains(&format!("<h1>{heading}</h1>")), "{html}");
            for (at, _) in html.match_indices("http-equiv=\"refresh\"") {
                assert!(html[..at].ends_with("<noscript><meta "), "{html}");
            }
        }
    }

    #[test]
    fn a_waiting_page_after_a_form_post_leads_to_the_home_page_with_and_without_scripts() {
        let html = |location| SamplePages::default().html(Page::TryAgain { location });
        let after_a_form = html("/t/x/");
        assert!(after_a_form.contains(r#"content="2;url=/t/x/""#), "{after_a_form}");
        assert!(after_a_form.contains(r#"href="/t/x/" data-location="/t/x/""#), "{after_a_form}");
        let after_a_link = html("");
        assert!(after_a_link.contains(r#"content="2""#), "{after_a_link}");
        assert!(after_a_link.contains(r#"href="" data-location="""#), "{after_a_link}");
    }

    #[test]
    fn the_maintenance_page_names_a_time_only_where_one_was_set() {
        let html = |back_in| SamplePages::default().html(Page::Maintenance { back_in, location: "" });
        assert!(html(Some(Duration::from_secs(1800))).contains("It should be back in about 30 minutes."));
        let silent = html(None);
        assert!(!silent.contains("about") && !silent.contains("minute"), "{silent}");
    }

    #[test]
    fn durations_are_written_in_words() {
        for (seconds, words) in [(1, "a minute"), (1800, "30 minutes"), (3600, "an hour"), (7200, "2 hours")] {
            assert_eq!(about(Duration::from_secs(seconds)), words);
        }
    }
}
