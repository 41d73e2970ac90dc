//! `Transfer-Encoding`, of which only `chunked` is understood.

use http::header::{HeaderMap, TRANSFER_ENCODING};
use http_support::header_fields::members;

/// Whether the codings are `chunked` alone. `None`: the message names no coding.
pub(crate) fn is_only_chunked(headers: &HeaderMap) -> Option<bool> {
    let mut codings = members(headers, TRANSFER_ENCODING.as_str());
    let first = codings.next()?;
    Some(first.eq_ignore_ascii_case(b"chunked") && codings.next().is_none())
}
