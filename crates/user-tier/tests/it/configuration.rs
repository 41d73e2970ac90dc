//! Faulty options and ports in use: all reported together, exit status 78.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use test_support::Process;

use crate::{BINARY, pod};

async fn exit(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut process = Process::start(BINARY, arguments, environment);
    let status = process.wait().await;
    (status.code(), process.log().join("\n"))
}

#[tokio::test]
async fn all_faults_are_reported_and_the_status_is_78() {
    let (status, log) = exit(
        &["--drain-timeout", "soon"],
        &[
            ("HTTP_ADDR", "nowhere"),
            ("MAX_SESSIONS", "many"),
            ("SESSION_KEY", "tooshort"),
            ("TASK_GRACE", "a while"),
            ("TERMINATION_GRACE_PERIOD", "5s"),
        ],
    )
    .await;
    assert_eq!(status, Some(78));
    for variable in
        ["DRAIN_TIMEOUT", "HTTP_ADDR", "MAX_SESSIONS", "SESSION_KEY", "TASK_GRACE", "TERMINATION_GRACE_PERIOD"]
    {
        assert_eq!(log.lines().filter(|line| line.starts_with(&format!("{variable}:"))).count(), 1, "{log}");
    }
    assert!(!log.contains("tooshort"), "a secret is shown:\n{log}");
}

#[tokio::test]
async fn an_unknown_option_is_a_configuration_error_and_help_is_not() {
    assert_eq!(exit(&["--drain-time", "5s"], &[]).await.0, Some(78));
    assert_eq!(exit(&["--help"], &[]).await.0, Some(0));
    assert_eq!(exit(&["--version"], &[]).await.0, Some(0));
    let check =
        async |environment: &[(&str, &str)]| exit(&["--check-config", "--grpc-auth", "off"], environment).await.0;
    assert_eq!(check(&[]).await, Some(0));
    assert_eq!(check(&[("DRAIN_TIMEOUT", "soon")]).await, Some(78));
    let unset = [("DRAIN_TIMEOUT", ""), ("METRICS_ADDR", ""), ("SESSION_KEY", ""), ("TRUSTED_PROXIES", "")];
    assert_eq!(check(&unset).await, Some(0), "an empty variable is an unset one");
    assert_eq!(check(&[("RUST_LOG", "=what?")]).await, Some(78));
}

#[tokio::test]
async fn a_misspelt_option_is_reported_with_a_suggestion_beside_all_other_faults() {
    for (arguments, environment, lines) in [
        (
            &["--drain-timeot", "5s", "--second-signal=hury", "--auto-logout"][..],
            &[("HTTP_ADDR", "nowhere")][..],
            &[
                "--drain-timeot: is no option; did you mean --drain-timeout?",
                "--auto-logout: has no value",
                "HTTP_ADDR: ",
                "SECOND_SIGNAL: \"hury\" is not known; it is one of hurry, ignore",
                "GRPC_TOKEN: ",
            ][..],
        ),
        (
            &["--DRAIN_TIMEOUT=5s"],
            &[],
            &["--DRAIN_TIMEOUT: is no option; did you mean --drain-timeout?", "GRPC_TOKEN: "],
        ),
        (
            &["--session-key", "hunter2hunter2"],
            &[],
            &["--session-key: is a secret, and never a flag; set the variable SESSION_KEY", "GRPC_TOKEN: "],
        ),
        (
            &["maintenence-page"],
            &[],
            &["maintenence-page: is no command; did you mean maintenance-page?", "GRPC_TOKEN: "],
        ),
        (
            &["--session-key", "-p4ss-hunter2", "--drain-timeot", "5s"],
            &[],
            &[
                "--session-key: is a secret",
                "--drain-timeot: is no option; did you mean --drain-timeout?",
                "GRPC_TOKEN: ",
            ],
        ),
        (
            &["--grpc-token", "--hunter2", "--drain-timeout", "-5s", "-xhunter2"],
            &[],
            &["--grpc-token: is a secret", "--drain-timeout: has no value; ", "-x: is no option; ", "GRPC_TOKEN: "],
        ),
        (&["--check-config", "extra"], &[], &["extra: is no command; ", "GRPC_TOKEN: "]),
        (
            &["--check-config", "maintenance-page"],
            &[],
            &["maintenance-page: is given behind an option; ", "GRPC_TOKEN: "],
        ),
        (&["--sesion key\nhunter2", ""], &[], &["--sesion: is no option", "\"\": is no command; ", "GRPC_TOKEN: "]),
        (
            &["--check-config", "--drain-timeout", "25h"],
            &[("GRPC_TOKN", "hunter2")],
            &[
                "DRAIN_TIMEOUT: \"25h\" is out of range; it must be between 0s and 24h",
                "GRPC_TOKEN: is required",
                "GRPC_TOKN: is no option; did you mean GRPC_TOKEN?",
            ],
        ),
        (&["maintenance-page", "--http-adr=:80"], &[], &["--http-adr: is no option; did you mean --http-addr?"]),
    ] {
        let (status, log) = exit(arguments, environment).await;
        assert_eq!(status, Some(78), "{log}");
        assert_eq!(log.lines().count(), lines.len(), "one line each:\n{log}");
        for line in lines {
            assert!(log.lines().any(|said| said.starts_with(line)), "no {line:?} in\n{log}");
        }
        assert!(!log.contains("hunter2"), "a secret is shown:\n{log}");
    }
}

