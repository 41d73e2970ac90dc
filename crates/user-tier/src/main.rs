//! The user tier's binary: parse, start logging, bind, serve, drain.

use std::pin::pin;
use std::process::ExitCode;

use cli::command::CommandLine;
use cli::logging::Log;
use cli::options::{OptionErrors, ProcessEnvironment};
use cli::version::VERSION;
use cli::{EXIT_CONFIG, command, process};
use futures_util::{Stream, StreamExt as _};
use lastcall::{Listeners, Networks, ProbeListener, ServeError, SessionStart, Signal};
use tokio::net::TcpListener;
use tracing::{error, info, warn};
use user_tier::bounds::Bounds;
use user_tier::chat::Chat;
use user_tier::notes::Notes;
use user_tier::options::{Addresses, DrainOptions, Mode, Options, PageOptions, Probes, Raw, RawDrain, RawPage};
use user_tier::{app, drain_command, maintenance, upstream};

fn main() -> ExitCode {
    match command::parse() {
        Ok(line) => process::run(async |log| run(&line, log).await),
        Err(code) => code,
    }
}

async fn run(line: &CommandLine<Raw>, log: &Log) -> ExitCode {
    let raw = &line.raw;
    let signals = match lastcall::signals() {
        Ok(signals) => signals,
        Err(error) => return log.fail(&format_args!("cannot install signal handlers: {error}"), 1),
    };
    match &raw.mode {
        Some(Mode::MaintenancePage(raw)) => return serve_page(line, raw, log, signals).await,
        Some(Mode::Drain(raw)) => return drain(line, raw, log, signals).await,
        None => {}
    }
    let options = Options::parse(raw, &ProcessEnvironment);
    let mut options = match line.ready(log, options, raw.check_config, |options| options.log_format) {
        Ok(options) => options,
        Err(code) => return code,
    };
    options.service.dropped_log_lines = log.dropped_lines();
    let listeners = match bind(options.addresses).await {
        Ok(listeners) => listeners,
        Err(errors) => return log.fail(&errors, EXIT_CONFIG),
    };
    apply_bounds(&mut options);
    let switch = match cli::maintenance::open(options.switch.place.as_ref()).await {
        Ok(switch) => switch,
        Err(errors) => return log.fail(&errors, EXIT_CONFIG),
    };
    let switch = maintenance::follow(switch, options.switch.initial).await;
    log_start(&options, &listeners);
    log_handoff(&options, line);
    if let Some(app) = options.upstream {
        return ended(upstream::serve(app, options.service, switch.position(), listeners, signals).await);
    }
    let notes = Notes::open(&options.database.url);
    let database = options.database.is_set.then(|| notes.clone());
    let lastcall = app::lastcall(options.service, switch.position(), database);
    let (chat, _relay) = Chat::start(options.chat_relay);
    ended(lastcall.serve(app::router(notes, chat), listeners, signals).await)
}

fn ended(result: Result<(), ServeError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "exiting after an error");
            ExitCode::FAILURE
        }
    }
}

/// Serves the maintenance page until the first signal.
async fn serve_page(
    line: &CommandLine<Raw>,
    raw: &RawPage,
    log: &Log,
    signals: impl Stream<Item = Signal>,
) -> ExitCode {
    let options = PageOptions::parse(raw, &ProcessEnvironment);
    let options = match line.ready(log, options, raw.check_config, |options| options.log_format) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let mut errors = OptionErrors::default();
    let Some(listener) = listen("HTTP_ADDR", options.http, &mut errors).await else {
        return log.fail(&errors, EXIT_CONFIG);
    };
    info!(version = VERSION, http.address = address(&listener), "serving the maintenance page");
    let stopped = async { _ = pin!(signals).next().await };
    app::maintenance_page(options.route_prefix, options.retry_after, options.hide_probes, listener, stopped).await;
    ExitCode::SUCCESS
}

/// Lets the service drain. A signal ends the command and not the drain.
async fn drain(line: &CommandLine<Raw>, raw: &RawDrain, log: &Log, signals: impl Stream<Item = Signal>) -> ExitCode {
    let options = DrainOptions::parse(raw, &ProcessEnvironment);
    let options = match line.ready(log, options, false, |options| options.log_format) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let mut signals = pin!(signals);
    tokio::select! {
        ended = drain_command::drain(options.address) => match ended {
            Ok(()) => {
                info!("the drain is over");
                ExitCode::SUCCESS
            }
            Err(error) => {
                error!("{error}");
                ExitCode::FAILURE
            }
        },
        Some(signal) = signals.next() => {
            warn!("stopped waiting after a signal; the drain goes on");
            // As a shell reports a process that a signal has ended.
            ExitCode::from(match signal {
                Signal::Int => 130,
                Signal::Quit => 131,
                Signal::Term => 143,
            })
        }
    }
}

