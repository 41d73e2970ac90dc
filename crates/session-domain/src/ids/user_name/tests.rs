//! Names as keyboards, proxies and pranksters write them.

use proptest::prelude::*;

use super::*;

fn kept(typed: &str) -> String {
    UserName::from_input(typed).as_str().to_owned()
}

#[test]
fn a_user_name_is_one_visible_line_of_at_most_64_characters() {
    for (typed, name) in [
        ("  ada \n lovelace ", "ada lovelace"),
        ("evil\u{202E}txt.exe", "eviltxt.exe"),
        ("a\u{0}b\u{1B}[31m", "ab[31m"),
        ("a\u{AD}d\u{3164}a\u{2800}", "ada"),
        ("ada \u{200E} lovelace", "ada lovelace"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("Zoë 🦀", "Zoë 🦀"),
        ("👩\u{200D}👧", "👩\u{200D}👧"),
        ("می\u{200C}خواهم", "می\u{200C}خواهم"),
        ("❤\u{FE0F}", "❤\u{FE0F}"),
        ("-", "-"),
    ] {
        assert_eq!(kept(typed), name, "typed: {typed:?}");
    }
    assert_eq!(kept(&"ü".repeat(10_000)).chars().count(), MAX_USER_CHARS);
    let words = kept(&"ab ".repeat(5_000));
    assert!(words.chars().count() <= MAX_USER_CHARS && !words.ends_with(' '));
}

#[test]
fn a_name_without_a_visible_character_is_anonymous() {
    for typed in [
        "",
        " \t\n ",
        "\u{202E}\u{200F}",
        "\u{200D}\u{200C}",
        "\u{3164}",
        "\u{115F}\u{1160}",
        "\u{FFA0}",
        "\u{AD}\u{AD}",
        "\u{200B}\u{2060}\u{FEFF}",
        "\u{2800}",
        "\u{E0067}\u{E0062}\u{E007F}",
        "\u{E0001}",
        "\u{FE0F}",
        "\u{E0100}",
        "\u{34F}",
        "\u{17B4}",
        "\u{180B}",
        "\u{180E}",
        "\u{301}\u{302}",
        "\u{20E3}",
        "\u{0378}",
        "\u{10FFFF}",
        "\u{FDD0}",
        "\u{E000}\u{F8FF}",
        "\u{F0000}",
        "\u{1D159}",
        "\u{1D173}",
        "\u{FFFC}",
        "\u{3000}\u{A0}",
    ] {
        assert_eq!(kept(typed), ANONYMOUS, "typed: {typed:?}");
    }
}

#[test]
fn one_name_in_two_spellings_is_one_name() {
    for (composed, decomposed) in [
        ("Undersøgelse Åse", "Undersøgelse A\u{30A}se"),
        ("Zoë", "Zoe\u{308}"),
        ("Nguyễn", "Nguye\u{302}\u{303}n"),
        ("한글", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"),
        ("Å", "\u{212B}"),
    ] {
        assert_eq!(kept(decomposed), composed);
        assert_eq!(UserName::from_input(composed), UserName::from_input(decomposed));
    }
    assert_eq!(kept("ﬁ"), "ﬁ", "what only looks alike stays apart: NFC, not NFKC");
    let long = "e\u{301}".repeat(64);
    assert_eq!(kept(&long), "é".repeat(64), "characters are counted after they were put together");
}

#[test]
fn a_long_name_is_cut_between_grapheme_clusters() {
    let filling = |length: usize| "a".repeat(length);
    for (cluster, length) in [
        ("👩\u{200D}👩\u{200D}👧\u{200D}👦", 7),
        ("🇩🇪", 2),
        ("👋🏽", 2),
        ("q\u{323}\u{301}", 3),
        ("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", 7),
        ("कि", 2),
        ("1\u{FE0F}\u{20E3}", 3),
    ] {
        assert_eq!(cluster.chars().count(), length);
        let fits = filling(MAX_USER_CHARS - length) + cluster;
        assert_eq!(kept(&format!("{fits}b")), fits);
        for missing in 1..length {
            let room = MAX_USER_CHARS - length + missing;
            assert_eq!(kept(&(filling(room) + cluster)), filling(room), "{cluster} in {} places", length - missing);
        }
    }
    assert_eq!(kept(&"🇩🇪".repeat(40)), "🇩🇪".repeat(32));
}

#[test]
fn a_single_cluster_longer_than_a_name_is_bounded() {
    let tower = format!("x{}", "\u{335}".repeat(10_000));
    assert_eq!(kept(&tower).chars().count(), MAX_USER_CHARS);
    assert_eq!(kept(&format!("ab{tower}")), "ab");
}

#[test]
fn names_of_other_processes_are_read_if_any_version_writes_such_names() {
    let peer = |text: &str| UserName::from_peer(text).map(|name| name.as_str().to_owned());
    assert_eq!(peer("Zoe\u{308}").as_deref(), Some("Zoë"));
    assert_eq!(peer("a\u{AD}b").as_deref(), Some("ab"));
    assert_eq!(peer(&"x".repeat(64)), Some("x".repeat(64)));
    for harmful in [&*"x".repeat(65), "a\u{202E}b", "a\nb"] {
        assert_eq!(peer(harmful), None, "{harmful:?}");
    }
}

proptest! {
    #[test]
    fn a_name_becomes_itself_and_is_bounded(
        parts in proptest::collection::vec(
            prop_oneof![
                any::<char>().prop_map(String::from),
                "[a-z ]{1,9}",
                proptest::sample::select(vec![
                    "e\u{301}", "\u{301}", "🇩", "👩\u{200D}", "\u{FE0F}", "\u{200E}", " ", "\u{1112}", "\u{1161}", "\u{AD}",
                ]).prop_map(String::from),
            ],
            0..60,
        ),
    ) {
        let name = UserName::from_input(&parts.concat());
        prop_assert_eq!(&UserName::from_input(name.as_str()), &name);
        prop_assert_eq!(UserName::from_peer(name.as_str()), Some(name.clone()));
        prop_assert!((1..=MAX_USER_CHARS).contains(&name.as_str().chars().count()));
        prop_assert_eq!(normalize_text(name.as_str()), name.as_str());
        prop_assert!(!name.as_str().starts_with(' ') && !name.as_str().ends_with(' '));
    }
}