#[test]
fn arguments_that_are_not_utf_8_are_reported_on_one_line_each() {
    for (arguments, said) in [
        (
            &[&b"--auto-logut"[..], b"--pod-name", b"hunter2\xff", b"--drain-timeout=\xff", b"maintenance-page"][..],
            "--drain-timeout: is no UTF-8\n--pod-name: is no UTF-8\n",
        ),
        (
            &[b"--drain-timeot=5s", b"hunter2\xff"],
            "--drain-timeot: is no option; did you mean --drain-timeout?\narguments: ",
        ),
    ] {
        let arguments = arguments.iter().map(|argument| OsStr::from_bytes(argument));
        let output = std::process::Command::new(BINARY).args(arguments).env_clear().output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{log}");
        let mut lines: Vec<_> = said.lines().collect();
        lines.retain(|line| !log.lines().any(|said| said.starts_with(line)));
        assert!(lines.is_empty() && log.lines().all(|line| line.contains(": ")), "no {lines:?} in\n{log}");
        assert!(!log.contains("hunter2"), "{log}");
    }
}

#[test]
fn a_valid_configuration_is_reported_on_stdout_and_a_variable_that_looks_like_an_option_on_stderr() {
    let check = |variable: &str| {
        let mut command = std::process::Command::new(BINARY);
        command.args(["--check-config", "--grpc-auth", "off"]).env_clear().env(variable, "5s").output().unwrap()
    };
    for (variable, said) in [
        ("DRAIN_TIMEOT", "DRAIN_TIMEOT: is no option; did you mean DRAIN_TIMEOUT?\n"),
        ("SESSION_KEYS", "SESSION_KEYS: is no option; did you mean SESSION_KEY?\n"),
        ("NODE_NAME", ""),
        ("DRAIN_TIMEOUT", ""),
    ] {
        let output = check(variable);
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout), "configuration is valid\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    }
}

#[tokio::test]
async fn open_introspection_without_a_token_is_refused_and_off_is_logged() {
    let (status, log) = exit(&[], &[("HTTP_ADDR", "127.0.0.1:0"), ("GRPC_ADDR", "0.0.0.0:0")]).await;
    assert_eq!(status, Some(78));
    assert!(log.starts_with("GRPC_TOKEN: is required") && log.contains("GRPC_AUTH=off"), "{log}");
    let pod = pod(&[("GRPC_ADDR", "0.0.0.0:0"), ("GRPC_AUTH", "off")]).await;
    pod.line("GRPC_AUTH is off").await;
}

#[tokio::test]
async fn all_ports_in_use_are_reported_together() {
    let pod = pod(&[]).await;
    let (status, log) = exit(&[], &[("HTTP_ADDR", &pod.http), ("GRPC_ADDR", &pod.grpc)]).await;
    assert_eq!(status, Some(78));
    for variable in ["HTTP_ADDR", "GRPC_ADDR"] {
        assert!(log.contains(&format!("{variable}: cannot listen on 127.0.0.1:")), "{log}");
    }
}

#[tokio::test]
async fn metrics_move_to_their_own_port() {
    let pod = pod(&[("METRICS_ADDR", "127.0.0.1:0")]).await;
    let line = pod.line("metrics.address=").await;
    let address = line.split("metrics.address=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert_eq!(test_support::metric(&page, "total_logins"), Some(0.0));
    assert_eq!(pod.person().status("/metrics").await, 404);
}
