//! Counts pages of an app behind Lastcall that a user sees without notice, and takes their own reports: `POST /blocked`, which a page sends
//! whose script runs but may not connect. Concerns no session, reads no body and sets no cookie.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, Uri};
use http_support::Problem;

use crate::service_state::ServiceState;

/// Why a user sees a page without notice: the values of a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageWithoutNotice {
    /// The page came in a content coding that Lastcall does not read.
    Coding,
    /// The page came in a charset that is not ASCII-compatible.
    Charset,
    /// The app sent a part of the page.
    Partial,
    /// The browser saves the page instead of showing it.
    Download,
    /// The page's content security policy forbids the script or its connection.
    Policy,
    /// The page has no doctype, `<html>` and `<head>`.
    Fragment,
    /// The page is XHTML, not HTML.
    Xhtml,
    /// The page reported that its script could not connect.
    Blocked,
}

impl PageWithoutNotice {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Coding,
        Self::Charset,
        Self::Partial,
        Self::Download,
        Self::Policy,
        Self::Fragment,
        Self::Xhtml,
        Self::Blocked,
    ];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coding => "coding",
            Self::Charset => "charset",
            Self::Partial => "partial",
            Self::Download => "download",
            Self::Policy => "policy",
            Self::Fragment => "fragment",
            Self::Xhtml => "xhtml",
            Self::Blocked => "blocked",
        }
    }
}

/// `POST /blocked` behind the prefix of the routes, where the app is one that Lastcall stands in front of.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    let path = format!("{}/blocked", state.config.route_prefix.as_str());
    if !state.config.foreign_app {
        return Router::new();
    }
    Router::new().route(&path, post(blocked).fallback(wrong_method).with_state(Arc::clone(state)))
}

async fn blocked(State(state): State<Arc<ServiceState>>, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(error) = state.same_origin.check(&headers, &uri) {
        return Problem::new(StatusCode::FORBIDDEN, "Not from here", error.to_string()).into_response();
    }
    state.metrics.page_without_notice(PageWithoutNotice::Blocked);
    StatusCode::NO_CONTENT.into_response()
}

async fn wrong_method() -> Response {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "Pages report by POST.").into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use session_domain::PodName;
    use tower::ServiceExt as _;

    use super::*;
    use crate::handle::Lastcall;
    use crate::route_prefix::RoutePrefix;

    fn lastcall(foreign_app: bool) -> Lastcall {
        let builder = Lastcall::builder(PodName::new("a").unwrap()).config(|config| {
            config.route_prefix = RoutePrefix::new("/_lastcall").unwrap();
            config.foreign_app = foreign_app;
        });
        builder.build()
    }

    async fn ask(lastcall: &Lastcall, method: &str, site: &str) -> StatusCode {
        let request = Request::builder().method(method).uri("/_lastcall/blocked").header("sec-fetch-site", site);
        let answer = lastcall.routes::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(answer.headers().get("set-cookie").is_none());
        answer.status()
    }

    #[tokio::test]
    async fn reports_of_our_own_pages_are_counted_where_the_app_is_a_foreign_one() {
        let lastcall = lastcall(true);
        for (method, site, status) in [
            ("POST", "same-origin", StatusCode::NO_CONTENT),
            ("POST", "none", StatusCode::NO_CONTENT),
            ("POST", "cross-site", StatusCode::FORBIDDEN),
            ("GET", "same-origin", StatusCode::METHOD_NOT_ALLOWED),
        ] {
            assert_eq!(ask(&lastcall, method, site).await, status, "{method} {site}");
        }
        lastcall.page_without_notice(PageWithoutNotice::Policy);
        let metrics = lastcall.render_metrics();
        for (reason, count) in [("blocked", 2), ("policy", 1), ("coding", 0)] {
            let line = format!("lastcall_pages_without_notice_total{{reason=\"{reason}\"}} {count}");
            assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
        }
    }

    #[tokio::test]
    async fn an_app_of_our_own_has_neither_the_route_nor_the_metric() {
        let lastcall = lastcall(false);
        assert_eq!(ask(&lastcall, "POST", "same-origin").await, StatusCode::NOT_FOUND);
        assert!(!lastcall.render_metrics().contains("pages_without_notice"));
    }
}
