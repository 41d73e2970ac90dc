//! The app behind the pods: how its address is written, and whether it answers.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// How long an app on this machine may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Checks an address of the form that `UPSTREAM_URL` has.
///
/// # Errors
/// It has another form; the message says which one is wanted.
pub(super) fn parse(text: &str) -> anyhow::Result<String> {
    if let Some(path) = text.strip_prefix("unix:") {
        ensure!(path.starts_with('/'), "write the whole path of the socket: unix:/path");
        return Ok(text.to_owned());
    }
    let address = text.strip_prefix("http://").context("write http://host:port or unix:/path")?;
    ensure!(!address.contains(['/', '?', '#', '@']), "leave out path, query and user: http://host:port");
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    let port = port.context("name host and port: http://host:port")?;
    ensure!(port.parse::<u16>().is_ok_and(|port| port > 0), "{port} is no port: http://host:port");
    Ok(text.to_owned())
}

/// What to say where the app does not accept connections yet. `None` if it does.
pub(super) fn absence(url: &str) -> Option<String> {
    let answers = match url.strip_prefix("unix:") {
        Some(path) => UnixStream::connect(path).is_ok(),
        None => url.strip_prefix("http://").unwrap_or_default().to_socket_addrs().is_ok_and(|mut addresses| {
            addresses.any(|address| TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok())
        }),
    };
    (!answers).then(|| {
        format!("nothing accepts connections at {url} yet: start your app there; until then pages answer 502 or 503")
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_of_another_form_is_refused_with_the_form_that_is_wanted() {
        for url in ["http://127.0.0.1:8000", "http://[::1]:8000", "http://app:80", "unix:/run/app.sock"] {
            assert_eq!(parse(url).unwrap(), url);
        }
        for (url, advice) in [
            ("https://127.0.0.1:8000", "write http://host:port or unix:/path"),
            ("127.0.0.1:8000", "write http://host:port or unix:/path"),
            ("http://127.0.0.1", "name host and port"),
            ("http://:80", "name host and port"),
            ("http://127.0.0.1:0", "0 is no port"),
            ("http://127.0.0.1:8000/", "leave out path"),
            ("http://me@127.0.0.1:8000", "leave out path, query and user"),
            ("unix:app.sock", "the whole path"),
        ] {
            let fault = parse(url).unwrap_err().to_string();
            assert!(fault.contains(advice), "{url}: {fault}");
        }
    }

    #[test]
    fn an_app_that_does_not_listen_yet_is_named() {
        let app = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", app.local_addr().unwrap());
        assert_eq!(absence(&url), None);
        drop(app);
        assert!(absence(&url).unwrap().contains(&url));
        assert!(absence("unix:/nowhere/app.sock").is_some());
    }
}
