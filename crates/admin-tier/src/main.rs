//! The admin tier's binary: parse, start logging, bind, serve until a signal comes.

use std::process::ExitCode;

use admin_tier::app;
use admin_tier::options::{AdminAuth, Options, Raw};
use cli::command::CommandLine;
use cli::logging::Log;
use cli::options::{OptionErrors, ProcessEnvironment};
use cli::signals::StopSignals;
use cli::version::VERSION;
use cli::{EXIT_CONFIG, command, process};
use http_support::Networks;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

fn main() -> ExitCode {
    match command::parse() {
        Ok(line) => process::run(async |log| run(&line, log).await),
        Err(code) => code,
    }
}

async fn run(line: &CommandLine<Raw>, log: &Log) -> ExitCode {
    let raw = &line.raw;
    let mut signals = match StopSignals::catch() {
        Ok(signals) => signals,
        Err(error) => return log.fail(&format_args!("signals cannot be caught: {error}"), 1),
    };
    let options = Options::parse(raw, &ProcessEnvironment);
    let options = match line.ready(log, options, raw.check_config, |options| options.log_format) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let listener = match TcpListener::bind(options.http).await {
        Ok(listener) => listener,
        Err(error) => {
            let mut errors = OptionErrors::default();
            let address = options.http;
            errors.push("HTTP_ADDR", format_args!("cannot listen on {address}: {error}; choose another address"));
            return log.fail(&errors, EXIT_CONFIG);
        }
    };
    let switch = match cli::maintenance::open(options.switch.as_ref()).await {
        Ok(switch) => switch,
        Err(errors) => return log.fail(&errors, EXIT_CONFIG),
    };
    announce(&options, &listener);
    let stopped = async {
        let signal = signals.next().await;
        info!("received {signal}, stopping");
    };
    match app::serve(&options, switch, listener, log.dropped_lines(), stopped).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "the admin tier fails");
            ExitCode::FAILURE
        }
    }
}

/// Says what an operator should know.
fn announce(options: &Options, listener: &TcpListener) {
    match &options.auth {
        AdminAuth::Off => warn!("ADMIN_AUTH is off: everybody who reaches this port may look and act"),
        AdminAuth::Token(Some(token)) if token.is_short() => {
            warn!(
                "ADMIN_TOKEN has fewer than 16 characters and can be guessed: set a random one, `openssl rand -hex 32`"
            );
        }
        AdminAuth::Proxy(_) | AdminAuth::Token(_) => {}
    }
    if options.trusted_proxies.as_ref().is_some_and(Networks::include_every_address) {
        warn!("TRUSTED_PROXIES is the whole world: everybody may say who they are");
    }
    for variable in &options.unused {
        warn!("{variable} is set, but means nothing beside this ADMIN_AUTH");
    }
    let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    info!(version = VERSION, http.address = address, pods.from = %options.pods, "serving");
}