/// Binds every address. Reports all addresses that are in use, not only the first.
async fn bind(addresses: Addresses) -> Result<Listeners, OptionErrors> {
    let mut errors = OptionErrors::default();
    let http = listen("HTTP_ADDR", addresses.http, &mut errors).await;
    let grpc = listen("GRPC_ADDR", addresses.grpc, &mut errors).await;
    let metrics = match addresses.metrics {
        Some(address) => listen("METRICS_ADDR", address, &mut errors).await,
        None => None,
    };
    let probes = match addresses.probes {
        Some(Probes { own: Some(address), with_metrics }) => {
            let probes = listen("PROBE_ADDR", address, &mut errors).await.map(ProbeListener::new);
            probes.map(|probes| if with_metrics { probes.with_metrics() } else { probes })
        }
        Some(Probes { own: None, .. }) => Some(ProbeListener::on_http()),
        None => None,
    };
    let Some(http) = http else { return Err(errors) };
    let mut listeners = Listeners::http(http);
    (listeners.grpc, listeners.metrics, listeners.probes) = (grpc, metrics, probes);
    errors.into_result(listeners)
}

async fn listen(variable: &str, address: std::net::SocketAddr, errors: &mut OptionErrors) -> Option<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Some(listener),
        Err(error) => {
            errors.push(variable, format_args!("cannot listen on {address}: {error}; choose another address"));
            None
        }
    }
}

/// Limits sessions and event streams to what open files and memory allow, and logs the limits.
fn apply_bounds(options: &mut Options) {
    let service = &mut options.service;
    let configured = Bounds {
        sessions: service.limits.max_sessions,
        streams_per_session: service.max_streams_per_session as u64,
        streams: options.max_streams,
        has_upstream: options.upstream.is_some(),
    };
    let (files, memory) = (process::open_files(), cli::memory_limit::bytes());
    let (bounds, streams) = configured.fit(files, memory);
    service.limits.max_sessions = bounds.sessions;
    service.max_streams = streams;
    bounds.announce(configured, files, memory);
}

/// Logs the addresses, and warnings about options.
fn log_start(options: &Options, listeners: &Listeners) {
    if options.random_key && options.service.store.is_some() {
        warn!("SESSION_KEY is not set: pods cannot verify each other's cookies; set SESSION_KEY=shared");
    } else if options.random_key {
        warn!("SESSION_KEY is not set: cookies are signed with a random key and end with this process");
    }
    if options.service.store.is_none() && options.service.forced_end == lastcall::ForcedEnd::Release {
        warn!("FORCED_END=release needs REDIS_URL: without a store sessions end with this pod");
    }
    if !options.database.is_set && options.upstream.is_none() {
        warn!("DATABASE_URL is not set: notes are kept in memory and end with this process");
    }
    if options.upstream.is_some() && options.service.session_start == SessionStart::Any {
        warn!(
            "SESSION_START=any has no effect with UPSTREAM_URL: in front of an app only navigations start sessions; unset it"
        );
    }
    if options.open_introspection {
        warn!("GRPC_AUTH is off: anyone who can reach GRPC_ADDR can see every session");
    } else if options.service.grpc_token.is_none() {
        info!("GRPC_TOKEN is not set: anyone on this machine can see every session");
    }
    if options.service.trusted_proxies.as_ref().is_some_and(Networks::include_every_address) {
        warn!("TRUSTED_PROXIES contains every address: any client can set its user name");
    }
    info!(
        pod.name = %options.service.pod,
        version = VERSION,
        http.address = address(&listeners.http),
        grpc.address = listeners.grpc.as_ref().map(address),
        metrics.address = listeners.metrics.as_ref().map(address),
        upstream.url = options.upstream.as_ref().map(|app| app.address.to_string()),
        probe.address = listeners.probes.as_ref().and_then(ProbeListener::listener).map(address),
        "serving"
    );
}

/// Logs the settings of a handoff, and what contradicts it.
fn log_handoff(options: &Options, line: &CommandLine<Raw>) {
    let Some(handoff) = options.service.policy.handoff else { return };
    info!(
        delay_seconds = handoff.delay.as_secs_f64(),
        rate_per_second = handoff.rate,
        quiet_seconds = handoff.quiet.as_secs_f64(),
        drain_timeout_seconds = options.service.policy.drain_timeout.as_secs_f64(),
        "HANDOFF is on: after SIGTERM sessions move to other pods"
    );
    if line.is_given("forced_end") && line.raw.deletes_at_forced_end() {
        warn!(
            "FORCED_END=delete has no effect with HANDOFF=on, which implies `release`: no session is deleted at the end of a \
             shutdown; remove FORCED_END, or set HANDOFF=off"
        );
    }
    if options.upstream.is_some() {
        // The notes are the sample app's.
        return;
    }
    if !options.database.is_set {
        warn!(
            "HANDOFF=on without DATABASE_URL: each pod keeps notes of its own, so that users who move find other notes; set \
             DATABASE_URL to a PostgreSQL that all pods share"
        );
    } else if options.database.url.kind() == "sqlite" {
        warn!(
            "HANDOFF=on with notes in a SQLite file: users who move find their notes only on pods that open the same file; set \
             DATABASE_URL to a PostgreSQL that all pods share"
        );
    }
}

fn address(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| address.to_string()).unwrap_or_default()
}
