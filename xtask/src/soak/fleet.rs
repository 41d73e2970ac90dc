//! Three pods behind a proxy, with one Redis, and what is done to them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinHandle;

use super::ledger::Ledger;
use super::options::Arguments;
use super::pod::{Pod, Template};
use super::proxy::{Proxy, ProxyConfig};
use super::redis::Redis;
use super::{PODS, ports};

/// A pod that drains. It owns the task that waits for the pod's exit: [`Fleet::replace`] joins it, and dropping it
/// aborts the task and kills the pod.
#[derive(Debug)]
pub(super) struct Drain {
    place: usize,
    port: u16,
    task: JoinHandle<anyhow::Result<(Ledger, Duration)>>,
}

impl Drop for Drain {
    fn drop(&mut self) {
        // The task owns the pod.
        self.task.abort();
    }
}

/// The running system.
#[derive(Debug)]
pub(super) struct Fleet {
    template: Template,
    pods: Vec<Option<Pod>>,
    started: u32,
    pub(super) proxy: Proxy,
    pub(super) redis: Redis,
    /// The port of the proxy.
    pub(super) port: u16,
    /// The ledgers of pods that are gone.
    pub(super) ledgers: Vec<Ledger>,
    /// How long drains took.
    pub(super) drains: Vec<Duration>,
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// Starts everything.
    ///
    /// # Errors
    /// Something does not start.
    pub(super) async fn start(options: &Arguments, binary: &Path, logs: &Path) -> anyhow::Result<Self> {
        let [redis, proxy, ports @ ..] = ports::free::<{ PODS + 2 }>()?;
        let redis = Redis::start(redis, logs).await?;
        let template = Template::new(options, binary, logs, &redis.url());
        let mut pods = Vec::new();
        for (number, port) in (1..).zip(ports) {
            pods.push(Some(Pod::start(&template, format!("user-{number}"), port).await?));
        }
        let folder = tempfile::tempdir()?;
        let started = u32::try_from(PODS)?;
        let port = proxy;
        let proxy = Proxy::start(options, ProxyConfig { port, pods: ports, folder: folder.path(), logs }).await?;
        let (ledgers, drains) = (Vec::new(), Vec::new());
        Ok(Self { template, pods, started, proxy, redis, port, ledgers, drains, _folder: folder })
    }

    /// Begins to drain the pod in this place.
    ///
    /// # Errors
    /// No pod is in this place.
    pub(super) fn begin_drain(&mut self, place: usize) -> anyhow::Result<Drain> {
        let pod = self.pods[place].take().context("no pod is there")?;
        let (port, began) = (pod.port(), Instant::now());
        let task = tokio::spawn(async move { Ok((pod.drain().await?, began.elapsed())) });
        Ok(Drain { place, port, task })
    }

    /// Waits for the exit of a draining pod, and replaces it.
    ///
    /// # Errors
    /// The pod does not exit as it should, or the next one does not become ready.
    pub(super) async fn replace(&mut self, mut drain: Drain) -> anyhow::Result<()> {
        let (ledger, took) = (&mut drain.task).await??;
        self.ledgers.push(ledger);
        self.drains.push(took);
        self.start_next(drain.place, drain.port).await
    }

    /// Kills the pod in this place, and replaces it. Returns how many sessions it held.
    ///
    /// # Errors
    /// The next one does not become ready.
    pub(super) async fn kill(&mut self, place: usize) -> anyhow::Result<u64> {
        let Some(pod) = self.pods[place].take() else { return Ok(0) };
        let port = pod.port();
        let ledger = pod.kill().await?;
        let held = ledger.active;
        self.ledgers.push(ledger);
        self.start_next(place, port).await?;
        Ok(held)
    }

    /// Reads the ledgers of the pods that still serve, and kills them.
    ///
    /// # Errors
    /// A pod does not end.
    pub(super) async fn finish(&mut self) -> anyhow::Result<()> {
        for pod in self.pods.iter_mut().filter_map(Option::take) {
            self.ledgers.push(pod.kill().await?);
        }
        Ok(())
    }

    async fn start_next(&mut self, place: usize, port: u16) -> anyhow::Result<()> {
        self.started += 1;
        let name = format!("user-{}", self.started);
        self.pods[place] = Some(Pod::start(&self.template, name, port).await?);
        self.proxy.wait_for(place).await
    }
}
