//! Whether a request that changes something was made by our own page, and whether a user wanted a `GET` at all.
//!
//! Where the browser itself says which site a request comes from (`Sec-Fetch-Site`), it is believed: scripts cannot write that
//! field, and proxies leave it alone. Only where it says nothing (plain HTTP by name, old browsers) `Origin` is compared with the
//! host, which proxies often rewrite.

use http::header::{HOST, HeaderMap, ORIGIN};
use http::{Method, Uri};
use thiserror::Error;

use crate::field::{accepts, is_other_than, media_ranges, members};
use crate::forwarded;
use crate::origin::{AllowedOrigins, Origin};

const SITE: &str = "sec-fetch-site";

/// Fields that say by their value that nobody has asked for the page yet.
const PURPOSES: [&str; 5] = ["sec-purpose", "x-sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Fields that say so by being there: htmx's preload extension, and Next.js.
const PRELOADERS: [&str; 4] =
    ["hx-preloaded", "next-router-prefetch", "next-router-segment-prefetch", "x-middleware-prefetch"];

/// Whether `method` only reads.
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Why a request is another site's. Shown to users and to the operators of proxies.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CrossOriginError {
    /// The browser says so.
    #[error("This request was made by another site's page. Open the page itself and try again.")]
    Site,
    /// The browser tells neither the site nor the origin. A page whose referrer policy is `no-referrer` looks like this over plain
    /// HTTP, and so does a stranger's sandboxed frame.
    #[error(
        "This may be another site's request: the browser did not tell which page made it (Origin: null). \
         A page with the Referrer-Policy `no-referrer` has to say `same-origin` instead, or be served by HTTPS."
    )]
    Opaque,
    /// The origin is not the host.
    #[error(
        "This request was made by another site's page: its Origin is not this host. Open the page itself and try \
         again. A proxy in between must pass the Host header on, or send X-Forwarded-Host and be named in TRUSTED_PROXIES."
    )]
    Origin,
}

/// Who may change something here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SameOrigin {
    allowed: AllowedOrigins,
    believes_forwarded_host: bool,
}

impl SameOrigin {
    /// Our own pages, and those of these origins. `X-Forwarded-Host` counts as our host where it is believed: what peers say who
    /// are not trusted has to be [taken away](forwarded::strip) then.
    pub const fn new(allowed: AllowedOrigins, believes_forwarded_host: bool) -> Self {
        Self { allowed, believes_forwarded_host }
    }

    /// Checks a request that changes something. A client that tells neither site nor origin is no browser, and no user's cookie
    /// rides on its requests.
    ///
    /// # Errors
    /// Where another site's page made it.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), CrossOriginError> {
        if self.allows(headers) {
            return Ok(());
        }
        if headers.contains_key(SITE) {
            let is_ours = !is_other_than(headers, SITE, &["same-origin", "none"]);
            return if is_ours { Ok(()) } else { Err(CrossOriginError::Site) };
        }
        headers.get_all(ORIGIN).iter().try_for_each(|origin| match Origin::read(origin) {
            _ if origin == "null" => Err(CrossOriginError::Opaque),
            Some(origin) if self.is_ours(&origin, headers, uri) => Ok(()),
            Some(_) | None => Err(CrossOriginError::Origin),
        })
    }

    /// Whether a `GET` that ends something may do so: a user has gone there, or a script of ours asks. Not what only loads a
    /// part of a page, looks ahead, or comes from another site.
    pub fn is_wanted(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        const DESTINATION: &str = "sec-fetch-dest";
        // A page of another origin that reads the answer says its origin, where the browser says no more.
        if !headers.contains_key(SITE) && headers.contains_key(ORIGIN) && self.check(headers, uri).is_err() {
            return false;
        }
        let by_script = headers.contains_key(DESTINATION) && is_other_than(headers, DESTINATION, &["document"]);
        let elsewhere: &[&str] =
            if by_script { &["same-origin", "none"] } else { &["same-origin", "same-site", "none"] };
        let loads_a_part = is_other_than(headers, DESTINATION, &["document", "empty"])
            // Browsers that tell the mode and not yet the destination.
            || !headers.contains_key(DESTINATION) && members(headers, "sec-fetch-mode").any(|mode| mode == b"no-cors")
            || !headers.contains_key(DESTINATION) && asks_for_a_part(headers);
        let is_ours = !is_other_than(headers, SITE, elsewhere) || by_script && self.allows(headers);
        is_ours && !loads_a_part && !is_prefetch(headers)
    }

    /// Whether the page that asks is of one of the allowed origins.
    fn allows(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next().and_then(Origin::read) else { return false };
        origins.next().is_none() && self.allowed.contain(&origin)
    }

    fn is_ours(&self, origin: &Origin, headers: &HeaderMap, uri: &Uri) -> bool {
        // A target that names its host counts before the field (RFC 9112, 3.2.2).
        let host = uri.authority().map(http::uri::Authority::as_str);
        let host = host.or_else(|| headers.get(HOST).and_then(|host| std::str::from_utf8(host.as_bytes()).ok()));
        let forwarded = self.believes_forwarded_host.then(|| forwarded::host(headers)).flatten();
        [host, forwarded].into_iter().flatten().any(|host| origin.is_at(host))
    }
}

/// Whether `Accept` asks for a picture, a style sheet or the like: all that browsers tell over plain HTTP.
fn asks_for_a_part(headers: &HeaderMap) -> bool {
    let is_whole = |range: &[u8]| {
        [&b"text/html"[..], b"application/json", b"*/*"].iter().any(|whole| range.eq_ignore_ascii_case(whole))
    };
    media_ranges(headers).next().is_some_and(|first| !is_whole(first)) && !accepts(headers, "text/html")
}

/// Whether something fetches ahead of a click that may never come.
pub fn is_prefetch(headers: &HeaderMap) -> bool {
    let looks_ahead = |purpose: &[u8]| {
        let purpose = purpose.to_ascii_lowercase();
        let is_word = |word: &&[u8]| [&b"prefetch"[..], b"prerender", b"preview"].contains(word);
        purpose.split(|byte| !byte.is_ascii_alphanumeric()).any(|word| is_word(&word))
    };
    let says_no = |value: &[u8]| matches!(value, b"" | b"0") || value.eq_ignore_ascii_case(b"false");
    PURPOSES.iter().any(|name| headers.get_all(*name).iter().any(|value| looks_ahead(value.as_bytes())))
        || PRELOADERS.iter().any(|name| headers.get_all(*name).iter().any(|value| !says_no(value.as_bytes())))
}

#[cfg(test)]
mod tests;
