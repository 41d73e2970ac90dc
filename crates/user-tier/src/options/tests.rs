//! Every option's way from text to value, and every fault at once.

use std::collections::HashMap;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use lastcall::SessionStart;
use maintenance_switch::SwitchLocation;

use super::*;

/// With the token that the default address needs.
fn parse<'a>(flags: &[&str], environment: &[(&'a str, &'a str)]) -> Result<Options, String> {
    parse_bare(flags, &[&[("GRPC_TOKEN", "introspection")], environment].concat())
}

fn parse_bare<'a>(flags: &[&str], environment: &[(&'a str, &'a str)]) -> Result<Options, String> {
    let raw = Raw::try_parse_from([&["user-tier"], flags].concat()).map_err(|error| error.to_string())?;
    let environment: HashMap<&str, &str> = environment.iter().copied().collect();
    Options::parse(&raw, &environment).map_err(|errors| errors.to_string())
}

fn page() -> String {
    cli::options_page::render(&Raw::command(), &raw::SECRETS)
}

#[test]
fn the_page_of_options_is_generated_from_the_help() {
    test_support::assert_generated("docs/options-user-tier.md", &page());
}

#[test]
fn defaults_that_help_describes_in_words_are_those_of_the_code() {
    let help = page();
    for default in
        [cli::options::format_duration(lastcall::DEFAULT_RETRY_AFTER), defaults::DEFAULTS.max_streams.to_string()]
    {
        assert!(help.contains(&default), "{default}");
    }
    let closing = cli::options::format_duration(lastcall::CLOSING_TIME);
    assert!(help.contains(&format!("PROPAGATION_WAIT + {closing} must fit")), "{help}");
}

#[test]
fn defaults_are_those_of_the_library_and_of_the_contract() {
    let options = parse(&[], &[("HOSTNAME", "user-abc")]).unwrap();
    assert_eq!(options.addresses.http, "0.0.0.0:9090".parse().unwrap());
    assert_eq!(options.addresses.grpc, "0.0.0.0:9091".parse().unwrap());
    assert_eq!(options.addresses.metrics, None);
    assert_eq!(options.service.pod.as_str(), "user-abc");
    assert_eq!(options.service.policy, Config::new(pod::placeholder()).policy);
    assert_eq!(options.service.policy.drain_timeout, Duration::from_secs(60));
    assert_eq!(options.service.policy.propagation_wait, Duration::from_secs(15));
    assert_eq!(options.service.limits.max_sessions, 100_000);
    assert_eq!(options.service.max_streams_per_session, 20);
    assert_eq!(options.max_streams, None);
    assert_eq!(options.service.keep_alive_timeout, Duration::from_secs(75));
    assert!(options.service.auto_logout && options.random_key);
    assert!(options.service.grpc_token.is_some() && !options.open_introspection);
    assert_eq!(options.service.trusted_user, None);
    assert_eq!(options.service.session_start, SessionStart::Any);
    assert_eq!(options.service.limits.streamless_linger, Duration::from_secs(60));
}

#[test]
fn session_start_and_streamless_linger_are_options() {
    let flags = ["--session-start", "navigation", "--streamless-linger", "24h"];
    let service = parse(&flags, &[]).unwrap().service;
    assert_eq!(service.session_start, SessionStart::Navigation);
    assert_eq!(service.limits.streamless_linger, Duration::from_secs(86_400));
    let errors = parse(&["--session-start", "always", "--streamless-linger", "25h"], &[]).unwrap_err();
    let lines: Vec<_> = errors.lines().collect();
    assert!(lines.len() == 2 && errors.contains("SESSION_START: \"always\"") && errors.contains("STREAMLESS_LINGER: "));
}

