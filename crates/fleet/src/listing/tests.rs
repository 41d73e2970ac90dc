//! A followed listing equals a new one, whatever happens, and filters distinguish the states of sessions.

use proptest::prelude::*;

use session_domain::Departure;

use super::*;
use crate::test_fleet::{at, discovered, fleet, pod_event, session};
use crate::{Address, CursorParams, Filter, Fleet, PodEvent, SessionState, Sort, SortField};

fn anchor() -> impl Strategy<Value = (u8, u128)> {
    (0..4_u8, 0..12_u128)
}

fn query(filter: Filter, sort: Sort, (kind, number): (u8, u128), limit: usize) -> Query {
    let mut query = Query { filter, sort, anchor: PageAnchor::Start, limit };
    let session = std::sync::Arc::new(session(number, "user-1", 50));
    let row = Row { session, address: Address::new("a:1"), doubtful: false, also_at: Vec::new() };
    let position = query.position(&row);
    query.anchor = match kind {
        0 => PageAnchor::Start,
        1 => PageAnchor::After(position),
        2 => PageAnchor::Before(position),
        _ => PageAnchor::End,
    };
    query
}

fn filter() -> impl Strategy<Value = Filter> {
    let state = prop::sample::select([&[""][..], &SessionState::ALL.map(SessionState::as_str)].concat());
    let part = prop::sample::select(vec!["", "1", "user 3", "0000-"]);
    let pod = prop::sample::select(vec!["", "user-1"]);
    (state, part, pod).prop_map(|(state, part, pod)| Filter::new(pod, "", part).in_state(state).unwrap())
}

fn sort() -> impl Strategy<Value = Sort> {
    let field = prop::sample::select(SortField::ALL.to_vec());
    (field, any::<bool>()).prop_map(|(field, descending)| Sort { field, descending })
}

proptest! {
    #[test]
    fn a_followed_listing_equals_a_new_one(
        filter in filter(), sort in sort(), anchor in anchor(), limit in 1usize..5,
        turns in prop::collection::vec(prop::collection::vec((0..2_usize, pod_event()), 0..6), 1..12),
    ) {
        let addresses = ["a:1", "b:1"];
        let mut fleet = fleet(&[("a:1", "user-1", (0..8).map(|n| session(n, "user-1", 60)).collect())]);
        fleet.apply_discovery(&discovered(&addresses), at(100));
        let query = query(filter, sort, anchor, limit);
        let mut before = fleet.view();
        let mut listing = Listing::new(query.clone(), &before);
        for turn in turns {
            for (pod, event) in turn {
                fleet.apply(&Address::new(addresses[pod]), event, at(110));
            }
            let now = fleet.view();
            listing.follow(&before, &now);
            let fresh = Listing::new(query.clone(), &now);
            prop_assert_eq!(&listing, &fresh);
            let page = now.sessions(&query);
            prop_assert_eq!((listing.next(), listing.total()), (page.next, page.total));
            before = now;
        }
    }

    #[test]
    fn an_export_contains_all_pages_in_order(sort in sort(), limit in 1usize..9, count in 0..40_u128) {
        let fleet = fleet(&[("a:1", "user-1", (0..count).map(|n| session(n, "user-1", 60)).collect())]);
        let view = fleet.view();
        let mut query = Query { filter: Filter::default(), sort, anchor: PageAnchor::Start, limit };
        let mut paged = Vec::new();
        loop {
            let listing = Listing::new(query.clone(), &view);
            paged.extend(listing.rows().iter().cloned());
            match listing.next() {
                Some(next) => query.anchor = PageAnchor::After(next),
                None => break,
            }
        }
        prop_assert_eq!(view.all_sessions(&query), paged);
    }
}

#[test]
fn sessions_are_filtered_by_their_state() {
    let mut away = session(1, "user-1", 60);
    away.present = Some(false);
    let mut notified = session(2, "user-1", 60);
    notified.notified = true;
    let mut future = session(3, "user-1", 60);
    future.login_time = at(100_000);
    let mut fleet =
        fleet(&[("a:1", "user-1", vec![away, notified, future]), ("b:1", "user-2", vec![session(4, "user-2", 60)])]);
    let found = |fleet: &Fleet, state: &str| {
        let filter = Filter::default().in_state(state).unwrap();
        let query = Query::parse(filter, Some("user"), None, CursorParams::default(), 10).unwrap();
        let names =
            fleet.view().sessions(&query).rows.iter().map(|row| row.session.user.to_string()).collect::<Vec<_>>();
        names.join(", ")
    };
    for (state, names) in [
        ("present", "user 2, user 3, user 4"),
        ("idle", "user 1"),
        ("connected", "user 2, user 3, user 4"),
        ("not_connected", "user 1"),
        ("notified", "user 2"),
        ("not_notified", "user 1, user 3, user 4"),
        ("last_known", ""),
        ("doubtful", "user 3"),
        ("", "user 1, user 2, user 3, user 4"),
    ] {
        assert_eq!(found(&fleet, state), names, "{state}");
    }
    fleet.apply(&Address::new("a:1"), PodEvent::Unreachable("gone".into()), at(101));
    assert_eq!(found(&fleet, "last_known"), "user 1, user 2, user 3");
    assert_eq!((found(&fleet, "connected"), found(&fleet, "not_connected")), ("user 4".into(), String::new()));
}

#[test]
fn the_oldest_session_of_a_pod_follows_every_change() {
    let mut old = session(1, "user-1", 60);
    old.login_time = at(-5_000);
    let mut impossible = session(2, "user-1", 60);
    (impossible.login_time, impossible.last_activity) = (at(-9_000), at(100_000));
    let here = Address::new("a:1");
    let mut fleet = fleet(&[("a:1", "user-1", vec![old.clone(), impossible, session(3, "user-1", 60)])]);
    assert_eq!(fleet.view().oldest_session_start(&here), Some(at(-5_000)));
    let change = |upserts, removals| PodEvent::Changes { upserts, removals };
    old.last_activity = at(99);
    fleet.apply(&here, change(vec![old.clone()], Vec::new()), at(101));
    assert_eq!(fleet.view().oldest_session_start(&here), Some(at(-5_000)));
    fleet.apply(&here, change(Vec::new(), vec![(old.id, Departure::Unknown)]), at(102));
    assert_eq!(fleet.view().oldest_session_start(&here), Some(at(1)));
    assert_eq!(fleet.view().oldest_session_start(&Address::new("b:1")), None);
}
