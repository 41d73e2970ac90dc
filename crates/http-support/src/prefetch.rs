//! Prefetches: requests that a browser or a library makes ahead of a click.

use http::header::HeaderMap;

/// Fields whose value names the purpose of a prefetch.
const PURPOSE_FIELDS: [&str; 5] = ["sec-purpose", "x-sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Fields that mark a prefetch by their presence: htmx's preload extension, and Next.js.
const MARKER_FIELDS: [&str; 4] =
    ["hx-preloaded", "next-router-prefetch", "next-router-segment-prefetch", "x-middleware-prefetch"];

/// Whether the request is a prefetch: the user has not opened the page yet, and may never do so.
pub fn is_prefetch(headers: &HeaderMap) -> bool {
    let names_prefetch = |purpose: &[u8]| {
        let purpose = purpose.to_ascii_lowercase();
        let is_word = |word: &&[u8]| [&b"prefetch"[..], b"prerender", b"preview"].contains(word);
        purpose.split(|byte| !byte.is_ascii_alphanumeric()).any(|word| is_word(&word))
    };
    let is_negative = |value: &[u8]| matches!(value, b"" | b"0") || value.eq_ignore_ascii_case(b"false");
    PURPOSE_FIELDS.iter().any(|name| headers.get_all(*name).iter().any(|value| names_prefetch(value.as_bytes())))
        || MARKER_FIELDS.iter().any(|name| headers.get_all(*name).iter().any(|value| !is_negative(value.as_bytes())))
}
