//! The listener and its connections: real ones, which can be closed, refused and taken again on the same port.

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
use crate::kubernetes::double::Shared;

/// The certificate that a double with TLS shows, in its folder.
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
    /// Starts on a free port; a certificate, where one is needed, lies in `folder` then.
    pub(super) async fn start(shared: Arc<Shared>, folder: &Path) -> Self {
        let tls = shared.options.tls.then(|| acceptor(folder));
        let mut server = Self { port: 0, tls, accepting: None, close: watch::Sender::new(()) };
        server.start_again(shared).await;
        server
    }

    pub(super) async fn start_again(&mut self, shared: Arc<Shared>) {
        self.stop().await;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
        self.port = listener.local_addr().unwrap().port();
        let (tls, close) = (self.tls.clone(), self.close.subscribe());
        self.accepting = Some(tokio::spawn(accept(listener, shared, tls, close)));
    }

    pub(super) async fn stop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Closes all connections that are open.
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

/// Accepts until it is aborted; its connections end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>, tls: Option<TlsAcceptor>, mut close: watch::Receiver<()>) {
    let routes = Router::new().fallback(api::answer).with_state(Arc::clone(&shared));
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
        shared.connections.fetch_add(1, Ordering::AcqRel);
        if shared.turns_away.load(Ordering::Acquire) {
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
    // A connection that breaks is the client's affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await;
}

/// Makes a certificate for 127.0.0.1 that clients are to trust.
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
