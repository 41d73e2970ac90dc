//! The waits of a pod with Lastcall beside an app: a drain by `user-tier drain`, and an app that is not stopped before it is over.

use std::time::Duration;

use serde_json::Value;

use super::read::{duration, grace, name, noticed, option, seconds};
use super::{Probing, ReadError, SHUTDOWN_TIMEOUT, shown};

/// The port of the probes, where `PROBE_ADDR` does not say.
const PROBE_PORT: u64 = 9093;

/// The `preStop` of an app's container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopHook {
    /// There is none.
    Missing,
    /// `httpGet` of `/wait-for-drain` at this port.
    WaitForDrain(u64),
    /// `sleep`.
    Sleep(Duration),
    /// Something of unknown length.
    Other,
}

/// The waits of a Deployment with a sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidecarWaits {
    /// The Deployment.
    pub name: String,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// `TERMINATION_GRACE_PERIOD`, the grace period as the sidecar knows it.
    pub configured_grace: Option<Duration>,
    /// `DRAIN_TIMEOUT`.
    pub drain: Duration,
    /// `TASK_GRACE`.
    pub task_grace: Duration,
    /// `PROPAGATION_WAIT`.
    pub propagation: Duration,
    /// How long the sidecar's closers may take.
    pub closers: Duration,
    /// Whether `preStop` of the sidecar is `user-tier drain`.
    pub drains: bool,
    /// Whether it keeps ready while it drains.
    pub holds_readiness: bool,
    /// The port of `PROBE_ADDR`.
    pub probe_port: u64,
    /// The app's container, and its `preStop`.
    pub app: Option<(String, StopHook)>,
    /// How long an unready pod may go unnoticed.
    pub unready: Duration,
    /// How long a dead sidecar may go unnoticed.
    pub dead: Duration,
}

/// The waits of every Deployment in which Lastcall stands in front of an app of the same pod.
///
/// # Errors
/// An option is no duration.
pub fn sidecars(objects: &[Value]) -> Result<Vec<SidecarWaits>, ReadError> {
    let deployments = objects.iter().filter(|object| object["kind"] == "Deployment");
    let found = deployments.filter_map(|deployment| Some((deployment, sidecar(deployment)?)));
    found.map(|(deployment, sidecar)| read(deployment, sidecar)).collect()
}

/// The container whose upstream is in the same pod.
fn sidecar(deployment: &Value) -> Option<&Value> {
    let pod = &deployment["spec"]["template"]["spec"];
    let of = |list: &str| pod[list].as_array().into_iter().flatten();
    of("initContainers")
        .chain(of("containers"))
        .find(|container| option(container, "UPSTREAM_URL").is_some_and(is_here))
}

/// Whether an upstream is in the pod itself.
fn is_here(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or_default();
    url.starts_with("unix:") || ["127.", "localhost:", "[::1]:"].iter().any(|here| host.starts_with(here))
}

fn read(deployment: &Value, sidecar: &Value) -> Result<SidecarWaits, ReadError> {
    let pod = &deployment["spec"]["template"]["spec"];
    let duration = |name| duration(sidecar, name);
    let command = sidecar["lifecycle"]["preStop"]["exec"]["command"].as_array();
    Ok(SidecarWaits {
        name: name(deployment),
        grace: grace(pod),
        configured_grace: duration("TERMINATION_GRACE_PERIOD")?,
        drain: duration("DRAIN_TIMEOUT")?.unwrap_or(Duration::from_secs(60)),
        task_grace: duration("TASK_GRACE")?.unwrap_or(Duration::ZERO),
        propagation: duration("PROPAGATION_WAIT")?.unwrap_or(Duration::from_secs(15)),
        // `DATABASE_URL` is refused with an upstream, and nothing else is closed.
        closers: Duration::ZERO,
        drains: command.is_some_and(|words| words.get(1).is_some_and(|word| word == "drain")),
        holds_readiness: option(sidecar, "READINESS_WHILE_DRAINING") == Some("hold"),
        probe_port: option(sidecar, "PROBE_ADDR").map_or(PROBE_PORT, port_of),
        app: app(pod, sidecar).map(|app| (app["name"].as_str().unwrap_or_default().to_owned(), hook(app))),
        unready: noticed(&sidecar["readinessProbe"]),
        dead: noticed(&sidecar["livenessProbe"]),
    })
}

