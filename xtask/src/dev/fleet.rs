//! All children: started together, supervised, drained once, the admin tier last.

use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::child::Child;
use super::output::say;
use super::plan::Plan;
use super::ready;

/// How often children are checked.
const ROUND: Duration = Duration::from_millis(100);

/// How long children may take to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the admin tier, and pods after a failed start, may take to stop: they have no users.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Two interrupts closer than this are one: runtimes and `timeout` signal a process and then its group.
const REPEATED_WITHIN: Duration = Duration::from_millis(300);

/// The pods and the admin tier. Dropping it kills the remaining processes.
#[derive(Debug)]
pub(super) struct Fleet<'a> {
    pods: Vec<Child<'a>>,
    admin: Child<'a>,
    interrupts: &'a Receiver<()>,
    interrupted: Option<Instant>,
    times: u32,
    failed: Vec<String>,
}

impl<'a> Fleet<'a> {
    /// Starts every process of the plan.
    ///
    /// # Errors
    /// One cannot be started.
    pub(super) fn start(plan: &'a Plan, binaries: &Path, interrupts: &'a Receiver<()>) -> anyhow::Result<Self> {
        let pods = plan.pods.iter().enumerate().map(|(number, pod)| Child::start(pod, number, binaries));
        let pods = pods.collect::<anyhow::Result<Vec<_>>>()?;
        let admin = Child::start(&plan.admin, pods.len(), binaries)?;
        Ok(Self { pods, admin, interrupts, interrupted: None, times: 0, failed: Vec::new() })
    }

    pub(super) fn pods(&self) -> &[Child<'a>] {
        &self.pods
    }

    pub(super) const fn admin(&self) -> &Child<'a> {
        &self.admin
    }

    /// Waits until every process answers. Returns `false` if it was interrupted before.
    ///
    /// # Errors
    /// A process has exited, or does not answer in time. The others are stopped by then.
    pub(super) fn wait_until_ready(&mut self) -> anyhow::Result<bool> {
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            let late = self.children().find_map(|child| {
                let status = ready::status(child.process().probe_address(), child.process().probe);
                (status != Some(200)).then(|| late(child, status))
            });
            // Checked after the answers: a process that has exited did not give its own.
            let ended = self.ended();
            if !ended.is_empty() {
                self.stop_all()?;
                bail!("before all were ready, their output is above: {}", described(&ended));
            }
            let Some(late) = late else { return Ok(true) };
            if Instant::now() > deadline {
                self.stop_all()?;
                bail!("{late} within {}", humantime::format_duration(READY_TIMEOUT));
            }
            if self.round()? {
                return Ok(false);
            }
        }
    }

    /// Supervises all processes until they have exited.
    ///
    /// # Errors
    /// One has exited otherwise than by a drain.
    pub(super) fn watch(mut self) -> anyhow::Result<()> {
        let mut admin_alone = false;
        let mut admin_until = None;
        loop {
            let ended = self.ended();
            for end in &ended {
                self.report(end);
            }
            let pods_gone = self.pods.iter().all(Child::has_ended);
            if pods_gone && self.admin.has_ended() {
                break;
            }
            if pods_gone && self.times > 0 {
                match admin_until {
                    None => {
                        say("stopping the admin tier");
                        self.admin.terminate();
                        admin_until = Some(Instant::now() + STOP_TIMEOUT);
                    }
                    Some(until) if Instant::now() > until => self.admin.kill(),
                    Some(_) => {}
                }
            } else if pods_gone && !admin_alone {
                say("all user pods have exited; the admin tier still shows their drains. Ctrl-C stops it");
                admin_alone = true;
            }
            self.round()?;
            self.pods.iter_mut().for_each(Child::hurry_if_empty);
        }
        if self.failed.is_empty() {
            say("all processes have exited");
            return Ok(());
        }
        bail!("all processes have exited, but not all by a drain: {}", self.failed.join(", "))
    }

    fn children(&self) -> impl Iterator<Item = &Child<'a>> {
        self.pods.iter().chain([&self.admin])
    }

    fn children_mut(&mut self) -> impl Iterator<Item = &mut Child<'a>> {
        self.pods.iter_mut().chain([&mut self.admin])
    }

    /// Processes that have exited since the last check.
    fn ended(&mut self) -> Vec<End> {
        let ends = self.children_mut().filter_map(|child| {
            let status = child.take_end()?;
            Some(End { name: child.name().to_owned(), status, clean: child.is_clean(status) })
        });
        ends.collect()
    }

    fn report(&mut self, end: &End) {
        let End { name, status, clean } = end;
        let go_on = self.times == 0 && !self.children().all(Child::has_ended);
        let others = if go_on { "; the others continue" } else { "" };
        if !clean {
            say(&format!("{name} FAILED ({status}), its output is above{others}"));
            self.failed.push(format!("{name} ({status})"));
        } else if *name == self.admin.name() {
            say(&format!("{name} has stopped ({status}){others}"));
        } else {
            say(&format!("{name} has drained and exited ({status}){others}"));
        }
    }

    /// Waits for one interval, or for an interrupt, which it handles. Returns whether there was one.
    fn round(&mut self) -> anyhow::Result<bool> {
        match self.interrupts.recv_timeout(ROUND) {
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(error @ RecvTimeoutError::Disconnected) => Err(error).context("signals are not received any more"),
            Ok(()) if self.interrupted.is_some_and(|last| last.elapsed() < REPEATED_WITHIN) => Ok(false),
            Ok(()) => {
                self.interrupted = Some(Instant::now());
                self.times += 1;
                self.interrupt();
                Ok(true)
            }
        }
    }

    fn interrupt(&mut self) {
        match self.times {
            1 => {
                let left = self.pods.iter().filter(|pod| !pod.has_ended()).count();
                if left > 0 {
                    let pods = if left == 1 { "1 user pod" } else { &format!("{left} user pods") };
                    say(&format!("draining {pods}, then stopping the admin tier; Ctrl-C again hurries"));
                }
                // A pod that drains already gets no second signal, which would cut its drain short.
                self.pods.iter_mut().filter(|pod| !pod.is_draining()).for_each(Child::terminate);
            }
            2 => {
                say("hurrying: remaining users are signed out now; Ctrl-C a third time kills the remaining processes");
                self.pods.iter_mut().for_each(Child::terminate);
            }
            _ => {
                say("killing the remaining processes");
                self.children_mut().for_each(Child::kill);
            }
        }
    }

    /// Stops all processes, hurried, then by force: they have no users yet.
    fn stop_all(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut hurried = false;
        self.children_mut().for_each(Child::terminate);
        while !self.children().all(Child::has_ended) {
            self.round()?;
            self.ended();
            if !hurried && started.elapsed() > Duration::from_secs(1) {
                hurried = true;
                self.children_mut().for_each(Child::terminate);
            }
            if started.elapsed() > STOP_TIMEOUT {
                self.children_mut().for_each(Child::kill);
            }
        }
        Ok(())
    }
}

/// How a process exited.
#[derive(Debug)]
struct End {
    name: String,
    status: ExitStatus,
    clean: bool,
}

fn described(ended: &[End]) -> String {
    let ended: Vec<_> = ended.iter().map(|end| format!("{} has ended ({})", end.name, end.status)).collect();
    ended.join(", ")
}

fn late(child: &Child, status: Option<u16>) -> String {
    let answer = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{} is not ready ({}{}: {answer})", child.name(), child.process().url(), child.process().probe)
}
