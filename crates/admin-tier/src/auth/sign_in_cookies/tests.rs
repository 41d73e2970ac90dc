//! Cookies by given times, in and out of a browser's `Cookie` field.

use http::header::{COOKIE, HeaderName};

use super::*;

fn presenting(cookies: &SignInCookies, sign_in: SignIn) -> HeaderMap {
    let set = cookies.write(sign_in, &HeaderMap::new()).unwrap();
    let pair = set.to_str().unwrap().split(';').next().unwrap();
    [(COOKIE, HeaderValue::from_str(pair).unwrap())].into_iter().collect()
}

#[test]
fn a_cookie_is_valid_while_it_is_used_but_not_for_ever() {
    let start = Instant::now();
    let cookies = SignInCookies::new(start);
    let mut sign_in = cookies.start(AuthMethod::Password, start);
    let idle = presenting(&cookies, sign_in);
    assert_eq!(cookies.read(&idle, start), Some(sign_in));
    assert_eq!(cookies.read(&idle, start + IDLE_TIMEOUT), None);
    assert_eq!(cookies.renew(sign_in, start + RENEWAL_AGE - Duration::from_secs(1)), None);
    let mut now = start;
    while now < start + MAX_DURATION {
        assert_eq!(cookies.read(&presenting(&cookies, sign_in), now), Some(sign_in), "at {:?}", now - start);
        now += IDLE_TIMEOUT / 2;
        sign_in = cookies.renew(sign_in, now).unwrap();
    }
    assert_eq!(cookies.read(&presenting(&cookies, sign_in), now), None);
}

#[test]
fn after_a_sign_out_all_its_cookies_are_invalid_and_the_list_of_ended_sign_ins_stays_short() {
    let start = Instant::now();
    let cookies = SignInCookies::new(start);
    let (mine, other) = (cookies.start(AuthMethod::Link, start), cookies.start(AuthMethod::Link, start));
    let later = start + RENEWAL_AGE;
    let renewed = cookies.renew(mine, later).unwrap();
    cookies.end(mine, later);
    for ended in [mine, renewed] {
        assert_eq!(cookies.read(&presenting(&cookies, ended), later), None);
    }
    assert_eq!(cookies.read(&presenting(&cookies, other), later), Some(other));
    cookies.end(other, later + IDLE_TIMEOUT * 2);
    assert_eq!(cookies.ended().len(), 1);
}

#[test]
fn a_forged_cookie_and_one_of_another_process_are_invalid() {
    let start = Instant::now();
    let (cookies, others) = (SignInCookies::new(start), SignInCookies::new(start));
    let sign_in = cookies.start(AuthMethod::Password, start);
    assert_eq!(others.read(&presenting(&cookies, sign_in), start), None);
    let good = presenting(&cookies, sign_in)[COOKIE].to_str().unwrap().to_owned();
    let other_name = good.replace(PLAIN_NAME, "session");
    for bad in [&good[..good.len() - 2], &other_name, "lastcall-admin=", "lastcall-admin=x.password.0.0"] {
        let headers = [(COOKIE, HeaderValue::from_str(bad).unwrap())].into_iter().collect();
        assert_eq!(cookies.read(&headers, start), None, "{bad}");
    }
    let planted = HeaderValue::from_str(&format!("lastcall-admin=planted; {good}")).unwrap();
    assert_eq!(cookies.read(&[(COOKIE, planted)].into_iter().collect(), start), Some(sign_in));
}

#[test]
fn the_cookie_is_hidden_from_scripts_and_has_its_prefix_where_the_request_is_secure() {
    let cookies = SignInCookies::new(Instant::now());
    let sign_in = cookies.start(AuthMethod::Password, Instant::now());
    let https = [(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"))];
    let https: HeaderMap = https.into_iter().collect();
    for (headers, prefix) in [(&HeaderMap::new(), "lastcall-admin="), (&https, "__Host-lastcall-admin=")] {
        for set in [cookies.write(sign_in, headers).unwrap(), clear(headers).unwrap()] {
            let set = set.to_str().unwrap();
            assert!(set.starts_with(prefix) && set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            assert!(set.contains("Path=/") && set.contains("Secure") == prefix.starts_with("__Host"), "{set}");
        }
    }
    let mut mixed = presenting(&cookies, sign_in);
    mixed.extend(https);
    assert_eq!(cookies.read(&mixed, Instant::now()), None, "a secure request ignores the plain name");
}
