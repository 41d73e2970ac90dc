//! The scripts that the service serves itself: the one that a page includes with one tag, and those of its own waiting pages.
//! Their URLs never change, so browsers revalidate them on each use.

use axum::Router;
use axum::middleware::map_response;
use http_support::assets::{JAVASCRIPT, at_fixed_path};
use http_support::security_headers;

/// The URL of the script that pages include, behind the prefix of the routes if there is one.
pub const SCRIPT_PATH: &str = "/assets/lastcall.js";

/// The URL of [`WAITING_SCRIPT`] for [`crate::PlainPages`].
pub(crate) const RETRY_PATH: &str = "/assets/lastcall-again.js";

/// The URL of [`RELOAD_SCRIPT`] for [`crate::PlainPages`].
pub(crate) const RELOAD_PATH: &str = "/assets/lastcall-reload.js";

/// The bundle of the modules in `assets/script`. It adds no global name to a page but `lastcall`. `cargo xtask codegen` renews it.
const SCRIPT: &str = include_str!("../assets/lastcall.js");

/// The script of a waiting page, for custom [`crate::Pages`]. It asks whether the service would serve the page now, and then loads it.
/// Asking starts no session, and answers that are not the service's own, such as a proxy's 502, are ignored.
///
/// - It asks every `data-again` seconds (an attribute of any element), and less often after some attempts: at least every ten seconds in a visible tab.
/// - Where an element has `data-location`, it loads that address instead (empty: the page's own). A page that answers a form needs it,
///   so that the form is not sent again.
/// - A click on a link with `href=""` or `data-location` asks at once; a second click opens the page.
/// - It shows the state in an element `#again` with `role="status"`. The attributes `data-offline`, `data-unreachable` and `data-back`
///   replace its texts. While it asks, an element `#trying` shows the text in `data-trying`.
pub const WAITING_SCRIPT: &str = include_str!("../assets/retry.js");

/// The script of [`crate::Page::SessionRenewed`], for custom [`crate::Pages`]. It opens the address in `data-location` (an attribute of
/// any element; empty: the page's own) once, a second after the page is shown.
pub const RELOAD_SCRIPT: &str = include_str!("../assets/reload.js");

/// Serves the scripts behind `prefix`, to every caller and in every phase.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(prefix: &str) -> Router<S> {
    let path = |path: &str| format!("{prefix}{path}");
    Router::new()
        .route(&path(SCRIPT_PATH), at_fixed_path(("lastcall.js", JAVASCRIPT, SCRIPT)))
        .route(&path(RETRY_PATH), at_fixed_path(("lastcall-again.js", JAVASCRIPT, WAITING_SCRIPT)))
        .route(&path(RELOAD_PATH), at_fixed_path(("lastcall-reload.js", JAVASCRIPT, RELOAD_SCRIPT)))
        .layer(map_response(security_headers::not_a_page))
}
