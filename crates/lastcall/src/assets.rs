//! The files that the service serves itself: the script that a page includes with one tag, and the one of its own pages
//! that wait. Their names never change, so browsers ask each time whether what they have is still right.

use axum::Router;
use axum::middleware::map_response;
use http_support::assets::{JAVASCRIPT, at_fixed_path};
use http_support::security_headers;

use crate::names::RoutePrefix;

/// Where pages find the script, behind the prefix of the routes, where there is one.
pub const SCRIPT_PATH: &str = "/assets/lastcall.js";

/// Where [`crate::PlainPages`] find theirs.
pub(crate) const AGAIN_PATH: &str = "/assets/lastcall-again.js";

/// Where [`crate::PlainPages`] find the script of the page that opens itself again.
pub(crate) const RELOAD_PATH: &str = "/assets/lastcall-reload.js";

/// The parts, each a file of one idea, in one closure: a page gets one file and no names but `lastcall`.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("../assets/script/tag.js"),
    "\nfunction run() {\n",
    include_str!("../assets/script/choices.js"),
    include_str!("../assets/script/words.js"),
    include_str!("../assets/script/channel.js"),
    include_str!("../assets/script/seats.js"),
    include_str!("../assets/script/stream.js"),
    include_str!("../assets/script/question.js"),
    include_str!("../assets/script/memory.js"),
    include_str!("../assets/script/follower.js"),
    include_str!("../assets/script/connection.js"),
    include_str!("../assets/script/leaving.js"),
    include_str!("../assets/script/title.js"),
    include_str!("../assets/script/banner_style.js"),
    include_str!("../assets/script/host.js"),
    include_str!("../assets/script/room.js"),
    include_str!("../assets/script/banner.js"),
    include_str!("../assets/script/countdown.js"),
    include_str!("../assets/script/drain.js"),
    include_str!("../assets/script/lateness.js"),
    include_str!("../assets/script/main.js"),
    "}\n\n",
    include_str!("../assets/script/begin.js"),
    "})();\n",
);

/// The script of a page that waits, for [`crate::Pages`] of one's own: asks every `data-again` seconds (an attribute of any
/// element; longer after some tries, ten seconds at most) whether the service would serve the page by now, and loads it then.
/// Where an element has `data-location`, it loads that instead (empty: the page's own address): the page after a form is not to send
/// it again. A link with `href=""` or `data-location` asks at once, and opens the page when it is clicked again.
/// Answers of others, such as a proxy's 502, are waited out. Asking starts no session. An element `#again` with
/// `role="status"` is told what is going on, in words of its own where it has `data-offline`, `data-unreachable` and
/// `data-back`; an element `#trying` shows `data-trying` while a question is under way.
pub const WAITING_SCRIPT: &str = include_str!("../assets/retry.js");

/// The script of [`crate::Page::SessionRenewed`], for [`crate::Pages`] of one's own: opens the address in `data-location` (an
/// attribute of any element; empty: the page's own) once, a second after the page was shown.
pub const RELOAD_SCRIPT: &str = include_str!("../assets/reload.js");

/// Serves the files to everybody.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(prefix: &RoutePrefix) -> Router<S> {
    let path = |path: &str| format!("{}{path}", prefix.as_str());
    Router::new()
        .route(&path(SCRIPT_PATH), at_fixed_path(("lastcall.js", JAVASCRIPT, SCRIPT)))
        .route(&path(AGAIN_PATH), at_fixed_path(("lastcall-again.js", JAVASCRIPT, WAITING_SCRIPT)))
        .route(&path(RELOAD_PATH), at_fixed_path(("lastcall-reload.js", JAVASCRIPT, RELOAD_SCRIPT)))
        .layer(map_response(security_headers::not_a_page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_brings_every_part_once() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/script");
        for file in std::fs::read_dir(folder).unwrap() {
            let part = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert_eq!(SCRIPT.matches(&part).count(), 1, "{part:.80}");
        }
    }
}
