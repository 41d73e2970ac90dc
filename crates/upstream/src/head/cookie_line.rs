//! Taking one cookie out of `Cookie`, with every other byte left as it is.

use http::header::{COOKIE, HeaderMap, HeaderValue};

/// Removes the cookies for which `is_ours` is true of name and value, and joins the lines of HTTP/2, which sends a line for each cookie
/// (RFC 9113, 8.2.3).
pub fn remove(headers: &mut HeaderMap, is_ours: impl Fn(&[u8], &[u8]) -> bool) {
    let lines = headers.get_all(COOKIE).iter().count();
    let is_any_ours =
        || headers.get_all(COOKIE).iter().any(|line| pairs(line.as_bytes()).any(|pair| matches(pair, &is_ours)));
    if lines == 0 || lines == 1 && !is_any_ours() {
        return;
    }
    let mut kept: Vec<u8> = Vec::new();
    for line in headers.get_all(COOKIE) {
        let line = without(line.as_bytes(), &is_ours);
        if !line.is_empty() {
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(&line);
        }
    }
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)) {
        Ok(line) if !line.is_empty() => _ = headers.insert(COOKIE, line),
        _ => _ = headers.remove(COOKIE),
    }
}

/// The pairs of a line, with the blanks around them.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';')
}

fn matches(pair: &[u8], is_ours: &impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let pair = pair.trim_ascii();
    pair.iter().position(|byte| *byte == b'=').is_some_and(|at| is_ours(&pair[..at], &pair[at + 1..]))
}

/// The line without our pairs. The separator after a pair goes with it, or that before the last one.
fn without(line: &[u8], is_ours: &impl Fn(&[u8], &[u8]) -> bool) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut removed_first = false;
    for (index, pair) in pairs(line).enumerate() {
        if matches(pair, is_ours) {
            removed_first |= index == 0;
        } else {
            kept.push(pair);
        }
    }
    if removed_first && let Some(first) = kept.first_mut() {
        *first = first.trim_ascii_start();
    }
    kept.join(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_cookie_goes_and_every_other_byte_stays() {
        for (lines, expected) in [
            (&["ours=1"][..], None),
            (&["a=1; ours=1; b=2"], Some("a=1; b=2")),
            (&["ours=1; a=1"], Some("a=1")),
            (&["a=1; ours=1"], Some("a=1")),
            (&["a=\"x;y\"; ours=1;b=  ;; c"], Some("a=\"x;y\";b=  ;; c")),
            (&["ours=2; a=1"], Some("ours=2; a=1")),
            (&["Ours=1; xours=1; ours =1"], Some("Ours=1; xours=1; ours =1")),
            (&["a=1", "ours=1", "b=2"], Some("a=1; b=2")),
            (&["a=1;"], Some("a=1;")),
            (&["ours=1; ours=1"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            remove(&mut headers, |name, value| name == b"ours" && value == b"1");
            assert_eq!(headers.get(COOKIE).map(|line| line.to_str().unwrap()), expected, "{lines:?}");
            assert!(headers.get_all(COOKIE).iter().count() <= 1);
        }
    }
}
