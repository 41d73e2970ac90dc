//! Builds both images once for all tests of a run, by `cargo xtask image`, from a base that uses files of this machine.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::container::Rootfs;

const BASE: &str = "localhost/builder-on-the-spot";
/// The layers of two or three commits.
const MANY: usize = 100;

/// Both images, and the storage of buildah that they are in.
#[derive(Debug)]
pub(crate) struct Images {
    root: PathBuf,
    /// Layers, base and cargo's output, kept from run to run.
    folder: PathBuf,
}

impl Images {
    /// Builds what is not built yet. Tests are processes of their own: the first one builds, the others wait for it.
    pub(crate) fn built() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let folder = root.join("target/containers");
        fs::create_dir_all(folder.join("cargo")).unwrap();
        let images = Self { root, folder };
        let lock = File::create(images.folder.join("lock")).unwrap();
        lock.lock().unwrap();
        // Under nextest, all tests of a run have the same id.
        let (run, stamp) = (std::env::var("NEXTEST_RUN_ID").unwrap_or_default(), images.folder.join("run-id"));
        if run.is_empty() || fs::read_to_string(&stamp).ok().as_ref() != Some(&run) {
            images.write_storage_configuration();
            images.forget_old();
            images.make_base();
            images.build();
            fs::write(stamp, run).unwrap();
        }
        images
    }

    /// Layers of old commits are not reused: cargo's output, which saves the time, is kept elsewhere.
    fn forget_old(&self) {
        let all = |kind: &str| said(self.buildah().args([kind, "--all", "--quiet"])).lines().count();
        if all("images") > MANY && all("containers") == 0 {
            said(self.buildah().args(["rmi", "--all"]));
        }
    }

    fn write_storage_configuration(&self) {
        let folder = self.folder.display();
        let text =
            format!("[storage]\ndriver = \"vfs\"\ngraphroot = \"{folder}/storage\"\nrunroot = \"{folder}/run\"\n");
        fs::write(self.folder.join("storage.conf"), text).unwrap();
    }

    /// An empty base: the needed files of this machine are mounted during the build, and are never part of a layer.
    fn make_base(&self) {
        if self.buildah().args(["inspect", "--type", "image", BASE]).output().unwrap().status.success() {
            return;
        }
        let rootfs = tempfile::tempdir().unwrap();
        for folder in ["usr", "etc/ssl", "etc/alternatives", "tmp", "proc", "sys", "dev", "rust", "cargo", "target"] {
            fs::create_dir_all(rootfs.path().join(folder)).unwrap();
        }
        for link in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{link}"), rootfs.path().join(link)).unwrap();
        }
        let container = said(self.buildah().args(["from", "scratch"]));
        said(self.buildah().args(["copy", &container]).arg(rootfs.path()).arg("/"));
        let environment =
            ["PATH=/rust/bin:/usr/bin:/bin", "CARGO_HOME=/cargo", "CARGO_NET_OFFLINE=true", "CARGO_TARGET_DIR=/target"];
        let environment = environment.iter().flat_map(|variable| ["--env", variable]);
        said(self.buildah().arg("config").args(environment).arg(&container));
        said(self.buildah().args(["commit", "--rm", &container, BASE]));
    }

    fn build(&self) {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.args(["image", "--engine", "buildah", "--profile", "image-quick", "--builder-image", BASE, "--"]);
        let tags = said(self.prepared(xtask).args(self.volumes()));
        assert_eq!(tags.lines().count(), 4, "two tags for each image:\n{tags}");
    }

    /// Builds one stage of `Dockerfile.user` from another tree.
    pub(crate) fn build_stage(&self, stage: &str, tree: &Path, name: &str) {
        let mut build = self.buildah();
        build.args([
            "build",
            "--layers",
            "--target",
            stage,
            "--build-arg",
            &format!("BUILDER_IMAGE={BASE}"),
            "--tag",
            name,
        ]);
        said(build.args(self.volumes()).arg("--file").arg(tree.join("Dockerfile.user")).arg(tree));
    }

    /// The mounts of a build.
    fn volumes(&self) -> Vec<String> {
        let sysroot = said(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&self.root));
        // All dependencies have been downloaded, because the tests were built with them.
        let home = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{}/.cargo", std::env::var("HOME").unwrap()));
        let target = self.folder.join("cargo").display().to_string();
        let volumes = [
            "/usr:/usr:ro".to_owned(),
            "/etc/ssl:/etc/ssl:ro".to_owned(),
            "/etc/alternatives:/etc/alternatives:ro".to_owned(),
            format!("{sysroot}:/rust:ro"),
            format!("{home}/registry:/cargo/registry:ro"),
            format!("{target}:/target"),
        ];
        volumes.into_iter().flat_map(|volume| ["--volume".to_owned(), volume]).collect()
    }

    /// The root of the repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A command of buildah, with the storage of these tests.
    pub(crate) fn buildah(&self) -> Command {
        self.prepared(Command::new("buildah"))
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.env("CONTAINERS_STORAGE_CONF", self.folder.join("storage.conf")).env("BUILDAH_ISOLATION", "chroot");
        command
    }

    /// The configuration of the image with the version's tag.
    pub(crate) fn inspect(&self, image: &str, format: &str) -> String {
        self.inspect_name(&Self::name(image), format)
    }

    pub(crate) fn inspect_name(&self, name: &str, format: &str) -> String {
        said(self.buildah().args(["inspect", "--type", "image", "--format", format, name]))
    }

    /// The image by its version.
    pub(crate) fn name(image: &str) -> String {
        format!("localhost/{image}:{}", env!("CARGO_PKG_VERSION"))
    }

    /// Every file in the image with its size, sorted.
    pub(crate) fn files(&self, image: &str) -> Vec<(String, u64)> {
        let container = Rootfs::of(self, &Self::name(image));
        let mut files = Vec::new();
        let mut folders = vec![container.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    let name = entry.path().strip_prefix(container.path()).unwrap().display().to_string();
                    files.push((name, entry.metadata().unwrap().len()));
                }
            }
        }
        files.sort();
        files
    }

    /// The bill of materials.
    pub(crate) fn list(&self, image: &str) -> String {
        fs::read_to_string(self.root.join(format!("target/images/{image}.cdx.json"))).unwrap()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        said(Command::new("git").args(arguments).current_dir(&self.root))
    }
}

/// The output of a command; panics if it fails.
pub(crate) fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}\n{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap().trim().to_owned()
}
