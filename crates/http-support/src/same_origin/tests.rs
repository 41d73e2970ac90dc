//! Requests of our own pages and of other sites, as browsers and proxies send them.

use http::HeaderValue;
use http::header::HeaderName;

use super::*;

type Lines = [(&'static str, &'static str)];

fn headers(lines: &Lines) -> HeaderMap {
    let line = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

fn check(rules: &SameOrigin, host: &'static str, lines: &Lines) -> Result<(), CrossOriginError> {
    let mut headers = headers(lines);
    headers.insert(HOST, HeaderValue::from_static(host));
    rules.check(&headers, &Uri::from_static("/login"))
}

const OWN: (&str, &str) = ("origin", "http://app.test:9090");
const EVIL: (&str, &str) = ("origin", "https://evil.test");
const NULL: (&str, &str) = ("origin", "null");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");

#[test]
fn the_browsers_own_word_counts_before_the_host() {
    use CrossOriginError::{Opaque, Origin, Site};
    let cases: [(&str, &Lines, Result<(), CrossOriginError>); 20] = [
        ("app.test:9090", &[], Ok(())),
        ("app.test:9090", &[SAME_ORIGIN, OWN], Ok(())),
        ("backend", &[SAME_ORIGIN, OWN], Ok(())),
        ("app.test", &[SAME_ORIGIN, OWN], Ok(())),
        ("backend", &[("sec-fetch-site", "none"), OWN], Ok(())),
        ("app.test:9090", &[SAME_ORIGIN, NULL], Ok(())),
        ("app.test:9090", &[CROSS_SITE, OWN], Err(Site)),
        ("app.test:9090", &[("sec-fetch-site", "same-site")], Err(Site)),
        ("app.test:9090", &[("sec-fetch-site", "")], Err(Site)),
        ("app.test:9090", &[("sec-fetch-site", "Same-Origin"), OWN], Err(Site)),
        ("app.test:9090", &[SAME_ORIGIN, CROSS_SITE, OWN], Err(Site)),
        ("app.test:9090", &[("sec-fetch-site", "same-origin, cross-site"), OWN], Err(Site)),
        ("app.test:9090", &[OWN], Ok(())),
        ("app.test:9190", &[OWN], Err(Origin)),
        ("app.test", &[OWN], Err(Origin)),
        ("app.test:9090", &[EVIL], Err(Origin)),
        ("app.test:9090", &[OWN, EVIL], Err(Origin)),
        ("app.test:9090", &[("origin", "http://app.test:9090 https://evil.test")], Err(Origin)),
        ("app.test:9090", &[NULL], Err(Opaque)),
        ("app.test", &[("origin", "http://app.test:443")], Err(Origin)),
    ];
    for (host, lines, expected) in cases {
        assert_eq!(check(&SameOrigin::default(), host, lines), expected, "{host} {lines:?}");
    }
    let garbled = [(ORIGIN, HeaderValue::from_bytes(b"http://app.test\xff").unwrap())].into_iter().collect();
    assert_eq!(SameOrigin::default().check(&garbled, &Uri::from_static("/")), Err(Origin));
    let target = Uri::from_static("http://app.test/login");
    let headers = headers(&[("host", "other"), ("origin", "http://app.test")]);
    assert_eq!(SameOrigin::default().check(&headers, &target), Ok(()), "the target's host counts before the field");
}

#[test]
fn the_host_that_a_trusted_proxy_was_asked_for_is_ours_too() {
    let believing = SameOrigin::new(AllowedOrigins::default(), true);
    for (forwarded, ours) in [
        ("app.test:9090", true),
        ("APP.test:9090, inner", true),
        ("inner, app.test:9090", false),
        ("app.test", false),
        ("", false),
        ("app.test:9090/x", false),
    ] {
        let lines = &[OWN, ("x-forwarded-host", forwarded)];
        assert_eq!(check(&believing, "backend", lines).is_ok(), ours, "{forwarded:?}");
        assert!(check(&SameOrigin::default(), "backend", lines).is_err(), "{forwarded:?}, from anybody");
    }
    assert!(check(&believing, "app.test:9090", &[OWN, ("x-forwarded-host", "x")]).is_ok(), "Host counts as ever");
    assert!(check(&believing, "backend", &[CROSS_SITE, OWN, ("x-forwarded-host", "app.test:9090")]).is_err());
}

#[test]
fn pages_of_allowed_origins_may_post_whatever_the_browser_calls_them() {
    let rules = SameOrigin::new("https://shop.test,https://www.app.test:8443".parse().unwrap(), false);
    let shop = ("origin", "https://shop.test");
    for lines in
        [&[shop][..], &[CROSS_SITE, shop], &[("sec-fetch-site", "same-site"), ("origin", "https://www.app.test:8443")]]
    {
        assert_eq!(check(&rules, "app.test", lines), Ok(()), "{lines:?}");
    }
    for lines in [
        &[EVIL][..],
        &[CROSS_SITE, EVIL],
        &[CROSS_SITE],
        &[("origin", "http://shop.test")],
        &[("origin", "https://shop.test:8443")],
        &[("origin", "https://www.app.test")],
        &[shop, EVIL],
        &[CROSS_SITE, NULL],
    ] {
        assert!(check(&rules, "app.test", lines).is_err(), "{lines:?}");
    }
}

static LOGOUT: std::sync::LazyLock<Uri> = std::sync::LazyLock::new(|| Uri::from_static("/logout"));

#[test]
fn a_get_ends_something_only_where_a_user_went_there_or_our_own_script_asked() {
    let document = ("sec-fetch-dest", "document");
    let empty = ("sec-fetch-dest", "empty");
    let same_site = ("sec-fetch-site", "same-site");
    let wanted: [&Lines; 12] = [
        &[],
        &[("accept", "text/html")],
        &[("accept", "*/*")],
        &[("accept", "application/json, text/plain, */*")],
        &[("host", "app.test"), ("origin", "http://app.test")],
        &[document],
        &[document, SAME_ORIGIN, ("sec-fetch-user", "?1")],
        &[document, ("sec-fetch-site", "none")],
        &[document, same_site],
        &[empty, SAME_ORIGIN],
        &[SAME_ORIGIN, ("sec-fetch-mode", "navigate")],
        &[("hx-preloaded", "false"), ("purpose", "other")],
    ];
    for lines in wanted {
        assert!(SameOrigin::default().is_intended(&headers(lines), &LOGOUT), "{lines:?}");
    }
    let unwanted: [&Lines; 28] = [
        &[CROSS_SITE],
        &[document, CROSS_SITE],
        &[empty, same_site],
        &[("sec-fetch-dest", "image"), SAME_ORIGIN],
        &[("sec-fetch-dest", "iframe"), SAME_ORIGIN],
        &[("sec-fetch-dest", "script")],
        &[("sec-fetch-dest", "serviceworker")],
        &[("sec-fetch-dest", "")],
        &[("sec-fetch-dest", "ü")],
        &[document, ("sec-fetch-dest", "image")],
        &[SAME_ORIGIN, ("sec-fetch-mode", "no-cors")],
        &[document, ("sec-purpose", "prefetch")],
        &[document, ("sec-purpose", "prefetch;prerender")],
        &[document, ("sec-purpose", "prefetch;anonymous-client-ip")],
        &[("x-sec-purpose", "prefetch")],
        &[("x-sec-purpose", "Prefetch")],
        &[("purpose", "prefetch")],
        &[("purpose", "ü, prefetch")],
        &[("x-purpose", "preview")],
        &[("x-moz", "prefetch")],
        &[("hx-preloaded", "true")],
        &[("next-router-prefetch", "1")],
        &[("next-router-prefetch", "2")],
        &[("x-middleware-prefetch", "1")],
        // Over plain HTTP browsers tell a picture by `Accept` alone, and a script of another origin by `Origin`.
        &[("accept", "image/avif,image/webp,*/*;q=0.8")],
        &[("accept", "text/css,*/*;q=0.1")],
        &[("host", "app.test"), ("origin", "http://app.test:81")],
        &[("host", "app.test"), ("origin", "null")],
    ];
    for lines in unwanted {
        assert!(!SameOrigin::default().is_intended(&headers(lines), &LOGOUT), "{lines:?}");
    }
}
