//! Addresses of Redis, as they are configured.

use std::time::Duration;

use redis::Client;
use redis::cluster::ClusterClient;
use thiserror::Error;

use super::timeouts::{CONNECT_TIMEOUT, MAX_BLOCK, RESPONSE_TIMEOUT};

/// Why an address is not that of a Redis. Does not show the address: it may hold a password.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "is no address of a Redis; write redis://host:6379/0, rediss://user:password@host:6380 or redis-cluster://host:7000,host:7001"
)]
pub struct InvalidRedisUrl;

/// Clients that connect to the configured address.
pub(super) enum Clients {
    Server(Box<Client>),
    Cluster {
        /// For commands that are answered at once.
        immediate: Box<ClusterClient>,
        /// For commands that block at the server.
        blocking: Box<ClusterClient>,
    },
}

impl Clients {
    pub(super) fn new(address: &str) -> Result<Self, InvalidRedisUrl> {
        let address = address.trim();
        match address.strip_prefix("redis-cluster://") {
            Some(nodes) => Ok(Self::Cluster {
                immediate: Box::new(cluster(nodes, RESPONSE_TIMEOUT)?),
                blocking: Box::new(cluster(nodes, MAX_BLOCK + RESPONSE_TIMEOUT)?),
            }),
            None if address.starts_with("redis://") || address.starts_with("rediss://") => {
                Ok(Self::Server(Box::new(Client::open(address).map_err(|_| InvalidRedisUrl)?)))
            }
            None => Err(InvalidRedisUrl),
        }
    }
}

/// Takes `user:password@host:port,host:port`: the same login holds for all nodes.
fn cluster(nodes: &str, response_timeout: Duration) -> Result<ClusterClient, InvalidRedisUrl> {
    let (credentials, hosts) = nodes.rsplit_once('@').unwrap_or(("", nodes));
    let at = if credentials.is_empty() { "" } else { "@" };
    let hosts = hosts.trim_end_matches('/').split(',').map(str::trim).filter(|host| !host.is_empty());
    let nodes: Vec<_> = hosts.map(|host| format!("redis://{credentials}{at}{host}")).collect();
    if nodes.is_empty() {
        return Err(InvalidRedisUrl);
    }
    ClusterClient::builder(nodes)
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(response_timeout)
        .retries(2)
        .max_retry_wait(100)
        .build()
        .map_err(|_| InvalidRedisUrl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_an_invalid_one_is_refused_without_showing_it() {
        for valid in [
            "redis://localhost",
            "redis://user:secret@host:6379/3",
            "rediss://host:6380",
            "redis-cluster://a:7000,b:7001",
            "redis-cluster://user:secret@a:7000/",
        ] {
            assert!(Clients::new(valid).is_ok(), "{valid}");
        }
        for invalid in ["", "localhost:6379", "http://host", "redis://", "redis://host:port", "redis-cluster://"] {
            let error = Clients::new(invalid).map(|_| ()).unwrap_err().to_string();
            assert!(invalid.is_empty() || !error.contains(&format!("{invalid:?}")), "{error}");
        }
    }
}
