//! `POD_NAME` and `POD_REVISION`: the names of the pod and of its Deployment's revision.

use std::sync::Arc;

use clap::Args;
use cli::options::{self, Environment, OptionErrors};
use lastcall::PodName;

/// The names as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Pod")]
pub(super) struct PodArgs {
    /// Name of this pod: the `pod` of every session on it [default: `HOSTNAME`, else the host's name]
    #[arg(long, env)]
    pod_name: Option<String>,
    /// Revision of the Deployment that this pod belongs to [default: the version]
    #[arg(long, env)]
    pod_revision: Option<String>,
}

impl PodArgs {
    pub(super) fn name(&self, environment: &dyn Environment, errors: &mut OptionErrors) -> PodName {
        let name =
            options::non_empty(self.pod_name.as_deref()).map(str::to_owned).or_else(|| environment.get("HOSTNAME"));
        let name = name.unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
        PodName::new(&name).unwrap_or_else(|| {
            errors.push("POD_NAME", format_args!("{name:?} is no name; write one line of at most 253 characters"));
            placeholder()
        })
    }

    pub(super) fn revision(&self, errors: &mut OptionErrors) -> Arc<str> {
        let revision = options::non_empty(self.pod_revision.as_deref()).unwrap_or(cli::version::VERSION);
        if revision.chars().count() > 100 || revision.chars().any(char::is_control) {
            errors.push("POD_REVISION", "is no name of a revision; write one line of at most 100 characters");
        }
        revision.into()
    }
}

/// Placeholder for an invalid name until the errors are reported, and in the documentation of defaults.
pub(super) fn placeholder() -> PodName {
    PodName::new("pod").unwrap_or_else(|| unreachable!("a constant name"))
}
