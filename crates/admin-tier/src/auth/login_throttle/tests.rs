//! Bursts, pauses and many clients, by given times.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn address(n: u32) -> IpAddr {
    IpAddr::from(n.to_be_bytes())
}

#[test]
fn a_client_has_a_burst_of_guesses_then_one_a_second_and_never_waits_longer_than_the_limit() {
    let start = Instant::now();
    let throttle = LoginThrottle::new(start);
    let answers: Vec<_> = (0..100).map(|_| throttle.record_wrong_guess(address(1), start)).collect();
    assert_eq!(answers[..5], [WrongGuess::Allowed; 5]);
    assert_eq!(answers[5..10], [1, 2, 3, 4, 5].map(|n| WrongGuess::TooMany(SECOND * n)));
    assert_eq!(answers[10..], [WrongGuess::TooMany(MAX_WAIT); 90]);
    assert_eq!(throttle.record_wrong_guess(address(1), start + SECOND * 5), WrongGuess::Allowed);
    assert_eq!(throttle.record_wrong_guess(address(1), start + SECOND * 5), WrongGuess::TooMany(SECOND));
    assert_eq!(throttle.record_wrong_guess(address(1), start + SECOND * 60), WrongGuess::Allowed, "all has drained");
}

#[test]
fn a_client_that_keeps_guessing_is_allowed_one_guess_a_second() {
    let start = Instant::now();
    let throttle = LoginThrottle::new(start);
    let is_allowed =
        |tenth: &u32| throttle.record_wrong_guess(address(1), start + SECOND * *tenth / 10) == WrongGuess::Allowed;
    let allowed = (0..600_u32).filter(is_allowed).count();
    assert!(allowed <= 5 + 60, "{allowed}");
}

#[test]
fn the_overall_limit_affects_only_clients_that_have_guessed_wrong_before() {
    let start = Instant::now();
    let throttle = LoginThrottle::new(start);
    for client in 0..500 {
        throttle.record_wrong_guess(address(client), start);
    }
    assert_eq!(throttle.record_wrong_guess(address(1_000), start), WrongGuess::Allowed);
    assert!(matches!(throttle.record_wrong_guess(address(1_000), start), WrongGuess::TooMany(_)));
}

#[test]
fn an_ipv6_network_of_64_bits_is_one_client_and_a_mapped_ipv4_address_is_that_address() {
    let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
    assert_eq!(client_prefix(a), client_prefix(b));
    assert_ne!(client_prefix(a), client_prefix(c));
    assert_eq!(client_prefix("::ffff:10.0.0.1".parse().unwrap()), client_prefix("10.0.0.1".parse().unwrap()));
}

#[test]
fn memory_is_bounded_however_many_clients_guess() {
    let start = Instant::now();
    let throttle = LoginThrottle::new(start);
    for client in 0..10_000 {
        throttle.record_wrong_guess(address(client), start);
    }
    assert!(throttle.lock().clients.len() <= MAX_CLIENTS);
    throttle.record_wrong_guess(address(20_000), start + SECOND * 60);
    assert_eq!(throttle.lock().clients.len(), 1);
}
