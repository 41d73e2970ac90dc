//! The command line of the user tier: its groups of options in the order of `--help`, and its subcommand.

use clap::{Parser, Subcommand};
use cli::common_options::{GRPC_TOKEN, LogArgs, ProxyArgs};
use cli::secret::help::{self, SecretOption};

use super::addresses::AddressArgs;
use super::database::DATABASE_URL;
use super::drain::DrainArgs;
use super::drain_command::RawDrain;
use super::handoff::HandoffArgs;
use super::introspection::IntrospectionArgs;
use super::maintenance::MaintenanceArgs;
use super::maintenance_page::RawPage;
use super::pod::PodArgs;
use super::requests::RequestArgs;
use super::sessions::{SESSION_KEY, SessionArgs};
use super::store::{REDIS_URL, StoreArgs};
use super::streams::StreamArgs;
use super::upstream::UpstreamArgs;

/// The secrets, as `--help` describes them.
pub(super) const SECRETS: [SecretOption; 4] = [SESSION_KEY, REDIS_URL, DATABASE_URL, GRPC_TOKEN];

/// Lastcall's user tier: serves the sample app, tracks its users, and drains when it is asked to stop
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "user-tier", version = cli::version::VERSION, after_help = help::text(&SECRETS), args_conflicts_with_subcommands = true)]
pub struct Raw {
    /// What to run instead of a pod
    #[command(subcommand)]
    pub mode: Option<Mode>,
    /// Checks the options, reports errors, and exits
    #[arg(long)]
    pub check_config: bool,
    #[command(flatten)]
    pub(super) addresses: AddressArgs,
    #[command(flatten)]
    pub(super) pod: PodArgs,
    #[command(flatten)]
    pub(super) drain: DrainArgs,
    #[command(flatten)]
    pub(super) sessions: SessionArgs,
    #[command(flatten)]
    pub(super) streams: StreamArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
    #[command(flatten)]
    pub(super) upstream: UpstreamArgs,
    #[command(flatten)]
    pub(super) proxies: ProxyArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    #[command(flatten)]
    pub(super) handoff: HandoffArgs,
    #[command(flatten)]
    pub(super) introspection: IntrospectionArgs,
    #[command(flatten)]
    pub(super) maintenance: MaintenanceArgs,
    #[command(flatten)]
    pub(super) log: LogArgs,
}

impl Raw {
    /// Whether `FORCED_END` is `delete`, by its default or by choice.
    pub fn deletes_at_forced_end(&self) -> bool {
        self.store.deletes_at_forced_end()
    }
}

/// What the binary can run instead of a pod.
#[derive(Clone, Debug, Subcommand)]
pub enum Mode {
    /// Serves the maintenance page and nothing else, as a backend for when the Service has no ready pod
    MaintenancePage(RawPage),
    /// Asks the service on this machine to drain and waits until the drain is over, as the preStop hook of a native sidecar. The
    /// service then goes on serving until SIGTERM
    Drain(RawDrain),
}
