//! Options from flags and from the environment.

use std::collections::HashMap;

use clap::CommandFactory as _;

use super::*;

fn parse(flags: &[&str]) -> Result<Options, String> {
    parse_with(flags, &[])
}

fn parse_with(flags: &[&str], environment: &[(&'static str, &'static str)]) -> Result<Options, String> {
    let raw = Raw::try_parse_from([&["admin-tier", "--user-pods", "a:1"], flags].concat()).unwrap();
    let environment: HashMap<&str, &str> = environment.iter().copied().collect();
    Options::parse(&raw, &environment).map_err(|errors| errors.to_string())
}

#[test]
fn the_page_of_options_is_generated_from_the_help() {
    let page = cli::options_page::render(&Raw::command(), &SECRETS);
    test_support::assert_generated("docs/options-admin-tier.md", &page);
}

#[test]
fn the_default_is_token_authentication() {
    let options = parse(&[]).unwrap();
    assert!(matches!(options.auth, AdminAuth::Token(None)) && options.unused.is_empty());
    let options = parse_with(&[], &[("ADMIN_TOKEN", "opener"), ("GRPC_TOKEN", "pods")]).unwrap();
    assert!(matches!(options.auth, AdminAuth::Token(Some(token)) if token.matches("opener")));
    assert!(options.grpc_token.is_some_and(|token| token.matches("pods")));
    let options = parse_with(&["--admin-auth", "off"], &[("ADMIN_TOKEN", "opener")]).unwrap();
    assert!(matches!(options.auth, AdminAuth::Off));
    assert_eq!(options.unused, ["ADMIN_TOKEN"]);
}

#[test]
fn a_proxy_needs_its_header_and_its_networks() {
    let proxy = ["--admin-auth", "proxy", "--trusted-user-header", "X-User", "--trusted-proxies", "10.0.0.0/8"];
    assert!(matches!(parse(&proxy).unwrap().auth, AdminAuth::Proxy(trusted) if trusted.header() == "x-user"));
    assert_eq!(parse(&proxy[2..]).unwrap().unused, ["TRUSTED_USER_HEADER"]);
    let alone = parse(&["--trusted-proxies", "10.0.0.0/8"]).unwrap();
    assert!(alone.trusted_proxies.is_some() && alone.unused.is_empty(), "they also set scheme and host");
    for (flags, variable) in [
        (&proxy[..2], "ADMIN_AUTH: `proxy` needs"),
        (&proxy[..4], "TRUSTED_PROXIES: is needed"),
        (&proxy[2..4], "TRUSTED_PROXIES: is needed"),
        (&["--admin-auth", "proxy", "--trusted-proxies", "::/0"], "ADMIN_AUTH: `proxy` needs TRUSTED_USER_HEADER"),
        (&["--admin-auth", "basic"], "ADMIN_AUTH: \"basic\" is not known; it is one of token, proxy, off"),
    ] {
        let fault = parse(flags).unwrap_err();
        assert!(fault.starts_with(variable) && fault.lines().count() == 1, "{fault}");
    }
}

#[test]
fn a_token_that_cannot_be_sent_is_reported_without_its_value() {
    let errors = parse_with(&[], &[("ADMIN_TOKEN", "a\u{e4}b"), ("GRPC_TOKEN", " pods")]).unwrap_err();
    let named: Vec<_> = errors.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(named, ["ADMIN_TOKEN", "GRPC_TOKEN"]);
    assert!(!errors.contains("a\u{e4}b") && !errors.contains("pods"), "{errors}");
    let fault = parse_with(&[], &[("ADMIN_TOKEN", "a"), ("ADMIN_TOKEN_FILE", "/b")]).unwrap_err();
    assert!(fault.starts_with("ADMIN_TOKEN: is given here and by ADMIN_TOKEN_FILE"), "{fault}");
}

#[test]
fn all_faults_are_reported_together() {
    let raw =
        ["admin-tier", "--http-addr", "x", "--refresh-interval", "1ms", "--log-format", "xml", "--admin-auth", "y"];
    let errors = Options::parse(&Raw::try_parse_from(raw).unwrap(), &HashMap::new()).unwrap_err().to_string();
    for variable in ["HTTP_ADDR", "USER_PODS", "REFRESH_INTERVAL", "LOG_FORMAT", "ADMIN_AUTH"] {
        assert_eq!(errors.lines().filter(|line| line.starts_with(variable)).count(), 1, "{errors}");
    }
}
