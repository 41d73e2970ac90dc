//! The errors of queries.

use super::*;

#[test]
fn the_error_of_a_query_names_the_allowed_values() {
    let parse =
        |sort, limit, cursors| Query::parse(Filter::default(), sort, limit, cursors, 100).map_err(|e| e.to_string());
    let start = CursorParams::default();
    assert!(parse(Some("-last_activity"), Some("1000"), CursorParams { before: "end", ..start }).is_ok());
    for (sort, limit, cursors, hint) in [
        (Some("age"), None, start, "session_id, user, pod"),
        (None, Some("0"), start, "1 to 1000"),
        (None, Some("1001"), start, "1 to 1000"),
        (None, Some("many"), start, "1 to 1000"),
        (None, None, CursorParams { after: "!!", ..start }, "cursor"),
        (None, None, CursorParams { before: "start", ..start }, "cursor"),
        (None, None, CursorParams { after: "x", before: "end" }, "not both"),
    ] {
        let error = parse(sort, limit, cursors).unwrap_err();
        assert!(error.contains(hint), "{error}");
    }
    let error = Filter::default().in_state("asleep").unwrap_err().to_string();
    assert!(error.contains("present, idle, notified, "), "{error}");
}
