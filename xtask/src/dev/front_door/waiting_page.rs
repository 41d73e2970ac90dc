//! What the front door says itself: that no pod answers.

use super::head::Head;

/// Comes back by itself, whatever is answered in between. Asks by `HEAD`, which starts no session.
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
<p role="status">This page tries again by itself.</p>
<script>
async function again() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" });
    if (answer.status < 500) return location.reload();
  } catch {}
  setTimeout(again, 1000);
}
setTimeout(again, 1000);
</script>
</body>
</html>
"#;

/// What a program gets instead.
const PROBLEM: &str = r#"{"title":"No server answers","status":503,"detail":"No user pod answers at the moment. Try again in a second."}"#;

/// The answer to `request`: a page where a browser navigates, else a problem document.
pub(super) fn answer(request: &Head) -> String {
    let is = |name: &str, part: &str| {
        request.values(name).any(|value| value.windows(part.len()).any(|bytes| bytes == part.as_bytes()))
    };
    let navigates = is("accept", "text/html") && (!request.has("sec-fetch-mode") || is("sec-fetch-mode", "navigate"));
    let (kind, text) =
        if navigates { ("text/html; charset=utf-8", PAGE) } else { ("application/problem+json", PROBLEM) };
    let body = if request.method() == "HEAD" { "" } else { text };
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nRetry-After: 1\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
        text.len()
    )
}