#[test]
fn introspection_needs_a_token_unless_it_is_on_loopback_or_off() {
    let fault = parse_bare(&[], &[]).unwrap_err();
    assert!(fault.starts_with("GRPC_TOKEN: is required") && fault.contains("GRPC_AUTH=off"), "{fault}");
    assert!(parse_bare(&["--grpc-auth", "off"], &[]).unwrap().open_introspection);
    for address in ["127.0.0.1:9091", "127.9.9.9:9091", "[::1]:9091"] {
        let options = parse_bare(&["--grpc-addr", address], &[]).unwrap();
        assert!(options.service.grpc_token.is_none() && !options.open_introspection);
    }
    let given = parse(&["--grpc-addr", "127.0.0.1:9091"], &[]).unwrap();
    assert!(given.service.grpc_token.unwrap().matches("introspection"));
    assert!(parse(&["--grpc-auth", "off"], &[]).unwrap().service.grpc_token.is_none());
    let fault = parse_bare(&["--grpc-auth", "maybe"], &[]).unwrap_err();
    assert_eq!(fault, "GRPC_AUTH: \"maybe\" is not known; it is one of token, off");
    let fault = parse_bare(&[], &[("GRPC_TOKEN", "schlüssel")]).unwrap_err();
    assert!(fault.starts_with("GRPC_TOKEN: has") && fault.lines().count() == 1 && !fault.contains("schl"), "{fault}");
    let fault = parse_bare(&[], &[("GRPC_TOKEN_FILE", "/nowhere")]).unwrap_err();
    assert!(fault.starts_with("GRPC_TOKEN_FILE: ") && fault.lines().count() == 1, "{fault}");
}

#[test]
fn the_user_header_is_believed_from_trusted_proxies_only() {
    let trusted = ["--trusted-user-header", "X-Forwarded-User", "--trusted-proxies", "10.0.0.0/8, fd00::/8"];
    let trusted = parse(&trusted, &[]).unwrap().service.trusted_user.unwrap();
    assert!(trusted.trusts("10.1.2.3".parse().unwrap()) && !trusted.trusts("127.0.0.1".parse().unwrap()));
    for (flags, variable) in [
        (&["--trusted-user-header", "X-User"][..], "TRUSTED_PROXIES: is needed"),
        (&["--trusted-user-header", "X-User", "--trusted-proxies", "proxy"], "TRUSTED_PROXIES: \"proxy\" is no"),
    ] {
        let fault = parse(flags, &[]).unwrap_err();
        assert!(fault.starts_with(variable) && fault.lines().count() == 1, "{fault}");
    }
    let alone = parse(&["--trusted-proxies", "10.0.0.0/8"], &[]).unwrap().service;
    assert!(alone.trusted_proxies.is_some() && alone.trusted_user.is_none(), "they say scheme and host as well");
}

#[test]
fn allowed_origins_are_exact_origins() {
    let allowed =
        parse(&["--allowed-origins", "https://a.test, http://b.test:8080"], &[]).unwrap().service.allowed_origins;
    assert_eq!(allowed, "https://A.test:443,http://b.test:8080".parse().unwrap());
    assert_eq!(
        parse(&["--allowed-origins", ""], &[]).unwrap().service.allowed_origins,
        lastcall::AllowedOrigins::default()
    );
    for (origins, fault) in [
        ("*", "ALLOWED_ORIGINS: \"*\" would let pages of every site"),
        ("null", "ALLOWED_ORIGINS: \"null\" would let"),
        ("https://a.test/", "ALLOWED_ORIGINS: \"https://a.test/\" has a path"),
        ("a.test", "ALLOWED_ORIGINS: \"a.test\" is no origin"),
        (",", "ALLOWED_ORIGINS: names no origin"),
    ] {
        let found = parse(&["--allowed-origins", origins], &[]).unwrap_err();
        assert!(found.starts_with(fault) && found.lines().count() == 1, "{found}");
    }
}

