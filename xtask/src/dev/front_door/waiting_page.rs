//! The front door's own answer when no pod answers.

use super::head::Head;

/// A page that reloads once a pod reports that it would serve the page, whatever another server answers meanwhile. It requests
/// `/session`, which starts no session.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>One moment</title><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<noscript><meta http-equiv="refresh" content="1"></noscript>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}</style>
</head>
<body>
<h1>One moment</h1>
<p>No server answers at the moment. What you wrote is kept in this browser.</p>
<p role="status">This page will reload automatically.</p>
<script>
const base = /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0] ?? "/";
async function again() {
  try {
    const request = { headers: { accept: "application/json" }, redirect: "manual", cache: "no-store" };
    const answer = await fetch(`${base}session`, request);
    const session = await answer.json();
    if (answer.status === 200 && typeof session.session_id === "string") return location.reload();
    if (answer.status === 401 && session.admits_newcomers === true) return location.reload();
  } catch {}
  setTimeout(again, 1000);
}
setTimeout(again, 1000);
</script>
</body>
</html>
"#;

/// The answer for programs.
const PROBLEM: &str = r#"{"title":"No server answers","status":503,"detail":"No user pod answers at the moment. Try again in a second."}"#;

/// The answer to `request`: a page for navigations, else a problem document.
pub(super) fn answer(request: &Head) -> String {
    let says_navigation = request.values("sec-fetch-mode").any(|mode| mode == b"navigate");
    let navigates = if request.has("sec-fetch-mode") { says_navigation } else { accepts_html(request) };
    let (kind, text) =
        if navigates { ("text/html; charset=utf-8", PAGE) } else { ("application/problem+json", PROBLEM) };
    let body = if request.method() == "HEAD" { "" } else { text };
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nRetry-After: 1\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
        text.len()
    )
}

/// Whether `Accept` names HTML, in upper or lower case, and without `q=0`.
fn accepts_html(request: &Head) -> bool {
    let mut ranges = request.values("accept").flat_map(|value| value.split(|byte| *byte == b','));
    ranges.any(|range| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let is_html = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(b"text/html"));
        let rules_out = |part: &[u8]| {
            matches!(part, [b'q' | b'Q', b'=', b'0', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'.' | b'0')))
        };
        is_html && !parts.any(rules_out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_a_problem_document() {
        for (fields, is_page) in [
            ("Accept: application/json, Text/HTML;level=1", true),
            ("Accept: */*\r\nAccept: text/html ; q=0.1", true),
            ("Accept: text/html;q=0.0, */*", false),
            ("Accept: text/html-ish", false),
            ("Accept: */*\r\nSec-Fetch-Mode: navigate", true),
            ("Accept: text/html\r\nSec-Fetch-Mode: cors", false),
            ("Host: a", false),
        ] {
            let request = format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n");
            let request = Head::read(&mut request.as_bytes()).unwrap().unwrap();
            assert_eq!(answer(&request).contains("text/html; charset"), is_page, "{fields}");
        }
    }
}
