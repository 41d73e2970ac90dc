//! The store over SQLite in memory, and the kinds of errors.

use super::version::InvalidVersion;
use super::*;

async fn notes() -> Notes {
    Notes::open(&DatabaseUrl::Memory)
}

fn stored(saved: Saved) -> Version {
    match saved {
        Saved::Stored(version) => version,
        Saved::Conflict(current) => panic!("a conflict with {current:?}"),
    }
}

#[tokio::test]
async fn a_save_based_on_an_older_version_changes_nothing_and_returns_the_current_text() {
    let notes = notes().await;
    let ada = Owner::user("ada");
    let none = notes.load(ada.clone()).await.unwrap();
    assert_eq!(none, Note { text: String::new(), version: Version::NONE });
    let first = stored(notes.save(ada.clone(), "one".into(), Version::NONE).await.unwrap());
    let second = stored(notes.save(ada.clone(), "one two".into(), first).await.unwrap());
    let current = Note { text: "one two".into(), version: second };
    for base in
        [Version::NONE, first, Version { number: 9, ..second }, Version { lineage: second.lineage ^ 1, ..second }]
    {
        let conflict = notes.save(ada.clone(), "three".into(), base).await.unwrap();
        assert_eq!(conflict, Saved::Conflict(current.clone()), "{base:?}");
    }
    assert_eq!(notes.load(ada.clone()).await.unwrap(), current);
    let repeated = notes.save(ada.clone(), "one two".into(), first).await.unwrap();
    assert_eq!(repeated, Saved::Stored(second), "a repetition of a save whose answer was lost");
    let emptied = stored(notes.save(ada.clone(), String::new(), second).await.unwrap());
    assert_eq!(notes.load(ada).await.unwrap(), Note { text: String::new(), version: emptied });
}

#[tokio::test]
async fn notes_of_users_and_of_anonymous_sessions_are_apart() {
    let notes = notes().await;
    let owners = [Owner::user("a"), Owner::anonymous("a"), Owner::anonymous("b"), Owner::user("session:a")];
    for (n, owner) in owners.iter().enumerate() {
        stored(notes.save(owner.clone(), n.to_string(), Version::NONE).await.unwrap());
    }
    for (n, owner) in owners.into_iter().enumerate() {
        assert_eq!(notes.load(owner).await.unwrap().text, n.to_string());
    }
    // Recent notes survive the cleanup.
    notes.shared.pools.remove_abandoned().await.unwrap();
    assert_eq!(notes.load(Owner::anonymous("a")).await.unwrap().text, "1");
}

#[tokio::test]
async fn of_many_saves_with_the_same_base_one_succeeds() {
    let notes = notes().await;
    let saves: Vec<_> = (0..20)
        .map(|n| {
            let notes = notes.clone();
            tokio::spawn(async move { notes.save(Owner::user("ada"), n.to_string(), Version::NONE).await.unwrap() })
        })
        .collect();
    let mut successes = 0;
    for save in saves {
        successes += usize::from(matches!(save.await.unwrap(), Saved::Stored(_)));
    }
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn a_store_that_closes_refuses_new_work_and_ends_once() {
    let notes = notes().await;
    notes.load(Owner::user("ada")).await.unwrap();
    notes.close().await;
    assert_eq!(notes.load(Owner::user("ada")).await, Err(NotesError::Closing));
    notes.close().await;
}

#[test]
fn versions_are_read_as_they_are_written_and_in_no_other_way() {
    for version in [Version::NONE, Version::first(), Version { lineage: i64::MAX, number: 7 }] {
        assert_eq!(version.to_string().parse(), Ok(version));
    }
    for text in ["", "0", "0-", "-0", "x-1", "00-0", "0-+1", "0--1", "0-9223372036854775807", "1-1 "] {
        assert_eq!(text.parse::<Version>(), Err(InvalidVersion), "{text:?}");
    }
}

#[test]
fn codes_of_both_databases_name_what_an_operator_must_do() {
    for (code, kind) in [
        ("5", NotesError::Locked),
        ("517", NotesError::Locked),
        ("1032", NotesError::ReadOnly),
        ("13", NotesError::Full),
        ("778", NotesError::Away),
        ("14", NotesError::Refused),
        ("26", NotesError::Refused),
        ("1", NotesError::Failed),
    ] {
        assert_eq!(NotesError::of_sqlite(code), kind, "{code}");
    }
    for (code, kind) in [
        ("57P03", NotesError::Away),
        ("08006", NotesError::Away),
        ("53300", NotesError::Away),
        ("53100", NotesError::Full),
        ("25006", NotesError::ReadOnly),
        ("57014", NotesError::Slow),
        ("55P03", NotesError::Locked),
        ("40001", NotesError::Locked),
        ("28P01", NotesError::Refused),
        ("3D000", NotesError::Refused),
        ("42P01", NotesError::Failed),
    ] {
        assert_eq!(NotesError::of_postgres(code), kind, "{code}");
    }
}

#[tokio::test]
async fn a_full_database_refuses_a_save_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("notes.db"));
    let notes = Notes::open(&DatabaseUrl::Sqlite(Box::new(options.pragma("max_page_count", "12"))));
    let ada = Owner::user("ada");
    let first = stored(notes.save(ada.clone(), "one".into(), Version::NONE).await.unwrap());
    assert_eq!(notes.save(ada.clone(), "x".repeat(MAX_TEXT_BYTES), first).await, Err(NotesError::Full));
    assert_eq!(notes.load(ada.clone()).await.unwrap(), Note { text: "one".into(), version: first });
    stored(notes.save(ada, "two".into(), first).await.unwrap());
    notes.close().await;
}

#[tokio::test]
async fn a_read_only_file_is_reported_as_such_and_a_missing_folder_as_one_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    std::fs::write(&path, "").unwrap();
    for (url, failure) in [
        (format!("sqlite:{}?mode=ro", path.display()), NotesError::ReadOnly),
        (format!("sqlite:{}/nowhere/notes.db", folder.path().display()), NotesError::Refused),
    ] {
        let notes = Notes::open(&url.parse().unwrap());
        assert_eq!(notes.save(Owner::user("ada"), "one".into(), Version::NONE).await, Err(failure), "{url}");
        notes.close().await;
    }
}
