//! The admin tier's binary: parse, start logging, bind, serve until a signal comes.

use std::process::ExitCode;

use admin_tier::app;
use admin_tier::options::{AdminAuth, Options, Raw};
use launch::EXIT_CONFIG;
use launch::command::{self, fail};
use launch::options::{Faults, ProcessEnvironment};
use launch::signals::StopSignals;
use launch::version::VERSION;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tracing::{error, info, warn};

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format_args!("there is no runtime: {error}"), 1),
    };
    let code = runtime.block_on(run());
    // A name that is being resolved holds a thread that nothing can call back: nobody waits for it.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
    let mut signals = match StopSignals::catch() {
        Ok(signals) => signals,
        Err(error) => return fail(&format_args!("signals cannot be caught: {error}"), 1),
    };
    let raw: Raw = match command::parse() {
        Ok(raw) => raw,
        Err(code) => return code,
    };
    let options = Options::parse(&raw, &ProcessEnvironment);
    let options = match command::ready(options, raw.check_config, |options| options.log_format) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let listener = match TcpListener::bind(options.http).await {
        Ok(listener) => listener,
        Err(error) => {
            let mut faults = Faults::default();
            let address = options.http;
            faults.push("HTTP_ADDR", format_args!("cannot listen on {address}: {error}; choose another address"));
            return fail(&faults, EXIT_CONFIG);
        }
    };
    let switch = match launch::maintenance::open(options.switch.as_ref()).await {
        Ok(switch) => switch,
        Err(faults) => return fail(&faults, EXIT_CONFIG),
    };
    announce(&options, &listener);
    let stopped = async {
        let signal = signals.next().await;
        info!("received {signal}, stopping");
    };
    match app::serve(&options, switch, listener, stopped).await {
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
        AdminAuth::Proxy(trusted) if trusted.trusts_everybody() => {
            warn!("TRUSTED_PROXIES is the whole world: everybody may say who they are");
        }
        AdminAuth::Token(Some(token)) if token.is_short() => {
            warn!(
                "ADMIN_TOKEN has fewer than 16 characters and can be guessed: set a random one, `openssl rand -hex 32`"
            );
        }
        AdminAuth::Proxy(_) | AdminAuth::Token(_) => {}
    }
    for variable in &options.unused {
        warn!("{variable} is set, but means nothing beside this ADMIN_AUTH");
    }
    let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    info!(version = VERSION, http.address = address, pods.from = %options.pods, "serving");
}
