//! The options of `user-tier drain`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;
use cli::common_options::LogArgs;
use cli::logging::LogFormat;
use cli::options::{self, Environment, OptionErrors};

use super::addresses::{PLACEHOLDER, PROBE_PORT};

/// The options of the command as they are written.
#[derive(Args, Clone, Debug)]
pub struct RawDrain {
    /// The PROBE_ADDR of the service, which is asked on its loopback address [default: port 9093]
    #[arg(long, env)]
    probe_addr: Option<String>,
    #[command(flatten)]
    log: LogArgs,
}

/// The options of the command, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainOptions {
    /// Where the service is asked.
    pub address: SocketAddr,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
}

impl DrainOptions {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &RawDrain, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let address = match options::non_empty(raw.probe_addr.as_deref()) {
            Some(text) => errors.value_or("PROBE_ADDR", options::address(text).and_then(loopback_of), PLACEHOLDER),
            None => SocketAddr::from((Ipv4Addr::LOCALHOST, PROBE_PORT)),
        };
        let options = Self { address, log_format: raw.log.read(environment, &mut errors) };
        errors.into_result(options)
    }
}

/// The loopback address on which a service that listens on `address` can be asked.
fn loopback_of(address: SocketAddr) -> Result<SocketAddr, String> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip if ip.to_canonical().is_loopback() => ip,
        ip => {
            return Err(format!(
                "{ip} is not the loopback, and a drain is begun from there only; let the service listen on 0.0.0.0 or 127.0.0.1"
            ));
        }
    };
    match address.port() {
        0 => Err("port 0 is another one each time; name the port that the service listens on".to_owned()),
        port => Ok(SocketAddr::new(ip, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_asked_on_the_loopback_of_its_address() {
        for (written, asked) in [
            ("0.0.0.0:9093", "127.0.0.1:9093"),
            ("[::]:9093", "[::1]:9093"),
            ("127.0.0.1:8", "127.0.0.1:8"),
            ("[::1]:8", "[::1]:8"),
        ] {
            assert_eq!(loopback_of(written.parse().unwrap()).unwrap().to_string(), asked);
        }
        for written in ["10.0.0.5:9093", "127.0.0.1:0", "[fe80::1]:9093"] {
            assert!(loopback_of(written.parse().unwrap()).is_err(), "{written}");
        }
    }
}
