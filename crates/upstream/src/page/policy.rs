//! What the content security policies of an answer say about the script: whether it may load, whether it may connect, and with which
//! nonce. Policies are read as browsers do (CSP level 3), and never changed. Report-only policies forbid nothing.

mod directives;
mod source;

use http::HeaderMap;
use http::header::CONTENT_SECURITY_POLICY;

use self::directives::Directives;
use self::source::{Source, matches_any};

/// The addresses that the script needs, as a browser sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses<'a> {
    /// The names and ports under which the page may have been opened (`Host`, `X-Forwarded-Host`).
    pub(super) authorities: [Option<&'a str>; 2],
    /// Whether the page was opened over TLS, if that is known.
    pub(super) is_secure: Option<bool>,
    /// The path of the script.
    pub(super) script: &'a str,
    /// The path of the event stream.
    pub(super) events: &'a str,
}

/// What all enforced policies together say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The script loads and connects, with this nonce on its tag if there is one.
    Allowed(Option<String>),
    /// A policy forbids the script or its connection.
    Forbidden,
}

/// Reads the enforced policies of an answer.
pub(super) fn judge(headers: &HeaderMap, addresses: Addresses<'_>) -> Verdict {
    let policies: Vec<_> = headers
        .get_all(CONTENT_SECURITY_POLICY)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(|policy| Directives::parse(&String::from_utf8_lossy(policy)))
        .collect();
    if requires_integrity(headers) || !policies.iter().all(|policy| policy.allows_page_to_connect(addresses)) {
        return Verdict::Forbidden;
    }
    // A tag has one nonce, which must be right for every policy that lets the script in by a nonce alone.
    let mut required: Option<Vec<&str>> = None;
    let mut offered = None;
    for policy in &policies {
        let Some(sources) = policy.script_sources() else { continue };
        let nonces: Vec<_> = nonces(sources).collect();
        offered = offered.or_else(|| nonces.first().copied());
        if allows_parsed_script(sources, addresses) {
            continue;
        }
        let common: Vec<_> = match required {
            Some(others) => others.into_iter().filter(|nonce| nonces.contains(nonce)).collect(),
            None => nonces,
        };
        if common.is_empty() {
            return Verdict::Forbidden;
        }
        required = Some(common);
    }
    let required = required.and_then(|nonces| nonces.first().copied());
    Verdict::Allowed(required.or(offered).map(str::to_owned))
}

/// Whether scripts have to name a hash of their content (`Integrity-Policy`), as a script that Lastcall renews cannot.
fn requires_integrity(headers: &HeaderMap) -> bool {
    headers.get_all("integrity-policy").iter().any(|line| {
        let destinations =
            line.to_str().ok().and_then(|policy| policy.split("blocked-destinations=(").nth(1)?.split(')').next());
        destinations.is_some_and(|destinations| {
            destinations.split_ascii_whitespace().any(|destination| destination == "script")
        })
    })
}

/// Whether a script tag in the page loads without a nonce.
fn allows_parsed_script(sources: &[Source], addresses: Addresses<'_>) -> bool {
    !sources.contains(&Source::StrictDynamic) && matches_any(sources, addresses, addresses.script)
}

fn nonces(sources: &[Source]) -> impl Iterator<Item = &str> {
    sources.iter().filter_map(|source| match source {
        Source::Nonce(nonce) => Some(&**nonce),
        Source::StrictDynamic | Source::OwnOrigin | Source::Scheme(_) | Source::Host(_) | Source::Other => None,
    })
}

impl Directives {
    /// Whether the page has an origin of its own, and may open the event stream. A page in a sandbox may run no script at all.
    fn allows_page_to_connect(&self, addresses: Addresses<'_>) -> bool {
        let connects = self.connect_sources().is_none_or(|sources| matches_any(sources, addresses, addresses.events));
        connects
            && self
                .sandbox()
                .is_none_or(|tokens| ["allow-scripts", "allow-same-origin"].iter().all(|token| tokens.contains(*token)))
    }
}

#[cfg(test)]
mod tests;
