//! Finding the Kubernetes API, and a client that fails within seconds.

use std::time::Duration;

use kube::{Client, Config};
use thiserror::Error;

/// How long a connection to the API may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the Kubernetes API is not configured. The operator corrects the deployment; trying again does not help.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Neither `KUBECONFIG` (nor `~/.kube/config`) nor the files of a pod's service account name the API.
    #[error(
        "no way to the Kubernetes API is configured: set KUBECONFIG, or run in a pod with its account mounted: {0}"
    )]
    NotConfigured(#[source] Box<kube::config::InferConfigError>),
    /// The configuration cannot be used, for example because of a broken certificate.
    #[error("the way to the Kubernetes API is misconfigured: {0}")]
    Misconfigured(#[source] Box<kube::Error>),
}

/// Creates a client for the API that `KUBECONFIG` (or `~/.kube/config`) names, otherwise the API of the pod's cluster.
///
/// Sends no request yet.
///
/// # Errors
/// Fails if no configuration is found, or if it cannot be used.
pub async fn connect() -> Result<Client, ConnectError> {
    with_config(Config::infer().await.map_err(|error| ConnectError::NotConfigured(Box::new(error)))?)
}

/// Creates a client with this configuration.
///
/// The client does not repeat requests: kube would repeat them for minutes while the API is busy, and the callers have
/// their own deadlines and pauses.
///
/// # Errors
/// Fails if the configuration cannot be used.
pub fn with_config(mut config: Config) -> Result<Client, ConnectError> {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    Client::try_from(config).map_err(|error| ConnectError::Misconfigured(Box::new(error)))
}
