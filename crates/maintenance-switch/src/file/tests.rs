//! Files as operators and the kubelet write them.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::testing::{Log, wait_for, wait_until_healthy};
use crate::{Switch, SwitchHealth, SwitchStatus};

struct Followed {
    directory: TempDir,
    path: PathBuf,
    switch: Switch,
    statuses: watch::Receiver<SwitchStatus>,
    stop: CancellationToken,
    following: JoinHandle<()>,
}

fn switch(path: &Path) -> Switch {
    Switch::File { path: path.to_owned(), poll: Duration::from_millis(20) }
}

fn follow_in(directory: TempDir, path: PathBuf, initial: SwitchState) -> Followed {
    let (sender, statuses) = watch::channel(SwitchStatus::unknown(initial));
    let (switch, stop) = (switch(&path), CancellationToken::new());
    let following = tokio::spawn({
        let (switch, stop) = (switch.clone(), stop.clone());
        async move { switch.follow(sender, stop).await }
    });
    Followed { directory, path, switch, statuses, stop, following }
}

fn follow(initial: SwitchState) -> Followed {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("switch");
    follow_in(directory, path, initial)
}

#[tokio::test]
async fn a_file_that_never_existed_is_off_and_one_that_is_removed_keeps_its_state() {
    let log = Log::start();
    let mut file = follow(SwitchState::On);
    let (status, _) = wait_for(&mut file.statuses, "off", |status| status.state == SwitchState::Off).await;
    assert_eq!(status.health, SwitchHealth::Failing(SwitchReadError::NotFound));
    fs::write(&file.path, "True\n").unwrap();
    wait_until_healthy(&mut file.statuses, SwitchState::On).await;
    fs::remove_file(&file.path).unwrap();
    let is_missing = |status: &SwitchStatus| status.health == SwitchHealth::Failing(SwitchReadError::NotFound);
    assert_eq!(wait_for(&mut file.statuses, "missing", is_missing).await.0.state, SwitchState::On);
    fs::write(&file.path, "0").unwrap();
    wait_until_healthy(&mut file.statuses, SwitchState::Off).await;
    // Once when the file is removed and once when it is back, however often it is read.
    assert_eq!((log.count("does not exist"), log.count("is read again")), (2, 2), "{:#?}", log.lines());
    file.stop.cancel();
    file.following.await.unwrap();
}

#[tokio::test]
async fn a_value_or_file_that_cannot_be_read_changes_nothing_and_does_not_block() {
    let mut file = follow(SwitchState::Off);
    fs::write(&file.path, "yes").unwrap();
    wait_until_healthy(&mut file.statuses, SwitchState::On).await;
    let directory = file.directory.path().join("directory");
    fs::create_dir(&directory).unwrap();
    let pipe = file.directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let write = |bytes: &[u8]| fs::write(&file.path, bytes).unwrap();
    let link = |to: &Path| {
        let _ = fs::remove_file(&file.path);
        symlink(to, &file.path).unwrap();
    };
    let bad: [(&str, &dyn Fn()); 7] = [
        ("neither", &|| write(b"maybe")),
        ("is empty", &|| write(b" \n")),
        ("neither", &|| write(&[0xff, 0xfe, 0])),
        ("larger", &|| write("true ".repeat(10_000).as_bytes())),
        ("not a regular file", &|| link(&directory)),
        ("not a regular file", &|| link(&pipe)),
        ("not a regular file", &|| link(Path::new("/dev/zero"))),
    ];
    for (words, make) in bad {
        make();
        let failing = |status: &SwitchStatus| matches!(&status.health, SwitchHealth::Failing(error) if error.to_string().contains(words));
        let (status, _) = wait_for(&mut file.statuses, words, failing).await;
        assert_eq!(status.state, SwitchState::On, "{words}");
        fs::remove_file(&file.path).unwrap();
        fs::write(&file.path, "on").unwrap();
        wait_until_healthy(&mut file.statuses, SwitchState::On).await;
    }
}

/// Writes what the kubelet mounts for a ConfigMap: the key is a link into `..data`, itself a link that is swapped.
fn mounted(directory: &Path, generation: &str, text: &str) {
    let data = directory.join(format!("..{generation}"));
    fs::create_dir(&data).unwrap();
    fs::write(data.join("MAINTENANCE_MODE"), text).unwrap();
    symlink(format!("..{generation}"), directory.join("..data_tmp")).unwrap();
    fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    let _ = symlink("..data/MAINTENANCE_MODE", directory.join("MAINTENANCE_MODE"));
}

#[tokio::test]
async fn a_mounted_config_map_is_followed_through_its_swaps_and_never_written() {
    let directory = tempfile::tempdir().unwrap();
    mounted(directory.path(), "2026_01", "false");
    let path = directory.path().join("MAINTENANCE_MODE");
    let mut file = follow_in(directory, path, SwitchState::On);
    wait_until_healthy(&mut file.statuses, SwitchState::Off).await;
    mounted(file.directory.path(), "2026_02", "true");
    wait_until_healthy(&mut file.statuses, SwitchState::On).await;
    let refused = file.switch.set(SwitchState::Off).await.unwrap_err();
    assert!(matches!(&refused, SetError::Mounted(_)), "{refused}");
    assert!(fs::symlink_metadata(&file.path).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file.path).unwrap(), "true");
}

#[tokio::test]
async fn a_file_is_written_whole_with_its_mode_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("switch");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    switch(&path).set(SwitchState::On).await.unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("true\n", 0o644));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // The target of a link is written, and the link stays.
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    switch(&link).set(SwitchState::Off).await.unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("false\n", 0o640));
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");

    let refused = switch(directory.path()).set(SwitchState::On).await.unwrap_err();
    assert!(matches!(refused, SetError::NotAFile(_)), "{refused}");
    let refused = switch(&directory.path().join("no/where")).set(SwitchState::On).await.unwrap_err();
    assert!(matches!(refused, SetError::Unwritable(..)), "{refused}");
    let nowhere = directory.path().join("nowhere");
    symlink("not-there", &nowhere).unwrap();
    let refused = switch(&nowhere).set(SwitchState::On).await.unwrap_err();
    assert!(matches!(refused, SetError::NotAFile(_)), "{refused}");
}

#[tokio::test]
async fn a_reader_during_a_write_sees_the_old_value_or_the_new_one() {
    let log = Log::start();
    let mut file = follow(SwitchState::Off);
    file.switch.set(SwitchState::On).await.unwrap();
    wait_until_healthy(&mut file.statuses, SwitchState::On).await;
    let warnings = log.count("cannot be read");
    for number in 0..50 {
        file.switch.set(SwitchState::from(number % 2 == 0)).await.unwrap();
        assert!(read(&file.path).is_ok());
    }
    assert_eq!(log.count("cannot be read"), warnings, "{:#?}", log.lines());
}
