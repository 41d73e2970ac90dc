use proptest::prelude::*;

use super::*;

const TAG: &[u8] = b"<script src=\"/_lastcall/assets/lastcall.js\" defer></script>";

/// What passes after each chunk, and the outcome.
fn run<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Outcome>) {
    let mut insertion = Insertion::new(Bytes::from_static(TAG), AsciiCompatibleEncoding::utf_8());
    let (mut passed, mut outcomes) = (Vec::new(), Vec::new());
    let mut out = VecDeque::new();
    for chunk in chunks {
        outcomes.extend(insertion.push(Bytes::copy_from_slice(chunk), &mut out));
        passed.push(out.drain(..).flatten().collect());
    }
    outcomes.extend(insertion.finish(&mut out));
    passed.push(out.drain(..).flatten().collect());
    assert!(outcomes.len() <= 1, "{outcomes:?}");
    (passed, outcomes.pop())
}

fn whole<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Outcome>) {
    let (passed, outcome) = run(chunks);
    (passed.concat(), outcome)
}

#[test]
fn a_page_passes_byte_by_byte_as_it_arrives() {
    let page = b"<!doctype html>\n<html lang=en><head><title>x</title>";
    let (passed, outcome) = run(page.chunks(1));
    assert_eq!(outcome, Some(Ok(())));
    // White space after the doctype waits for what decides.
    let is_held = |at: usize| (15..29).contains(&at) || (30..36).contains(&at);
    for (at, bytes) in passed.iter().enumerate().take(page.len()) {
        let expected: &[u8] = match at {
            29 => b"\n<html lang=en>",
            35 => &[b"<head>", TAG].concat(),
            at if is_held(at) => b"",
            at => &page[at..=at],
        };
        assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(expected), "at byte {at}");
    }
}

#[test]
fn a_fragment_stays_as_it_is_and_is_counted_unless_it_is_empty() {
    assert_eq!(whole([&b"<p>a</p>"[..]]), (b"<p>a</p>".to_vec(), Some(Err(WithoutNotice::Fragment))));
    assert_eq!(whole([]), (Vec::new(), None));
    assert_eq!(whole([&b""[..]]), (Vec::new(), None));
    assert_eq!(whole([&b"\xff"[..]]), (b"\xff".to_vec(), Some(Err(WithoutNotice::Fragment))));
}

#[test]
fn a_page_in_utf_16_is_left_alone() {
    for mark in UTF_16_MARKS {
        let page = [&mark[..], b"<\0h\0t\0m\0l\0>\0<html><head>"].concat();
        for chunk in [1, 2, 100] {
            assert_eq!(whole(page.chunks(chunk)), (page.clone(), Some(Err(WithoutNotice::Charset))));
        }
    }
}

/// Pages put together from what matters and what looks like it.
fn page() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(
            [
                "<!doctype html>",
                "<html>",
                "<html lang='<head>'>",
                "<head>",
                "<head a=\"b>\">",
                "</head>",
                "<body>",
                "<p>",
                "text",
                " \n",
                "<!-- <head> -->",
                "<!--",
                "-->",
                "<script>",
                "</script>",
                "'<head>'",
                "<template>",
                "</template>",
                "<",
                ">",
                "<svg>",
                "</svg>",
                "<![CDATA[",
                "]]>",
                "<title>",
                "</title>",
                "<textarea>",
                "\u{feff}",
                "ü",
                "<?xml?>",
                "<hea",
                "d>",
            ]
            .map(|piece| piece.as_bytes().to_vec())
            .to_vec()
        ),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_bytes_and_without_the_tag_they_are_the_page(
        page in page(),
        cuts in prop::collection::vec(0usize..200, 0..8),
    ) {
        let (expected, outcome) = whole([&page[..]]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(page.len())).chain([0, page.len()]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &page[pair[0]..pair[1]]);
        prop_assert_eq!(&whole(pieces), &(expected.clone(), outcome));
        prop_assert_eq!(&whole(page.chunks(1)), &(expected.clone(), outcome));
        match outcome {
            Some(Ok(())) => {
                let at = expected.windows(TAG.len()).position(|window| window == TAG).unwrap();
                prop_assert_eq!(&[&expected[..at], &expected[at + TAG.len()..]].concat(), &page);
            }
            _ => prop_assert_eq!(&expected, &page),
        }
    }
}
