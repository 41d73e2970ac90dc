//! The admin tier's binary.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use admin_tier::AdminTier;
use admin_tier::options::{AdminAuth, Options, Raw};
use cli::command::CommandLine;
use cli::logging::Log;
use cli::options::{OptionErrors, ProcessEnvironment};
use cli::signals::StopSignals;
use cli::version::VERSION;
use cli::{EXIT_CONFIG, command, process};
use http_support::Networks;
use maintenance_switch::Switch;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

fn main() -> ExitCode {
    match command::parse() {
        Ok(line) => process::run(async |log| run(&line, log).await.unwrap_or_else(|code| code)),
        Err(code) => code,
    }
}

/// Parses, binds, serves until a signal arrives, and shuts down.
async fn run(line: &CommandLine<Raw>, log: &Log) -> Result<ExitCode, ExitCode> {
    let mut signals =
        StopSignals::catch().map_err(|error| log.fail(&format_args!("signals cannot be caught: {error}"), 1))?;
    let options = parse(line, log)?;
    let listener = bind(&options, log).await?;
    let switch = open_switch(&options, log).await?;
    log_start(&options, listener.local_addr().ok());
    let started = AdminTier::start(&options, switch, listener, log.dropped_lines());
    let mut admin_tier = started.map_err(|error| fail(&error))?;
    tokio::select! {
        signal = signals.next() => info!("received {signal}, stopping"),
        error = admin_tier.failed() => return Err(fail(&error)),
    }
    admin_tier.shut_down().await;
    Ok(ExitCode::SUCCESS)
}

fn parse(line: &CommandLine<Raw>, log: &Log) -> Result<Options, ExitCode> {
    let options = Options::parse(&line.raw, &ProcessEnvironment);
    line.ready(log, options, line.raw.check_config, |options| options.log_format)
}

async fn bind(options: &Options, log: &Log) -> Result<TcpListener, ExitCode> {
    let address = options.http;
    TcpListener::bind(address).await.map_err(|error| {
        let mut errors = OptionErrors::default();
        errors.push("HTTP_ADDR", format_args!("cannot listen on {address}: {error}; choose another address"));
        log.fail(&errors, EXIT_CONFIG)
    })
}

async fn open_switch(options: &Options, log: &Log) -> Result<Option<Switch>, ExitCode> {
    cli::maintenance::open(options.switch.as_ref()).await.map_err(|errors| log.fail(&errors, EXIT_CONFIG))
}

fn fail(error: &(dyn Error + 'static)) -> ExitCode {
    error!(error, "exiting after an error");
    ExitCode::FAILURE
}

/// Logs the address, and warnings about options that leave the tier open.
fn log_start(options: &Options, address: Option<SocketAddr>) {
    match &options.auth {
        AdminAuth::Off => {
            warn!("ADMIN_AUTH is off: anyone who can reach this port can view and change everything here");
        }
        AdminAuth::Token(Some(token)) if token.is_short() => {
            warn!(
                "ADMIN_TOKEN has fewer than 16 characters and can be guessed: set a random one, `openssl rand -hex 32`"
            );
        }
        AdminAuth::Proxy(_) | AdminAuth::Token(_) => {}
    }
    if options.trusted_proxies.as_ref().is_some_and(Networks::include_every_address) {
        warn!("TRUSTED_PROXIES contains every address: any client can set its user name");
    }
    for variable in &options.unused {
        warn!("{variable} is set, but has no effect with this ADMIN_AUTH");
    }
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    info!(version = VERSION, http.address = address, pods.from = %options.pods, "serving");
}
