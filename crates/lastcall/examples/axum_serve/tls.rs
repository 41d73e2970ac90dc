//! A certificate for this run. An app of substance reads its own: `RustlsConfig::from_pem_file`.

use std::io;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{CertifiedKey, generate_simple_self_signed};

pub(crate) async fn self_signed() -> io::Result<RustlsConfig> {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).map_err(io::Error::other)?;
    RustlsConfig::from_pem(cert.pem().into_bytes(), signing_key.serialize_pem().into_bytes()).await
}
