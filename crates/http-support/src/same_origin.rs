//! Protection against cross-site request forgery: whether our own page made a request that changes something, and whether a
//! user asked for a `GET` that does.
//!
//! `Sec-Fetch-Site` decides where the browser sends it: scripts cannot set that field, and proxies do not change it. Without
//! it (plain HTTP, old browsers) `Origin` is compared with the host, which proxies often rewrite.

use http::Uri;
use http::header::{HOST, HeaderMap, ORIGIN};
use thiserror::Error;

use crate::allowed_origins::AllowedOrigins;
use crate::forwarded;
use crate::header_fields::{accepts, has_member_other_than, media_ranges, members};
use crate::origin::Origin;
use crate::prefetch::is_prefetch;

const SITE: &str = "sec-fetch-site";

/// Why a request counts as cross-site. The messages are for users and for operators of proxies.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CrossOriginError {
    /// `Sec-Fetch-Site` names another site.
    #[error("This request was made by another site's page. Open the page itself and try again.")]
    Site,
    /// `Origin` is `null`, and there is no `Sec-Fetch-Site`. Over plain HTTP a page with the referrer policy `no-referrer` sends
    /// this, and so does another site's sandboxed frame.
    #[error(
        "This may be another site's request: the browser did not tell which page made it (Origin: null). \
         A page with the Referrer-Policy `no-referrer` has to say `same-origin` instead, or be served by HTTPS."
    )]
    Opaque,
    /// `Origin` is not the host that the request names.
    #[error(
        "This request was made by another site's page: its Origin is not this host. Open the page itself and try \
         again. A proxy in between must pass the Host header on, or send X-Forwarded-Host and be named in TRUSTED_PROXIES."
    )]
    Origin,
}

/// The rules that decide which pages may change something here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SameOrigin {
    allowed: AllowedOrigins,
    trusts_forwarded_host: bool,
}

impl SameOrigin {
    /// Accepts our own pages and those of the allowed origins. With `trusts_forwarded_host`, `X-Forwarded-Host` counts as our
    /// host: the caller must then have [removed](forwarded::strip) it from requests of untrusted peers.
    pub const fn new(allowed: AllowedOrigins, trusts_forwarded_host: bool) -> Self {
        Self { allowed, trusts_forwarded_host }
    }

    /// Checks a request that changes something. A request with neither `Sec-Fetch-Site` nor `Origin` passes: its client is not
    /// a browser, so that another site cannot make it send a user's cookie.
    ///
    /// # Errors
    /// Fails if another site's page made the request.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), CrossOriginError> {
        if self.allows(headers) {
            return Ok(());
        }
        if headers.contains_key(SITE) {
            let is_ours = !has_member_other_than(headers, SITE, &["same-origin", "none"]);
            return if is_ours { Ok(()) } else { Err(CrossOriginError::Site) };
        }
        headers.get_all(ORIGIN).iter().try_for_each(|origin| match Origin::from_header(origin) {
            _ if origin == "null" => Err(CrossOriginError::Opaque),
            Some(origin) if self.is_ours(&origin, headers, uri) => Ok(()),
            Some(_) | None => Err(CrossOriginError::Origin),
        })
    }

    /// Whether a user or a script of ours asked for a `GET` that changes something. This excludes requests for a part of a
    /// page (an image, a style sheet), prefetches, and requests of other sites.
    pub fn is_intended(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        const DESTINATION: &str = "sec-fetch-dest";
        // Without `Sec-Fetch-Site`, a cross-origin `fetch` is recognised by its `Origin`.
        if !headers.contains_key(SITE) && headers.contains_key(ORIGIN) && self.check(headers, uri).is_err() {
            return false;
        }
        let by_script = headers.contains_key(DESTINATION) && has_member_other_than(headers, DESTINATION, &["document"]);
        let elsewhere: &[&str] =
            if by_script { &["same-origin", "none"] } else { &["same-origin", "same-site", "none"] };
        let loads_a_part = has_member_other_than(headers, DESTINATION, &["document", "empty"])
            // Some browsers send the mode but not the destination.
            || !headers.contains_key(DESTINATION) && members(headers, "sec-fetch-mode").any(|mode| mode == b"no-cors")
            || !headers.contains_key(DESTINATION) && asks_for_a_part(headers);
        let is_ours = !has_member_other_than(headers, SITE, elsewhere) || by_script && self.allows(headers);
        is_ours && !loads_a_part && !is_prefetch(headers)
    }

    /// Whether the request comes from a page of one of the allowed origins.
    fn allows(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next().and_then(Origin::from_header) else { return false };
        origins.next().is_none() && self.allowed.contains(&origin)
    }

    fn is_ours(&self, origin: &Origin, headers: &HeaderMap, uri: &Uri) -> bool {
        // The host of an absolute target replaces the `Host` field (RFC 9112, 3.2.2).
        let host = uri.authority().map(http::uri::Authority::as_str);
        let host = host.or_else(|| headers.get(HOST).and_then(|host| std::str::from_utf8(host.as_bytes()).ok()));
        let forwarded = self.trusts_forwarded_host.then(|| forwarded::host(headers)).flatten();
        [host, forwarded].into_iter().flatten().any(|host| origin.has_host(host))
    }
}

/// Whether `Accept` asks for an image, a style sheet or the like: the only sign that browsers give over plain HTTP.
fn asks_for_a_part(headers: &HeaderMap) -> bool {
    let is_whole = |range: &[u8]| {
        [&b"text/html"[..], b"application/json", b"*/*"].iter().any(|whole| range.eq_ignore_ascii_case(whole))
    };
    media_ranges(headers).next().is_some_and(|first| !is_whole(first)) && !accepts(headers, "text/html")
}

#[cfg(test)]
mod tests;
