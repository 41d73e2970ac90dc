//! Where the app listens: a TCP port or a Unix socket.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where the app listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `http://host:port`.
    Tcp {
        /// A name or an address; an IPv6 address has no brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:/path`.
    Unix(PathBuf),
}

/// A text that is no address of an app.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidAddress {
    /// The scheme is not supported.
    #[error("write http://host:port or unix:/path")]
    Form,
    /// The app would have to speak TLS.
    #[error("https is not supported: the app is in the same pod; write http://host:port")]
    Https,
    /// A path, query or fragment.
    #[error("write no path, query or fragment: requests keep their own; write http://host:port")]
    Path,
    /// A user or a password.
    #[error("write no user and no password; write http://host:port")]
    User,
    /// The host or the port.
    #[error("the host or the port is invalid; write http://host:port")]
    Host,
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("unix:") {
            let is_path = path.starts_with('/') && path.len() > 1 && !path.contains('\0');
            return if is_path { Ok(Self::Unix(path.into())) } else { Err(InvalidAddress::Form) };
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidAddress::Form)?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => return Err(InvalidAddress::Https),
            _ => return Err(InvalidAddress::Form),
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(InvalidAddress::Path);
        }
        if authority.contains('@') {
            return Err(InvalidAddress::User);
        }
        let authority: http::uri::Authority = authority.parse().map_err(|_| InvalidAddress::Host)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let has_bad_port = authority.as_str().len() > authority.host().len() && authority.port_u16().is_none();
        let port = authority.port_u16().unwrap_or(80);
        if host.is_empty() || has_bad_port || port == 0 {
            return Err(InvalidAddress::Host);
        }
        Ok(Self::Tcp { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "http://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "http://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_port_or_a_socket_and_nothing_else() {
        for (text, written) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            (" HTTP://localhost:8000/ ", "http://localhost:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("http://app", "http://app:80"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), written);
        }
        use InvalidAddress::{Form, Host, Https, Path, User};
        for (text, error) in [
            ("", Form),
            ("127.0.0.1:8000", Form),
            ("ftp://a:1", Form),
            ("unix:run/app.sock", Form),
            ("unix:/", Form),
            ("https://a:1", Https),
            ("http://a:1/app", Path),
            ("http://a:1?x", Path),
            ("http://a:1/#x", Path),
            ("http://u:p@a:1", User),
            ("http://", Host),
            ("http://:80", Host),
            ("http://a:0", Host),
            ("http://a:99999", Host),
            ("http://a:x", Host),
            ("http://a b:1", Host),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }
}
