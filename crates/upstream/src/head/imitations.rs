//! Fields whose names an app may take for those of the proxy: `Content_Length` beside `Content-Length`.
//!
//! An app behind CGI, WSGI or Rack reads both under one name, so that a client could change the length of its own body, or name another
//! address, behind the back of the proxy. Other fields with underscores belong to the app, and pass.

use http::header::HeaderName;
use http_support::forwarded::is_forwarded;
use http_support::header_fields::{has_odd_separator, reads_as};

/// The fields with a hyphen that frame a message or belong to one connection.
const FIELDS: [&str; 6] =
    ["content-length", "transfer-encoding", "keep-alive", "proxy-connection", "proxy-authorization", "http2-settings"];

/// Whether an app may take a field of this name for one of the proxy.
pub fn is_imitation(name: &HeaderName) -> bool {
    has_odd_separator(name) && (is_forwarded(name) || FIELDS.iter().any(|field| reads_as(name, field)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_read_as_a_field_of_the_proxy_are_imitations() {
        for (name, expected) in [
            ("content_length", true),
            ("transfer.encoding", true),
            ("x_forwarded_for", true),
            ("x-forwarded_anything", true),
            ("proxy_connection", true),
            ("content-length", false),
            ("x-forwarded-for", false),
            ("api_key", false),
            ("content_lengths", false),
        ] {
            assert_eq!(is_imitation(&HeaderName::from_static(name)), expected, "{name}");
        }
    }
}
