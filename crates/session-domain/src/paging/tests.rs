//! Only encoded cursors can be decoded, and a walk by cursor returns every row once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::SessionId;

fn id(number: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(number))
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![any::<i64>().prop_map(Key::Number), any::<String>().prop_map(Key::Text)]
}

#[test]
fn a_cursor_of_another_list_is_distinguished_from_a_damaged_one() {
    let cursor = Cursor { key: Key::Text("ada".into()), id: id(7) };
    let text = cursor.encode("sort=user");
    assert_eq!(Cursor::decode(&text, "sort=user"), Ok(cursor));
    assert_eq!(Cursor::decode(&text, "sort=-user"), Err(CursorError::Foreign));
    for damaged in ["", "x", "AAAA", &text[1..], &text[..text.len() - 1], &format!("{text}A"), "ä", "=", "a b"] {
        assert_eq!(Cursor::decode(damaged, "sort=user"), Err(CursorError::Damaged), "{damaged:?}");
    }
}

type Rows = BTreeMap<u128, i64>;

/// Walks all pages; before each page but the first, `between` may change the rows.
fn walk(rows: &mut Rows, descending: bool, limit: usize, mut between: impl FnMut(&mut Rows)) -> Vec<(u128, i64)> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = page(
            rows.iter().map(|(id, key)| (*id, *key)),
            |(number, key)| Cursor { key: Key::Number(*key), id: id(*number) },
            descending,
            after.as_ref(),
            limit,
        );
        assert_eq!(page.total, rows.len() as u64);
        assert!(page.rows.len() <= limit);
        seen.extend(&page.rows);
        match page.next {
            None => return seen,
            Some(next) => after = Some(Cursor::decode(&next.encode("s"), "s").unwrap()),
        }
        between(rows);
    }
}

proptest! {
    #[test]
    fn every_cursor_can_be_decoded_and_is_made_of_url_safe_characters(key in key(), number: u128, scope: String) {
        let cursor = Cursor { key, id: id(number) };
        let text = cursor.encode(&scope);
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
        prop_assert_eq!(Cursor::decode(&text, &scope), Ok(cursor));
    }

    #[test]
    fn a_text_that_is_no_cursor_is_refused_without_a_panic(text: String, letters in "[A-Za-z0-9_-]{0,120}") {
        prop_assert!(Cursor::decode(&text, "s").is_err());
        prop_assert!(Cursor::decode(&letters, "s").is_err());
    }

    #[test]
    fn walking_all_pages_yields_each_row_once_in_order(
        mut rows in prop::collection::btree_map(any::<u128>(), -3i64..3, 0..60), descending: bool, limit in 1usize..9,
    ) {
        let mut expected: Vec<_> = rows.clone().into_iter().collect();
        expected.sort_by_key(|(id, key)| (*key, *id));
        if descending { expected.reverse(); }
        prop_assert_eq!(walk(&mut rows, descending, limit, |_| ()), expected);
    }

    #[test]
    fn rows_that_stay_are_returned_once_while_others_are_added_and_removed(
        staying in prop::collection::btree_map((0u128..1000).prop_map(|n| n * 2), -3i64..3, 0..40),
        passing in prop::collection::vec((0u128..1000, -3i64..3), 1..40),
        descending: bool, limit in 1usize..9,
    ) {
        let mut rows = staying.clone();
        let mut turn = 0;
        let seen = walk(&mut rows, descending, limit, |rows| {
            let (number, key) = passing[turn % passing.len()];
            // Odd numbers are added at one turn and removed at another. No more are added after a while: otherwise the
            // walk would not end.
            if rows.remove(&(number * 2 + 1)).is_none() && turn < passing.len() {
                rows.insert(number * 2 + 1, key);
            }
            turn += 1;
        });
        let stayed: Vec<_> = seen.iter().filter(|(id, _)| id % 2 == 0).copied().collect();
        let mut expected: Vec<_> = staying.into_iter().collect();
        expected.sort_by_key(|(id, key)| (*key, *id));
        if descending { expected.reverse(); }
        prop_assert_eq!(stayed, expected);
    }

    #[test]
    fn the_rows_before_a_page_are_counted(count in 0i64..50, limit in 1usize..9) {
        let rows: Vec<i64> = (0..count).collect();
        let at = |n: &i64| Cursor { key: Key::Number(*n), id: id(0) };
        let (mut after, mut before) = (None, 0);
        loop {
            let page = page(rows.iter().copied(), at, false, after.as_ref(), limit);
            prop_assert_eq!(page.before, before);
            before += page.rows.len() as u64;
            match page.next { None => break, next => after = next }
        }
        prop_assert_eq!(before, rows.len() as u64);
    }

    #[test]
    fn pages_backward_equal_the_pages_forward(count in 0i64..50, limit in 1usize..9, descending: bool) {
        let rows: Vec<i64> = (0..count).collect();
        let at = |n: &i64| Cursor { key: Key::Number(*n), id: id(0) };
        let (mut forward, mut after) = (Vec::new(), None);
        loop {
            let page = page(rows.iter().copied(), at, descending, after.as_ref(), limit);
            after = page.next.clone();
            forward.push(page);
            if after.is_none() { break }
        }
        for pair in forward.windows(2) {
            let begin = pair[1].rows.first().map(at);
            let back = page_before(rows.iter().copied(), at, descending, begin.as_ref(), limit);
            prop_assert_eq!(&back, &pair[0]);
        }
        let last = page_before(rows.iter().copied(), at, descending, None, limit);
        prop_assert_eq!((last.total, last.next), (rows.len() as u64, None));
        prop_assert_eq!(last.before + last.rows.len() as u64, last.total);
        prop_assert!(last.rows.len() == limit || last.before == 0);
    }
}
