//! CSV records as in RFC 4180, with cells that no spreadsheet evaluates as a formula.

use std::borrow::Cow;

/// Writes one record.
pub(super) fn record(cells: &[&str]) -> String {
    let mut line = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        quote(&escape_formula(cell), &mut line);
    }
    line.push_str("\r\n");
    line
}

/// Puts an apostrophe before a cell that a spreadsheet would evaluate, so that it shows the text.
fn escape_formula(cell: &str) -> Cow<'_, str> {
    // Spreadsheets skip white space, and in some locales they accept full-width signs.
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\u{FF1D}' | '\u{FF0B}' | '\u{FF0D}' | '\u{FF20}');
    let is_control = cell.starts_with(['\t', '\r', '\n']);
    if is_control || cell.trim_start().starts_with(begins) { format!("'{cell}").into() } else { cell.into() }
}

fn quote(cell: &str, into: &mut String) {
    if !cell.contains([',', '"', '\r', '\n']) && cell.trim() == cell {
        into.push_str(cell);
        return;
    }
    into.push('"');
    into.push_str(&cell.replace('"', "\"\""));
    into.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads one record as in RFC 4180.
    fn read(line: &str) -> Vec<String> {
        let mut chars = line.strip_suffix("\r\n").unwrap().chars().peekable();
        let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
        while let Some(c) = chars.next() {
            match (c, is_quoted) {
                ('"', false) if cell.is_empty() => is_quoted = true,
                ('"', true) if chars.peek() == Some(&'"') => cell.extend(chars.next()),
                ('"', true) => is_quoted = false,
                (',', false) => cells.push(std::mem::take(&mut cell)),
                ('"' | '\r' | '\n', false) => panic!("a bare {c:?} in {line:?}"),
                (c, _) => cell.push(c),
            }
        }
        assert!(!is_quoted, "{line:?}");
        cells.push(cell);
        cells
    }

    #[test]
    fn cells_are_quoted_where_needed_and_formulas_become_text() {
        for (cell, written) in [
            ("ada", "ada"),
            ("Zoë 🦀", "Zoë 🦀"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t=1\"".trim_matches('"')),
            ("\r=1", "\"'\r=1\""),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("=HYPERLINK(\"http://evil.test\",\"x\")", "\"'=HYPERLINK(\"\"http://evil.test\"\",\"\"x\"\")\""),
        ] {
            assert_eq!(record(&[cell]), format!("{written}\r\n"), "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn every_cell_is_read_back_as_it_was_written_and_begins_no_formula(
            cells in prop::collection::vec("[=+\\-@\t\r\n '\",a-c;＝\u{e9}]{0,6}", 1..5),
        ) {
            let texts: Vec<_> = cells.iter().map(String::as_str).collect();
            let back = read(&record(&texts));
            prop_assert_eq!(back.len(), cells.len());
            for (back, cell) in back.iter().zip(&cells) {
                prop_assert!(back == cell || back.strip_prefix('\'') == Some(cell), "{:?} of {:?}", back, cell);
                prop_assert!(!back.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']), "{:?}", back);
            }
        }
    }
}
