//! Files as operators and kubelets leave them.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::testing::{Log, sound, told};
use crate::{Report, Switch, SwitchHealth};

struct Followed {
    folder: TempDir,
    path: PathBuf,
    switch: Switch,
    reports: watch::Receiver<Report>,
    stop: CancellationToken,
    following: JoinHandle<()>,
}

fn switch(path: &Path) -> Switch {
    Switch::File { path: path.to_owned(), poll: Duration::from_millis(20) }
}

fn follow_in(folder: TempDir, path: PathBuf, begin: Position) -> Followed {
    let (sender, reports) = watch::channel(Report::unheard(begin));
    let (switch, stop) = (switch(&path), CancellationToken::new());
    let following = tokio::spawn({
        let (switch, stop) = (switch.clone(), stop.clone());
        async move { switch.follow(sender, stop).await }
    });
    Followed { folder, path, switch, reports, stop, following }
}

fn follow(begin: Position) -> Followed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switch");
    follow_in(folder, path, begin)
}

#[tokio::test]
async fn a_file_that_is_not_there_is_off_at_first_and_stays_as_it_was_later() {
    let log = Log::start();
    let mut file = follow(Position::On);
    let (report, _) = told(&mut file.reports, "off", |report| report.position == Position::Off).await;
    assert_eq!(report.standing, SwitchHealth::Doubtful(Doubt::NotThere));
    fs::write(&file.path, "True\n").unwrap();
    sound(&mut file.reports, Position::On).await;
    fs::remove_file(&file.path).unwrap();
    let gone = |report: &Report| report.standing == SwitchHealth::Doubtful(Doubt::NotThere);
    assert_eq!(told(&mut file.reports, "gone", gone).await.0.position, Position::On);
    fs::write(&file.path, "0").unwrap();
    sound(&mut file.reports, Position::Off).await;
    // Once when it goes, once when it is back, however often it was read.
    assert_eq!((log.count("is not there"), log.count("is read again")), (2, 2), "{:#?}", log.lines());
    file.stop.cancel();
    file.following.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_understood_or_read_moves_nothing_and_hangs_nobody() {
    let mut file = follow(Position::Off);
    fs::write(&file.path, "yes").unwrap();
    sound(&mut file.reports, Position::On).await;
    let folder = file.folder.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let pipe = file.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let write = |bytes: &[u8]| fs::write(&file.path, bytes).unwrap();
    let link = |to: &Path| {
        let _ = fs::remove_file(&file.path);
        symlink(to, &file.path).unwrap();
    };
    let bad: [(&str, &dyn Fn()); 7] = [
        ("neither", &|| write(b"maybe")),
        ("says nothing", &|| write(b" \n")),
        ("neither", &|| write(&[0xff, 0xfe, 0])),
        ("larger", &|| write("true ".repeat(10_000).as_bytes())),
        ("no regular file", &|| link(&folder)),
        ("no regular file", &|| link(&pipe)),
        ("no regular file", &|| link(Path::new("/dev/zero"))),
    ];
    for (words, make) in bad {
        make();
        let doubted = |report: &Report| matches!(&report.standing, SwitchHealth::Doubtful(doubt) if doubt.to_string().contains(words));
        let (report, _) = told(&mut file.reports, words, doubted).await;
        assert_eq!(report.position, Position::On, "{words}");
        fs::remove_file(&file.path).unwrap();
        fs::write(&file.path, "on").unwrap();
        sound(&mut file.reports, Position::On).await;
    }
}

/// As the kubelet mounts a ConfigMap: the key is a link into `..data`, itself a link that is swapped.
fn mounted(folder: &Path, generation: &str, text: &str) {
    let data = folder.join(format!("..{generation}"));
    fs::create_dir(&data).unwrap();
    fs::write(data.join("MAINTENANCE_MODE"), text).unwrap();
    symlink(format!("..{generation}"), folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    let _ = symlink("..data/MAINTENANCE_MODE", folder.join("MAINTENANCE_MODE"));
}

#[tokio::test]
async fn a_mounted_config_map_is_followed_through_its_swaps_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    mounted(folder.path(), "2026_01", "false");
    let path = folder.path().join("MAINTENANCE_MODE");
    let mut file = follow_in(folder, path, Position::On);
    sound(&mut file.reports, Position::Off).await;
    mounted(file.folder.path(), "2026_02", "true");
    sound(&mut file.reports, Position::On).await;
    let refused = file.switch.set(Position::Off).await.unwrap_err();
    assert!(matches!(&refused, SetError::Mounted(_)), "{refused}");
    assert!(fs::symlink_metadata(&file.path).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file.path).unwrap(), "true");
}

#[tokio::test]
async fn a_file_is_written_whole_with_its_mode_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switch");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    switch(&path).set(Position::On).await.unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("true\n", 0o644));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // What a link leads to is written, and the link stays.
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    switch(&link).set(Position::Off).await.unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("false\n", 0o640));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");

    let refused = switch(folder.path()).set(Position::On).await.unwrap_err();
    assert!(matches!(refused, SetError::NotAFile(_)), "{refused}");
    let refused = switch(&folder.path().join("no/where")).set(Position::On).await.unwrap_err();
    assert!(matches!(refused, SetError::Unwritable(..)), "{refused}");
    let nowhere = folder.path().join("nowhere");
    symlink("not-there", &nowhere).unwrap();
    let refused = switch(&nowhere).set(Position::On).await.unwrap_err();
    assert!(matches!(refused, SetError::NotAFile(_)), "{refused}");
}

#[tokio::test]
async fn who_reads_while_it_is_written_reads_the_old_word_or_the_new_one() {
    let log = Log::start();
    let mut file = follow(Position::Off);
    file.switch.set(Position::On).await.unwrap();
    sound(&mut file.reports, Position::On).await;
    let warned = log.count("in doubt");
    for number in 0..50 {
        file.switch.set(Position::from(number % 2 == 0)).await.unwrap();
        assert!(read(&file.path).is_ok());
    }
    assert_eq!(log.count("in doubt"), warned, "{:#?}", log.lines());
}
