//! The listener and its real connections, which can be closed, refused, and accepted again on the same port.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::kubernetes::api;
use crate::kubernetes::state::ServerState;

/// The file with the certificate of a double with TLS.
pub(super) const CERTIFICATE: &str = "ca.crt";

pub(super) struct Server {
    port: u16,
    tls: Option<TlsAcceptor>,
    accepting: Option<JoinHandle<()>>,
    close: watch::Sender<()>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts on a free port. Writes the certificate of a double with TLS into `folder`.
    pub(super) async fn start(state: Arc<ServerState>, folder: &Path) -> Self {
        let tls = state.options.tls.then(|| acceptor(folder));
        let mut server = Self { port: 0, tls, accepting: None, close: watch::Sender::new(()) };
        server.start_again(state).await;
        server
    }

    pub(super) async fn start_again(&mut self, state: Arc<ServerState>) {
        self.stop().await;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
        self.port = listener.local_addr().unwrap().port();
        let (tls, close) = (self.tls.clone(), self.close.subscribe());
        self.accepting = Some(tokio::spawn(accept(listener, state, tls, close)));
    }

    pub(super) async fn stop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Closes all open connections.
    pub(super) fn close_connections(&self) {
        self.close.send_replace(());
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// Accepts connections until aborted, which closes them.
async fn accept(
    listener: TcpListener,
    state: Arc<ServerState>,
    tls: Option<TlsAcceptor>,
    mut close: watch::Receiver<()>,
) {
    let routes = Router::new().fallback(api::answer).with_state(Arc::clone(&state));
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            Some(_) = connections.join_next() => continue,
            _ = close.changed() => {
                connections.shutdown().await;
                continue;
            }
        };
        state.connections.fetch_add(1, Ordering::AcqRel);
        if state.rejects_connections.load(Ordering::Acquire) {
            continue;
        }
        let _ = stream.set_nodelay(true);
        let (routes, tls) = (routes.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => serve(stream, routes).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, routes).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, routes: Router) {
    // Clients may break connections.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await;
}

/// Makes a certificate for 127.0.0.1, which clients trust by their configuration.
fn acceptor(folder: &Path) -> TlsAcceptor {
    let (key, certificate) = (folder.join("key.pem"), folder.join(CERTIFICATE));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=kubernetes"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap_or_else(|error| panic!("openssl: {error}; cargo xtask test installs it"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = CertificateDer::from_pem_file(&certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&key).unwrap();
    let settings = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(settings.unwrap()))
}
