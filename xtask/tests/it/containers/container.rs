//! One running container, by runc with a bundle of our own: the effect of "restricted" Pod Security and the
//! manifests' `securityContext`, on the host's network.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::Process;

use super::images::{Images, said};

/// A container's files, mounted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Rootfs {
    remove: Command,
    path: PathBuf,
}

impl Rootfs {
    /// The files of a local image, by its whole name.
    pub(crate) fn of(images: &Images, image: &str) -> Self {
        let container = said(images.buildah().args(["from", "--pull-never", image]));
        let path = said(images.buildah().args(["mount", &container])).into();
        let mut remove = images.buildah();
        remove.args(["rm", &container]);
        Self { remove, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Rootfs {
    fn drop(&mut self) {
        let _ = self.remove.output();
    }
}

/// A bundle in the sense of the OCI runtime specification.
struct Bundle {
    folder: TempDir,
    _rootfs: Rootfs,
}

impl Bundle {
    fn new(images: &Images, image: &str, arguments: &[&str], options: &[(&str, &str)], hosts: &str) -> Self {
        let (folder, rootfs) = (tempfile::tempdir().unwrap(), Rootfs::of(images, &Images::name(image)));
        let entrypoint = images.inspect(image, "{{index .OCIv1.Config.Entrypoint 0}}");
        let user = images.inspect(image, "{{.OCIv1.Config.User}}");
        let (uid, gid) = user.split_once(':').unwrap();
        fs::write(folder.path().join("hosts"), hosts).unwrap();
        let configuration = json!({
            "ociVersion": "1.0.2",
            "process": {
                "user": { "uid": uid.parse::<u32>().unwrap(), "gid": gid.parse::<u32>().unwrap() },
                "args": ([&[entrypoint.as_str()], arguments].concat()),
                "env": options.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
                "cwd": "/",
                "capabilities": { "bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": [] },
                "noNewPrivileges": true,
            },
            "root": { "path": rootfs.path(), "readonly": true },
            "hostname": "in-a-box",
            "mounts": mounts(&folder.path().join("hosts")),
            "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }] },
        });
        fs::write(folder.path().join("config.json"), configuration.to_string()).unwrap();
        Self { folder, _rootfs: rootfs }
    }

    /// The runtime's state and the bundle are in one folder, so that no other test's container has the same name.
    fn runc(&self, arguments: &[&str]) -> Vec<String> {
        let state = self.folder.path().join("state").display().to_string();
        ["--root", &state].iter().chain(arguments).map(|word| (*word).to_owned()).collect()
    }
}

fn mounts(hosts: &Path) -> Value {
    json!([
        { "destination": "/proc", "type": "proc", "source": "proc" },
        { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"] },
        { "destination": "/etc/hosts", "type": "bind", "source": hosts, "options": ["bind", "ro"] },
    ])
}

/// The output of a container that only prints something.
pub(crate) fn says(images: &Images, image: &str, argument: &str) -> String {
    let bundle = Bundle::new(images, image, &[argument], &[], "");
    let run = bundle.runc(&["run", "--bundle", &bundle.folder.path().display().to_string(), "box"]);
    let Output { status, stdout, stderr } = runc().args(run).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// A running tier. Killed when dropped.
pub(crate) struct Container {
    process: Process,
    bundle: Bundle,
}

impl Container {
    /// Runs an image with these options and this `/etc/hosts`, and waits until it serves.
    pub(crate) async fn start(images: &Images, image: &str, options: &[(&str, &str)], hosts: &str) -> Self {
        let bundle = Bundle::new(images, image, &[], options, hosts);
        let run = bundle.runc(&["run", "--bundle", &bundle.folder.path().display().to_string(), "box"]);
        let process = Process::start(runc().get_program(), &run.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        let container = Self { process, bundle };
        container.line("http.address=").await;
        container
    }

    /// An address from the log line about serving.
    pub(crate) async fn address(&self, field: &str) -> String {
        let line = self.line("http.address=").await;
        let (_, rest) = line.split_once(&format!("{field}=\"")).unwrap_or_else(|| panic!("no {field} in {line}"));
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends SIGTERM to the first process of the container, as the kubelet does.
    pub(crate) fn terminate(&self) {
        said(runc().args(self.bundle.runc(&["kill", "box", "TERM"])));
    }

    /// The state of the process according to the kernel.
    pub(crate) fn assert_restricted(&self) {
        let state: Value = serde_json::from_str(&said(runc().args(self.bundle.runc(&["state", "box"])))).unwrap();
        let process = PathBuf::from(format!("/proc/{}", state["pid"]));
        let status = fs::read_to_string(process.join("status")).unwrap();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(value("NSpid:").rsplit(' ').next(), Some("1"), "the first process of its container");
        assert_eq!(value("Uid:"), "65532 65532 65532 65532");
        assert_eq!(value("Gid:"), "65532 65532 65532 65532");
        assert_eq!(value("CapEff:").trim_matches('0'), "");
        assert_eq!(value("CapBnd:").trim_matches('0'), "");
        assert_eq!(value("NoNewPrivs:"), "1");
        let mounts = fs::read_to_string(process.join("mounts")).unwrap();
        let root = mounts.lines().find(|line| line.split(' ').nth(1) == Some("/")).unwrap();
        let options: Vec<&str> = root.split(' ').nth(3).unwrap().split(',').collect();
        assert!(options.contains(&"ro"), "{root}");
    }
}

impl Deref for Container {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Container {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = runc().args(self.bundle.runc(&["delete", "--force", "box"])).output();
    }
}

/// Debian installs it in a folder that is not on every user's `PATH`.
fn runc() -> Command {
    let debian = Path::new("/usr/sbin/runc");
    Command::new(if debian.is_file() { debian } else { Path::new("runc") })
}
