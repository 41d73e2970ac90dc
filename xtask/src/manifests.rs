//! `cargo xtask manifests`: renders the minikube overlay into the one file that `kubectl apply -f kubernetes/` applies, and the objects
//! that the Helm chart adapts, and checks that their waits fit into each other.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::waits::{self, SidecarWaits};

/// The rendered file, from the root of the repository.
pub const RENDERED: &str = "kubernetes/sample-app.yaml";

/// The overlay that it is rendered from.
const OVERLAY: &str = "kubernetes/overlays/minikube";

/// The objects of the Helm chart, each file with the overlay that it is rendered from.
pub const CHART: [(&str, &str); 2] = [
    ("kubernetes/chart/files/sample.yaml", "kubernetes/overlays/production"),
    ("kubernetes/chart/files/sidecar.yaml", "kubernetes/examples/any-app"),
];

const HEADER: &str =
    "# Rendered from overlays/minikube by `cargo xtask manifests`. Edit there, where the reasons are, not here.\n";

/// The options of `cargo xtask manifests`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Checks whether the rendered file is current, and writes nothing
    #[arg(long)]
    check: bool,
    /// Checks the waits of other manifests instead: a rendered file, or - for stdin
    #[arg(long, value_name = "FILE")]
    waits: Option<PathBuf>,
}

/// Renders, or checks.
///
/// # Errors
/// Kustomize cannot render, the waits do not fit, or the rendered file is not current.
pub fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.waits {
        return hold_waits(&text_of(file)?);
    }
    let text = quick_start(root)?;
    hold_waits(&text)?;
    let chart = chart(root)?;
    chart.iter().try_for_each(|(_, text)| hold_waits(text))?;
    if arguments.check {
        check(root, &text)?;
        return check_chart(root, &chart);
    }
    write(root, RENDERED, &text)?;
    chart.iter().try_for_each(|(file, text)| write(root, file, text))
}

/// The expected content of the chart's files. Images have no tag there: the values name them.
///
/// # Errors
/// Kustomize cannot render it.
pub fn chart(root: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    CHART.into_iter().map(|(file, overlay)| Ok((file, without_tags(&render(&root.join(overlay))?)))).collect()
}

/// Replaces the names of our images by those that they have in the base.
fn without_tags(text: &str) -> String {
    let plain = |line: &str| {
        let (indent, image) = line.split_once("image: ")?;
        let name = ["sample-app-user", "sample-app-admin"].into_iter().find(|name| image.contains(name))?;
        Some(format!("{indent}image: {name}\n"))
    };
    text.lines().map(|line| plain(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

/// Checks whether the chart's files are current.
///
/// # Errors
/// One is not current.
pub fn check_chart(root: &Path, expected: &[(&str, String)]) -> anyhow::Result<()> {
    for (file, text) in expected {
        let there = fs::read_to_string(root.join(file)).unwrap_or_default();
        ensure!(there == *text, "{file} is not current: run cargo xtask manifests, and commit what it writes");
    }
    Ok(())
}

/// The expected content of the rendered file.
///
/// # Errors
/// Kustomize cannot render it.
pub fn quick_start(root: &Path) -> anyhow::Result<String> {
    Ok(format!("{HEADER}{}", render(&root.join(OVERLAY))?))
}

/// Renders a folder with a kustomization.
///
/// # Errors
/// `kubectl` is missing, or refuses the folder.
pub fn render(folder: &Path) -> anyhow::Result<String> {
    let output = Command::new("kubectl").arg("kustomize").arg(folder).output();
    let output = output.context("kubectl cannot be run: install it (https://kubernetes.io/docs/tasks/tools)")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl kustomize {}: {stderr}", folder.display());
    ensure!(stderr.is_empty(), "kubectl kustomize {} warns: {stderr}", folder.display());
    String::from_utf8(output.stdout).context("kubectl rendered what is no text")
}

/// The objects of a YAML file.
///
/// # Errors
/// The file is not YAML.
pub fn objects(text: &str) -> anyhow::Result<Vec<Value>> {
    serde_saphyr::from_multiple(text).context("the manifests are no YAML")
}

/// Checks whether the rendered file is current.
///
/// # Errors
/// The file is not current.
pub fn check(root: &Path, expected: &str) -> anyhow::Result<()> {
    let there = fs::read_to_string(root.join(RENDERED)).unwrap_or_default();
    if there != expected {
        bail!("{RENDERED} is not what {OVERLAY} renders to: run cargo xtask manifests, and commit what it writes");
    }
    Ok(())
}

fn write(root: &Path, file: &str, text: &str) -> anyhow::Result<()> {
    fs::write(root.join(file), text).with_context(|| format!("{file} cannot be written"))?;
    println!("{file}: {} objects", objects(text)?.len());
    Ok(())
}

/// Reads the waits and reports those that do not fit.
///
/// # Errors
/// Some do not fit; the message lists all of them.
pub fn hold_waits(text: &str) -> anyhow::Result<()> {
    let objects = objects(text)?;
    let sidecars = waits::sidecars(&objects)?;
    let waits = match waits::read(&objects) {
        // An app's own manifests, with Lastcall beside the app.
        Err(waits::ReadError::Missing(_)) if !sidecars.is_empty() => None,
        waits => Some(waits?),
    };
    let faults: Vec<_> =
        sidecars.iter().flat_map(SidecarWaits::faults).chain(waits.iter().flat_map(waits::Waits::faults)).collect();
    if !faults.is_empty() {
        bail!("the waits do not fit into each other:\n  {}", faults.join("\n  "));
    }
    for sidecar in &sidecars {
        println!(
            "waits: a pod of {} is gone {} s after its deletion at the latest ({} s granted)",
            sidecar.name,
            sidecar.end().as_secs(),
            sidecar.grace.as_secs()
        );
    }
    let Some(waits) = waits else { return Ok(()) };
    let user = &waits.user;
    println!(
        "waits: a pod is gone {} s after its deletion at the latest ({} s granted); maintenance has emptied all pods after {} s",
        user.end().as_secs(),
        user.grace.as_secs(),
        user.maintenance().as_secs()
    );
    Ok(())
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("nothing can be read")?;
    } else {
        text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    Ok(text)
}
