use http::HeaderValue;

use super::*;

const ADDRESSES: Addresses<'_> = Addresses {
    authorities: [Some("shop.example:8443"), None],
    is_secure: Some(true),
    script: "/_lastcall/assets/lastcall.js",
    events: "/_lastcall/events",
};

fn verdict_at(addresses: Addresses<'_>, lines: &[&str]) -> Verdict {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_str(line).unwrap());
    }
    judge(&headers, addresses)
}

fn verdict(lines: &[&str]) -> Verdict {
    verdict_at(ADDRESSES, lines)
}

fn allowed(nonce: &str) -> Verdict {
    Verdict::Allowed(Some(nonce.to_owned()).filter(|nonce| !nonce.is_empty()))
}

#[test]
fn a_policy_allows_the_script_as_browsers_read_it() {
    for (policy, nonce) in [
        ("", ""),
        ("frame-ancestors 'none'; upgrade-insecure-requests", ""),
        ("default-src 'self'", ""),
        ("DEFAULT-SRC 'SELF'", ""),
        ("script-src 'self'; connect-src 'self'", ""),
        ("script-src *; connect-src *", ""),
        ("script-src https:; connect-src http: ", ""),
        ("script-src 'none' 'self'", ""),
        ("script-src 'self' 'sha256-AAAA' 'unsafe-inline'", ""),
        ("script-src https://shop.example:8443", ""),
        ("script-src https://shop.example:8443/_lastcall/; connect-src shop.example:8443/_lastcall/events", ""),
        ("script-src *.example:*", ""),
        ("script-src 'none'; script-src-elem 'self'", ""),
        ("script-src 'self'; script-src 'none'", ""),
        ("script-src 'nonce-AbC+/-_=='", "AbC+/-_=="),
        ("script-src 'NONCE-AbC'", "AbC"),
        ("script-src 'self' 'nonce-AbC'", "AbC"),
        ("script-src 'nonce-AbC' 'strict-dynamic' https: 'unsafe-inline'; object-src 'none'", "AbC"),
        ("default-src 'self' 'nonce-AbC'", "AbC"),
        ("default-src 'none'; script-src 'nonce-AbC'; connect-src 'self'", "AbC"),
        ("script-src-elem 'nonce-elem'; script-src 'nonce-other'", "elem"),
        ("sandbox allow-scripts allow-same-origin allow-forms", ""),
        ("require-trusted-types-for 'script'; trusted-types 'none'", ""),
    ] {
        assert_eq!(verdict(&[policy]), allowed(nonce), "{policy}");
    }
}

#[test]
fn a_policy_forbids_the_script_or_its_connection() {
    for policy in [
        "script-src",
        "script-src 'none'",
        "default-src 'none'",
        "script-src 'sha256-AAAA'",
        "script-src 'unsafe-inline' 'unsafe-eval'",
        "script-src https://cdn.example",
        "script-src shop.example",
        "script-src https://shop.example:8443/static/",
        "script-src http://example:8443 *.shop.example:8443",
        "script-src 'strict-dynamic' 'self' https:",
        "script-src 'nonce-a b'",
        "script-src 'nonce-\"onload=x'",
        "script-src 'nonce-'",
        "script-src data: blob:",
        "script-src-elem 'none'; script-src 'self'",
        "connect-src 'none'",
        "connect-src https://api.example",
        "default-src 'none'; script-src 'self'",
        "default-src 'nonce-AbC'",
        "sandbox",
        "sandbox allow-scripts",
        "sandbox allow-same-origin; script-src 'self'",
    ] {
        assert_eq!(verdict(&[policy]), Verdict::Forbidden, "{policy}");
    }
}

#[test]
fn a_policy_of_integrity_forbids_the_script() {
    for (policy, is_allowed) in [
        ("blocked-destinations=(script)", false),
        ("sources=(inline), blocked-destinations=(style script), endpoints=(main)", false),
        ("blocked-destinations=(style)", true),
        ("", true),
    ] {
        let headers = HeaderMap::from_iter([("integrity-policy".parse().unwrap(), HeaderValue::from_static(policy))]);
        assert_eq!(judge(&headers, ADDRESSES) == allowed(""), is_allowed, "{policy}");
    }
}

#[test]
fn every_policy_of_every_line_counts() {
    assert_eq!(verdict(&["script-src 'self', connect-src 'none'"]), Verdict::Forbidden);
    assert_eq!(verdict(&["script-src 'self'", "script-src 'none'"]), Verdict::Forbidden);
    assert_eq!(verdict(&["script-src 'nonce-a'", "script-src 'nonce-b'"]), Verdict::Forbidden);
    assert_eq!(verdict(&["script-src 'nonce-a' 'nonce-b', script-src 'nonce-b' 'nonce-c'"]), allowed("b"));
    assert_eq!(verdict(&["script-src 'self' 'nonce-a'", "script-src 'nonce-b'"]), allowed("b"));
    assert_eq!(verdict(&["img-src 'none'", "script-src 'nonce-b'"]), allowed("b"));
}

#[test]
fn a_source_that_may_match_the_page_matches() {
    let at = |authority, is_secure| Addresses { authorities: [None, Some(authority)], is_secure, ..ADDRESSES };
    for (policy, authority, is_secure, is_allowed) in [
        ("script-src https:", "a.example", None, true),
        ("script-src https:", "a.example", Some(false), false),
        ("script-src http://a.example", "a.example", Some(true), true),
        ("script-src http://a.example:80", "a.example:443", Some(true), true),
        ("script-src https://a.example", "a.example", None, true),
        ("script-src a.example", "A.example:80", Some(false), true),
        ("script-src [::1]:9090", "[::1]:9090", Some(false), true),
        ("script-src [::1]:9090", "[::1]", Some(false), false),
        ("script-src localhost:9090", "localhost:9091", Some(false), false),
    ] {
        let verdict = verdict_at(at(authority, is_secure), &[policy]);
        assert_eq!(verdict != Verdict::Forbidden, is_allowed, "{policy} at {authority}");
    }
}
