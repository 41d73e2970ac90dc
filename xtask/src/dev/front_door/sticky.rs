//! Which pod a tab belongs to: a cookie on the tab's own path names it.

use super::head::Head;

/// The name of the cookie. Its value is the name of a pod.
const COOKIE: &str = "front_door_pod";

/// The path of a request's tab: `/t/{token}/`. `None` for requests that belong to no tab: styles, scripts, probes.
pub(super) fn tab(target: &str) -> Option<&str> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let (token, _) = path.strip_prefix("/t/")?.split_once('/')?;
    let sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then(|| &path[.."/t/".len() + token.len() + 1])
}

/// The pods that a request's cookies name, the one of the longest path first, as browsers send them.
pub(super) fn named(request: &Head) -> impl Iterator<Item = &[u8]> {
    request
        .values("cookie")
        .flat_map(|value| value.split(|byte| *byte == b';'))
        .filter_map(|cookie| cookie.trim_ascii().strip_prefix(COOKIE.as_bytes())?.trim_ascii_start().strip_prefix(b"="))
}

/// Assigns the tab of this exchange to `pod`, unless it is assigned already. Returns whether it was assigned now.
///
/// If the answer is the redirect that gives a new tab its path, the cookie is for that path. A refusal assigns nothing.
pub(super) fn keep(request: &Head, answer: &mut Head, pod: &str) -> bool {
    let location = answer.values("location").next().and_then(|value| str::from_utf8(value).ok());
    let redirected = location.filter(|_| (300..400).contains(&answer.status())).and_then(tab);
    let Some(path) = redirected.or_else(|| tab(request.target())) else { return false };
    let is_kept = redirected.is_none_or(|path| tab(request.target()) == Some(path))
        && named(request).next().is_some_and(|name| name == pod.as_bytes());
    let path = path.to_owned();
    !is_kept && assign(answer, pod, &path)
}

/// Assigns the browser of this exchange to `pod`, unless it is assigned already. Returns whether it was assigned now.
pub(super) fn keep_browser(request: &Head, answer: &mut Head, pod: &str) -> bool {
    named(request).next().is_none_or(|name| name != pod.as_bytes()) && assign(answer, pod, "/")
}

/// Sets the cookie for `path`, unless the answer is a refusal.
fn assign(answer: &mut Head, pod: &str, path: &str) -> bool {
    if answer.status() >= 500 {
        return false;
    }
    answer.add("Set-Cookie", &format!("{COOKIE}={pod}; Path={path}; HttpOnly; SameSite=Lax"));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        Head::read(&mut text.replace('\n', "\r\n").as_bytes()).unwrap().unwrap()
    }

    fn kept(request: &str, answer: &str) -> Option<String> {
        let mut answer = head(answer);
        keep(&head(request), &mut answer, "user-2");
        answer.values("set-cookie").next().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn a_tab_is_told_by_its_path() {
        assert_eq!(tab("/t/0123456789abcdef/events?x=/t/y/"), Some("/t/0123456789abcdef/"));
        for path in ["/", "/t/", "/t//", "/t/abc", "/t/a%2F/x", "/assets/t/abc/", "*", ""] {
            assert_eq!(tab(path), None, "{path}");
        }
    }

    #[test]
    fn a_tab_stays_with_the_pod_that_answered_from_the_redirect_on() {
        let cookie = "front_door_pod=user-2; Path=/t/abc/; HttpOnly; SameSite=Lax".to_owned();
        let redirect = "HTTP/1.1 303 See Other\nlocation: /t/abc/\n\n";
        assert_eq!(kept("GET / HTTP/1.1\n\n", redirect), Some(cookie.clone()));
        let page = "HTTP/1.1 200 OK\n\n";
        assert_eq!(kept("GET /t/abc/ HTTP/1.1\nCookie: a=\u{fc}; front_door_pod=user-1\n\n", page), Some(cookie));
        for request in [
            "GET /t/abc/ HTTP/1.1\nCookie: front_door_pod=user-2; front_door_pod=user-1\n\n",
            "GET /assets/page.js HTTP/1.1\n\n",
        ] {
            assert_eq!(kept(request, page), None, "{request}");
        }
        assert_eq!(kept("GET /t/abc/ HTTP/1.1\n\n", "HTTP/1.1 503 Busy\n\n"), None);
    }

    #[test]
    fn a_browser_in_front_of_an_app_stays_with_its_pod_on_every_path() {
        let kept = |cookie: &str, answer: &str| {
            let mut answer = head(answer);
            keep_browser(&head(&format!("GET /admin/login/ HTTP/1.1\nCookie: {cookie}\n\n")), &mut answer, "user-2");
            answer.values("set-cookie").next().map(|value| String::from_utf8_lossy(value).into_owned())
        };
        let (page, cookie) = ("HTTP/1.1 200 OK\n\n", "front_door_pod=user-2; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(kept("csrftoken=x", page).as_deref(), Some(cookie));
        assert_eq!(kept("front_door_pod=user-1", page).as_deref(), Some(cookie));
        assert_eq!(kept("front_door_pod=user-2", page), None);
        assert_eq!(kept("csrftoken=x", "HTTP/1.1 503 Busy\n\n"), None);
    }
}
