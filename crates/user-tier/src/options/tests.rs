//! Every option's way from text to value, and every fault at once.

use std::collections::HashMap;

use clap::Parser as _;
use maintenance_switch::Place;

use super::*;

/// With the token that the default address needs.
fn parse(flags: &[&str], environment: &[(&'static str, &'static str)]) -> Result<Options, String> {
    parse_bare(flags, &[&[("GRPC_TOKEN", "introspection")], environment].concat())
}

fn parse_bare(flags: &[&str], environment: &[(&'static str, &'static str)]) -> Result<Options, String> {
    let raw = Raw::try_parse_from([&["user-tier"], flags].concat()).map_err(|error| error.to_string())?;
    let environment: HashMap<&str, &str> = environment.iter().copied().collect();
    Options::parse(&raw, &environment).map_err(|faults| faults.to_string())
}

#[test]
fn the_defaults_are_the_contracts() {
    let options = parse(&[], &[("HOSTNAME", "user-abc")]).unwrap();
    assert_eq!(options.addresses.http, "0.0.0.0:9090".parse().unwrap());
    assert_eq!(options.addresses.grpc, "0.0.0.0:9091".parse().unwrap());
    assert_eq!(options.addresses.metrics, None);
    assert_eq!(options.service.pod.as_str(), "user-abc");
    assert_eq!(options.service.policy, Policy::default());
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
fn who_starts_a_session_and_how_long_it_lingers_without_a_stream_can_be_told() {
    let flags = ["--session-start", "navigation", "--streamless-linger", "24h"];
    let service = parse(&flags, &[]).unwrap().service;
    assert_eq!(service.session_start, SessionStart::Navigation);
    assert_eq!(service.limits.streamless_linger, Duration::from_secs(86_400));
    let faults = parse(&["--session-start", "always", "--streamless-linger", "25h"], &[]).unwrap_err();
    let lines: Vec<_> = faults.lines().collect();
    assert!(lines.len() == 2 && faults.contains("SESSION_START: \"always\"") && faults.contains("STREAMLESS_LINGER: "));
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
fn who_names_users_is_believed_from_networks_that_are_named() {
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
fn origins_that_may_post_here_are_named_one_by_one() {
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
fn all_faults_are_named_at_once() {
    let faults = parse(
        &["--drain-timeout", "soon", "--http-addr", "here", "--heartbeat-interval", "1ms", "--session-scope", "window"],
        &[("SESSION_KEY", "short"), ("POD_NAME_IGNORED", "x")],
    )
    .unwrap_err();
    let named: Vec<_> = faults.lines().filter_map(|line| line.split(':').next()).collect();
    for variable in ["HTTP_ADDR", "DRAIN_TIMEOUT", "SESSION_KEY", "HEARTBEAT_INTERVAL", "SESSION_SCOPE"] {
        assert!(named.contains(&variable), "{variable} is not in {faults}");
    }
    assert_eq!(named.len(), 5, "{faults}");
    assert!(!faults.contains("\"short\""), "a secret is shown: {faults}");
}

#[test]
fn the_waits_must_fit_into_the_grace_period() {
    assert!(parse(&["--termination-grace-period", "80s"], &[]).is_ok());
    let fault = parse(&["--termination-grace-period", "79s"], &[]).unwrap_err();
    assert!(fault.starts_with("TERMINATION_GRACE_PERIOD: 79s is too short"), "{fault}");
    assert!(parse(&["--termination-grace-period", ""], &[]).is_ok(), "empty is unset");
}

#[test]
fn two_servers_on_one_port_contradict_each_other() {
    let fault = parse(&["--grpc-addr", "127.0.0.1:9090"], &[]).unwrap_err();
    assert!(fault.starts_with("GRPC_ADDR: 127.0.0.1:9090 is taken by HTTP_ADDR"), "{fault}");
    let fault = parse(&["--metrics-addr", "0.0.0.0:9091"], &[]).unwrap_err();
    assert!(fault.starts_with("METRICS_ADDR: 0.0.0.0:9091 is taken by GRPC_ADDR"), "{fault}");
    assert!(parse(&["--http-addr", "127.0.0.1:0", "--grpc-addr", "127.0.0.1:0"], &[]).is_ok());
}

#[test]
fn keys_rotate_and_shared_needs_a_redis_to_share_through() {
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
fn the_maintenance_switch_lies_where_the_options_say() {
    let file = parse(&["--maintenance-file", "/etc/switch", "--maintenance-poll", "2s"], &[]).unwrap().switch;
    assert_eq!(file.place, Some(Place::File { path: "/etc/switch".into(), poll: Duration::from_secs(2) }));
    let map = ["--maintenance-file", "/etc/switch", "--maintenance-configmap", "sample-app/app-config"];
    assert!(matches!(parse(&map, &[]).unwrap().switch.place, Some(Place::ConfigMap(_))));
    let on = parse(&["--maintenance-mode", "Yes", "--maintenance-readiness", "never"], &[]).unwrap();
    assert!(on.switch.initial && on.switch.place.is_none());
    assert_eq!(on.service.policy.maintenance_readiness, lastcall::MaintenanceReadiness::Never);
    let faults =
        ["--maintenance-mode", "perhaps", "--maintenance-poll", "1ms", "--maintenance-configmap", "app-config"];
    assert_eq!(parse(&faults, &[]).unwrap_err().lines().count(), 3);
}
