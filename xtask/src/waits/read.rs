//! Reads the waits from rendered objects. For values that a manifest leaves out it uses the defaults of Kubernetes or the binary.

use std::time::Duration;

use serde_json::Value;

use super::{HandoffWaits, PageWaits, ScaleDownWaits, UserWaits, Waits};

/// The longest delay of a mounted ConfigMap: the kubelet's sync period and the age of its cache.
const MOUNTED: Duration = Duration::from_secs(2 * 60);

/// The longest delay of a watch.
const WATCHED: Duration = Duration::from_secs(1);

/// The time limit for closing a database that the Deployment names.
pub const DATABASE_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the waits cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A Deployment is missing.
    #[error("there is no Deployment {0}")]
    Missing(&'static str),
    /// A Deployment has no container of that name.
    #[error("{0} has no container {1}")]
    NoContainer(String, &'static str),
    /// A hook has an unknown duration.
    #[error("preStop of {0} has no known length: use `sleep`")]
    UnknownHook(String),
    /// An option is no duration.
    #[error("{0} is {1:?}, which is no duration")]
    NoDuration(&'static str, String),
}

/// The waits of a set of manifests.
///
/// # Errors
/// The user tier or the maintenance page is missing, or a wait is not known.
pub fn read(objects: &[Value]) -> Result<Waits, ReadError> {
    let deployment = |name: &'static str| {
        let found = objects.iter().find(|object| object["kind"] == "Deployment" && object["metadata"]["name"] == name);
        found.ok_or(ReadError::Missing(name))
    };
    // The component `rainbow` appends the revision to the name.
    let is_user_tier = |object: &&Value| {
        let name = object["metadata"]["name"].as_str().and_then(|name| name.strip_prefix("sample-app-user"));
        object["kind"] == "Deployment" && name.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let user_tier = objects.iter().find(is_user_tier).ok_or(ReadError::Missing("sample-app-user"))?;
    Ok(Waits {
        user: user(user_tier)?,
        page: page(deployment("sample-app-maintenance")?)?,
        scale_down: objects.iter().find(|object| object["kind"] == "HorizontalPodAutoscaler").map(scale_down),
    })
}

fn user(deployment: &Value) -> Result<UserWaits, ReadError> {
    let pod = &deployment["spec"]["template"]["spec"];
    let container = container(deployment, "user-tier")?;
    let duration = |name| duration(container, name);
    let switch = if option(container, "MAINTENANCE_CONFIGMAP").is_some() {
        WATCHED
    } else {
        MOUNTED + duration("MAINTENANCE_POLL")?.unwrap_or(Duration::from_secs(5))
    };
    let handoff = HandoffWaits {
        delay: duration("HANDOFF_DELAY")?.unwrap_or(Duration::from_secs(5)),
        quiet: duration("HANDOFF_QUIET")?.unwrap_or(Duration::from_secs(10)),
    };
    let handoff = (option(container, "HANDOFF") == Some("on")).then_some(handoff);
    let startup = &container["startupProbe"];
    Ok(UserWaits {
        name: name(deployment),
        grace: grace(pod),
        pre_stop: pre_stop(deployment, container)?,
        drain: duration("DRAIN_TIMEOUT")?.unwrap_or(Duration::from_secs(60)),
        task_grace: duration("TASK_GRACE")?.unwrap_or(Duration::ZERO),
        propagation: duration("PROPAGATION_WAIT")?.unwrap_or(Duration::from_secs(15)),
        handoff,
        closers: if has_database(container) { DATABASE_CLOSE_TIMEOUT } else { Duration::ZERO },
        configured_grace: duration("TERMINATION_GRACE_PERIOD")?,
        holds_readiness: option(container, "READINESS_WHILE_DRAINING") == Some("hold"),
        unready: noticed(&container["readinessProbe"]),
        dead: noticed(&container["livenessProbe"]),
        startup: seconds(&startup["initialDelaySeconds"], 0) + noticed(startup),
        progress: seconds(&deployment["spec"]["progressDeadlineSeconds"], 600),
        switch,
    })
}

fn page(deployment: &Value) -> Result<PageWaits, ReadError> {
    let pod = &deployment["spec"]["template"]["spec"];
    let pre_stop = pre_stop(deployment, container(deployment, "maintenance-page")?)?;
    Ok(PageWaits { name: name(deployment), grace: grace(pod), pre_stop })
}

/// By its name: a sidecar may stand before it.
fn container<'a>(deployment: &'a Value, called: &'static str) -> Result<&'a Value, ReadError> {
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array();
    let found = containers.into_iter().flatten().find(|container| container["name"] == called);
    found.ok_or_else(|| ReadError::NoContainer(name(deployment), called))
}

fn scale_down(autoscaler: &Value) -> ScaleDownWaits {
    let behavior = &autoscaler["spec"]["behavior"]["scaleDown"];
    let paces =
        behavior["policies"].as_array().into_iter().flatten().map(|policy| seconds(&policy["periodSeconds"], 0));
    ScaleDownWaits {
        quiet: seconds(&behavior["stabilizationWindowSeconds"], 300),
        // The default is 15 s.
        pace: paces.min().unwrap_or(Duration::from_secs(15)),
    }
}

pub(super) fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

pub(super) fn grace(pod: &Value) -> Duration {
    seconds(&pod["terminationGracePeriodSeconds"], 30)
}

fn pre_stop(deployment: &Value, container: &Value) -> Result<Duration, ReadError> {
    let hook = &container["lifecycle"]["preStop"];
    match hook["sleep"]["seconds"].as_u64() {
        Some(slept) => Ok(Duration::from_secs(slept)),
        None if hook.is_null() => Ok(Duration::ZERO),
        None => Err(ReadError::UnknownHook(name(deployment))),
    }
}

/// How long it takes a probe to notice, at the worst: all its tries, the last one until its timeout.
pub(super) fn noticed(probe: &Value) -> Duration {
    let tries = u32::try_from(probe["failureThreshold"].as_u64().unwrap_or(3)).unwrap_or(u32::MAX);
    seconds(&probe["periodSeconds"], 10).saturating_mul(tries) + seconds(&probe["timeoutSeconds"], 1)
}

pub(super) fn seconds(value: &Value, default: u64) -> Duration {
    Duration::from_secs(value.as_u64().unwrap_or(default))
}

/// Whether the Deployment names a database: in the variable, or from a Secret, whose value is not in the manifest.
fn has_database(container: &Value) -> bool {
    let names = ["DATABASE_URL", "DATABASE_URL_FILE"];
    let mut variables = container["env"].as_array().into_iter().flatten();
    variables.any(|variable| names.iter().any(|name| variable["name"] == *name) && variable["value"] != "")
}

/// The value of an environment variable that is a duration.
pub(super) fn duration(container: &Value, name: &'static str) -> Result<Option<Duration>, ReadError> {
    let Some(text) = option(container, name) else { return Ok(None) };
    humantime::parse_duration(text).map(Some).map_err(|_| ReadError::NoDuration(name, text.to_owned()))
}

/// The value of an environment variable.
pub(super) fn option<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let variables = container["env"].as_array()?;
    variables.iter().find(|variable| variable["name"] == name)?["value"].as_str()
}