/// The container of the app: the one that declares the upstream's port, or else the first.
fn app<'a>(pod: &'a Value, sidecar: &Value) -> Option<&'a Value> {
    let port = option(sidecar, "UPSTREAM_URL").map_or(0, port_of);
    let others = || pod["containers"].as_array().into_iter().flatten().filter(|other| other["name"] != sidecar["name"]);
    let declares =
        |other: &&Value| other["ports"].as_array().into_iter().flatten().any(|it| it["containerPort"] == port);
    others().find(declares).or_else(|| others().next())
}

fn port_of(address: &str) -> u64 {
    address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default()
}

fn hook(container: &Value) -> StopHook {
    let hook = &container["lifecycle"]["preStop"];
    if hook.is_null() {
        return StopHook::Missing;
    }
    if hook["httpGet"]["path"] == "/wait-for-drain" {
        return StopHook::WaitForDrain(hook["httpGet"]["port"].as_u64().unwrap_or_default());
    }
    if hook["sleep"]["seconds"].is_u64() {
        return StopHook::Sleep(seconds(&hook["sleep"]["seconds"], 0));
    }
    StopHook::Other
}

impl SidecarWaits {
    /// Time from a pod's deletion until the app may be stopped, if work in progress takes as long as it may.
    pub fn drained(&self) -> Duration {
        self.drain + self.task_grace + self.propagation + self.closers
    }

    /// Time from a pod's deletion to its end.
    pub fn end(&self) -> Duration {
        let app = match self.app {
            Some((_, StopHook::Sleep(slept))) => slept,
            _ => Duration::ZERO,
        };
        self.drained().max(app) + SHUTDOWN_TIMEOUT
    }

    /// The waits that do not fit, each with what to do about it. Empty if all fit.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let name = &self.name;
        let [drain, task_grace, propagation, closers, grace] =
            [self.drain, self.task_grace, self.propagation, self.closers, self.grace].map(shown);
        if self.drained() + SHUTDOWN_TIMEOUT > self.grace {
            faults.push(format!(
                "{name}: DRAIN_TIMEOUT {drain} + TASK_GRACE {task_grace} + PROPAGATION_WAIT {propagation} + closers {closers} + \
                 closing {} = {}, and terminationGracePeriodSeconds grants {grace}: grant {} or more, or shorten a wait",
                shown(SHUTDOWN_TIMEOUT),
                shown(self.drained() + SHUTDOWN_TIMEOUT),
                (self.drained() + SHUTDOWN_TIMEOUT).as_secs_f64().ceil()
            ));
        }
        match self.configured_grace {
            Some(configured) if configured == self.grace => {}
            Some(configured) => faults.push(format!(
                "{name}: TERMINATION_GRACE_PERIOD says {}, and terminationGracePeriodSeconds grants {grace}: set {grace}",
                shown(configured)
            )),
            None => faults.push(format!("{name}: TERMINATION_GRACE_PERIOD is not set: set {grace}")),
        }
        if !self.drains {
            faults.push(format!(
                "{name}: preStop of the sidecar is not `user-tier drain`: its SIGTERM comes when the app has ended, too late to \
                 notify users"
            ));
        }
        faults.extend(self.app_fault().map(|fault| format!("{name}: {fault}")));
        let Self { holds_readiness, unready, dead, propagation, .. } = *self;
        Probing { holds_readiness, unready, dead, propagation }.faults(name, "the sidecar", &mut faults);
        faults
    }

    /// Why the app is not stopped at the right time.
    fn app_fault(&self) -> Option<String> {
        let Some((app, hook)) = &self.app else { return Some("there is no app beside the sidecar".to_owned()) };
        let port = self.probe_port;
        let advice = format!("set `httpGet` of /wait-for-drain at port {port}");
        let end = self.drained();
        match *hook {
            StopHook::WaitForDrain(asked) if asked == port => None,
            StopHook::WaitForDrain(asked) => {
                Some(format!("preStop of {app} asks port {asked}, and PROBE_ADDR is port {port}: {advice}"))
            }
            StopHook::Missing => {
                Some(format!("{app} has no preStop, and is stopped at once, while its users are there: {advice}"))
            }
            StopHook::Sleep(slept) if slept < end => Some(format!(
                "preStop of {app} ends after {}, and a drain takes up to {}: {advice}",
                shown(slept),
                shown(end)
            )),
            StopHook::Sleep(slept) if slept + SHUTDOWN_TIMEOUT > self.grace => Some(format!(
                "preStop of {app} {} + closing {} do not fit into terminationGracePeriodSeconds {}: {advice}",
                shown(slept),
                shown(SHUTDOWN_TIMEOUT),
                shown(self.grace)
            )),
            StopHook::Sleep(_) => None,
            StopHook::Other => Some(format!("preStop of {app} has no known length: {advice}")),
        }
    }
}

#[cfg(test)]
mod tests;
