//! The user pods: each under a name of its own on one of three ports.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::child::Child;
use super::ledger::{Ledger, MetricsReader};
use super::options::{Arguments, Switch};
use super::plain_http::get;
use super::until;

/// How long a pod may take to become ready, and to exit beyond its own waits.
const WAIT: Duration = Duration::from_secs(60);

/// What all pods have in common.
#[derive(Debug)]
pub(super) struct Template {
    binary: PathBuf,
    logs: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// The time within which a drain is over.
    drain_limit: Duration,
}

impl Template {
    pub(super) fn new(options: &Arguments, binary: &Path, logs: &Path, redis: &str) -> Self {
        let time = |duration: Duration| humantime::format_duration(duration).to_string().replace(' ', "");
        let mut environment = vec![
            ("REDIS_URL", redis.to_owned()),
            ("SESSION_KEY", "a key of at least thirty-two bytes for the soak".to_owned()),
            ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
            ("GRPC_AUTH", "off".to_owned()),
            ("DRAIN_TIMEOUT", time(options.drain_timeout)),
            ("PROPAGATION_WAIT", time(options.propagation_wait)),
            ("DRAIN_PROGRESS_INTERVAL", "1s".to_owned()),
            ("HEARTBEAT_INTERVAL", "5s".to_owned()),
        ];
        if options.handoff == Switch::On {
            environment.extend([
                ("HANDOFF", "on".to_owned()),
                ("HANDOFF_DELAY", time(options.handoff_delay)),
                ("HANDOFF_RATE", options.handoff_rate.to_string()),
                ("HANDOFF_QUIET", time(options.handoff_quiet)),
            ]);
        }
        let drain_limit = options.drain_timeout + options.propagation_wait + WAIT;
        Self { binary: binary.to_owned(), logs: logs.to_owned(), environment, drain_limit }
    }
}

/// A running pod.
#[derive(Debug)]
pub(super) struct Pod {
    pub(super) name: String,
    port: u16,
    child: Child,
    metrics: MetricsReader,
    drain_limit: Duration,
}

impl Pod {
    /// Starts a pod and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub(super) async fn start(template: &Template, name: String, port: u16) -> anyhow::Result<Self> {
        let mut environment = template.environment.clone();
        environment.push(("HTTP_ADDR", format!("127.0.0.1:{port}")));
        environment.push(("POD_NAME", name.clone()));
        let child = Child::start(&template.logs, &name, &template.binary, &[], &environment)?;
        until(&format!("{name} is ready"), WAIT, async || {
            get(port, "/ready").await.is_ok_and(|(status, _)| status == 200)
        })
        .await?;
        let metrics = MetricsReader::of(port);
        Ok(Self { name, port, child, metrics, drain_limit: template.drain_limit })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Sends SIGTERM, waits for the exit, and returns the last ledger.
    ///
    /// # Errors
    /// The pod does not exit in time, or not with status 0.
    pub(super) async fn drain(mut self) -> anyhow::Result<Ledger> {
        self.metrics.watch_closely();
        self.child.signal(Signal::SIGTERM)?;
        let status = self.child.wait(self.drain_limit).await?;
        anyhow::ensure!(status.success(), "{} exits with {status} after its drain", self.name);
        Ok(self.metrics.close(self.name).await)
    }

    /// Reads its ledger, and kills it.
    ///
    /// # Errors
    /// It does not end.
    pub(super) async fn kill(mut self) -> anyhow::Result<Ledger> {
        self.metrics.read_settled().await?;
        self.child.signal(Signal::SIGKILL)?;
        self.child.wait(WAIT).await?;
        Ok(self.metrics.close(self.name).await)
    }
}