#[test]
fn all_faults_are_reported_together() {
    let errors = parse(
        &["--drain-timeout", "soon", "--http-addr", "here", "--heartbeat-interval", "1ms", "--session-scope", "window"],
        &[("SESSION_KEY", "short"), ("POD_NAME_IGNORED", "x")],
    )
    .unwrap_err();
    let named: Vec<_> = errors.lines().filter_map(|line| line.split(':').next()).collect();
    for variable in ["HTTP_ADDR", "DRAIN_TIMEOUT", "SESSION_KEY", "HEARTBEAT_INTERVAL", "SESSION_SCOPE"] {
        assert!(named.contains(&variable), "{variable} is not in {errors}");
    }
    assert_eq!(named.len(), 5, "{errors}");
    assert!(!errors.contains("\"short\""), "a secret is shown: {errors}");
}

#[test]
fn the_waits_must_fit_into_the_grace_period() {
    assert!(parse(&["--termination-grace-period", "80s"], &[]).is_ok());
    let fault = parse(&["--termination-grace-period", "79s"], &[]).unwrap_err();
    assert!(fault.starts_with("TERMINATION_GRACE_PERIOD: 79s is too short"), "{fault}");
    assert!(parse(&["--termination-grace-period", ""], &[]).is_ok(), "empty is unset");
}

#[test]
fn work_in_progress_and_the_database_count_in_the_grace_period() {
    let flags = |granted| ["--task-grace", "30s", "--termination-grace-period", granted];
    assert_eq!(parse(&flags("110s"), &[]).unwrap().service.policy.task_grace, Duration::from_secs(30));
    assert!(parse(&flags("109s"), &[]).is_err());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "sqlite:/data/notes").unwrap();
    let path = file.path().to_str().unwrap();
    for database in [("DATABASE_URL", "sqlite:/data/notes"), ("DATABASE_URL_FILE", path)] {
        assert!(parse(&flags("120s"), &[database]).is_ok(), "{database:?}");
        let fault = parse(&flags("119s"), &[database]).unwrap_err();
        let sum = "DRAIN_TIMEOUT 60s + TASK_GRACE 30s + PROPAGATION_WAIT 15s + 10s for the database + 5s for closing make 120s";
        assert!(fault.contains(sum), "{fault}");
    }
    assert!(parse(&flags("110s"), &[("DATABASE_URL", "")]).is_ok(), "empty is unset");
    let errors = parse(&["--task-grace", "25h"], &[]).unwrap_err();
    assert!(errors.starts_with("TASK_GRACE: ") && errors.lines().count() == 1, "{errors}");
    assert_eq!(parse(&[], &[]).unwrap().service.policy.task_grace, Duration::ZERO);
}

#[test]
fn two_listeners_on_one_port_are_a_fault() {
    let fault = parse(&["--grpc-addr", "127.0.0.1:9090"], &[]).unwrap_err();
    assert!(fault.starts_with("GRPC_ADDR: 127.0.0.1:9090 is taken by HTTP_ADDR"), "{fault}");
    let fault = parse(&["--metrics-addr", "0.0.0.0:9091"], &[]).unwrap_err();
    assert!(fault.starts_with("METRICS_ADDR: 0.0.0.0:9091 is taken by GRPC_ADDR"), "{fault}");
    assert!(parse(&["--http-addr", "127.0.0.1:0", "--grpc-addr", "127.0.0.1:0"], &[]).is_ok());
}

#[test]
fn session_key_takes_several_keys_and_shared_needs_redis() {
    let (a, b) = ("a secret of more than thirty-two bytes", "another secret of over thirty-two bytes");
    let both: &'static str = Box::leak(format!("{a},{b}").into_boxed_str());
    assert!(!parse(&[], &[("SESSION_KEY", both)]).unwrap().random_key);
    assert!(parse(&[], &[("SESSION_KEY", "shared")]).unwrap_err().contains("REDIS_URL"));
    let shared = parse(&[], &[("SESSION_KEY", "shared"), ("REDIS_URL", "redis://localhost")]).unwrap();
    assert!(shared.service.shared_key && shared.service.store.is_some());
    let fault = parse(&[], &[("REDIS_URL", "redis:/user:hunter2@localhost")]).unwrap_err();
    assert!(fault.starts_with("REDIS_URL: ") && !fault.contains("hunter2"), "{fault}");
}

#[test]
fn the_options_say_where_the_maintenance_switch_is() {
    let file = parse(&["--maintenance-file", "/etc/switch", "--maintenance-poll", "2s"], &[]).unwrap().switch;
    assert_eq!(file.place, Some(SwitchLocation::File { path: "/etc/switch".into(), poll: Duration::from_secs(2) }));
    let map = ["--maintenance-file", "/etc/switch", "--maintenance-configmap", "sample-app/app-config"];
    assert!(matches!(parse(&map, &[]).unwrap().switch.place, Some(SwitchLocation::ConfigMap(_))));
    let on = parse(&["--maintenance-mode", "Yes", "--maintenance-readiness", "never"], &[]).unwrap();
    assert!(on.switch.initial && on.switch.place.is_none());
    assert_eq!(on.service.policy.maintenance_readiness, lastcall::MaintenanceReadiness::Never);
    let errors =
        ["--maintenance-mode", "perhaps", "--maintenance-poll", "1ms", "--maintenance-configmap", "app-config"];
    assert_eq!(parse(&errors, &[]).unwrap_err().lines().count(), 3);
}

#[test]
fn the_database_is_sqlite_or_postgres_and_no_fault_shows_the_url() {
    let unset = parse(&[], &[]).unwrap().database;
    assert!(!unset.is_set && unset.url.kind() == "memory");
    let set = parse(&[], &[("DATABASE_URL", "postgres://ada:hunter2@db/notes")]).unwrap().database;
    assert!(set.is_set && set.url.kind() == "postgres");
    assert!(!format!("{set:?}").contains("hunter2"));
    for url in ["mysql://ada:hunter2@db/notes", "postgres://ada:hunter2@db:no-port/notes", "sqlite:"] {
        let fault = parse(&[], &[("DATABASE_URL", url)]).unwrap_err();
        assert!(
            fault.starts_with("DATABASE_URL: ") && fault.contains("write sqlite:/") | fault.contains("write postgres:")
        );
        assert!(fault.lines().count() == 1 && !fault.contains("hunter2"), "{fault}");
    }
    let flag = parse(&["--database-url", "sqlite:/data/notes.db"], &[]).unwrap_err();
    assert!(flag.contains("--database-url"), "{flag}");
}

#[test]
fn an_app_behind_changes_the_defaults_and_its_faults_are_reported_together() {
    let options = parse(&["--upstream-url", "http://127.0.0.1:8000"], &[]).unwrap();
    assert_eq!(options.service.session_cookie.as_str(), "lastcall_session");
    assert_eq!(options.service.session_start, SessionStart::Navigation);
    assert_eq!(options.service.route_prefix.as_str(), "/_lastcall");
    let upstream = options.upstream.unwrap();
    assert_eq!(upstream.timeouts.connect, Duration::from_secs(5));
    assert_eq!(upstream.timeouts.idle, Duration::from_secs(1));
    assert!(upstream.injects_script && upstream.logout_redirect.is_none());
    assert!(parse(&[], &[]).unwrap().upstream.is_none());
    let faulty =
        ["--upstream-url", "https://user:secret@app/x", "--session-scope", "tab", "--logout-redirect", "//elsewhere"];
    let faults = parse(&faulty, &[("DATABASE_URL", "sqlite::memory:")]).unwrap_err();
    for variable in ["UPSTREAM_URL", "SESSION_SCOPE", "LOGOUT_REDIRECT", "DATABASE_URL"] {
        assert!(faults.lines().any(|line| line.starts_with(variable)), "{variable} in {faults}");
    }
    assert!(!faults.contains("secret"), "{faults}");
    assert!(parse(&["--logout-redirect", "/out"], &[]).unwrap_err().contains("UPSTREAM_URL"));
}
