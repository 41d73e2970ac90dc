//! How clients find the double: by a kubeconfig, or by the files and variables of a pod.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::kubernetes::server::CERTIFICATE;
use crate::kubernetes::state::Options;

/// The directory of the service account in a pod. Clients know no other one, so that a process needs its own file system.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The directory with the files for clients.
#[derive(Debug)]
pub(super) struct Access {
    folder: TempDir,
    kubeconfig: PathBuf,
    port: u16,
    in_cluster: bool,
}

impl Access {
    pub(super) fn new(folder: TempDir, port: u16, options: &Options) -> Self {
        let kubeconfig = folder.path().join("kubeconfig");
        let mut cluster = json!({ "server": format!("http://127.0.0.1:{port}") });
        if options.tls {
            cluster["server"] = format!("https://127.0.0.1:{port}").into();
            cluster["certificate-authority"] = folder.path().join(CERTIFICATE).to_str().unwrap().into();
        }
        let user = options.token.as_ref().map_or_else(|| json!({}), |token| json!({ "token": token }));
        // JSON is YAML.
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "double",
            "clusters": [{ "name": "double", "cluster": cluster }],
            "users": [{ "name": "double", "user": user }],
            "contexts": [{ "name": "double", "context": { "cluster": "double", "user": "double" } }],
        });
        fs::write(&kubeconfig, text.to_string()).unwrap();
        if let Some(token) = &options.token {
            fs::write(folder.path().join("token"), token).unwrap();
        }
        Self { folder, kubeconfig, port, in_cluster: options.tls && options.token.is_some() }
    }

    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(super) fn in_cluster(&self, namespace: &str) -> InCluster {
        assert!(self.in_cluster, "a pod speaks TLS and shows a token: start the double with both");
        let account = self.folder.path().join("account");
        fs::create_dir_all(&account).unwrap();
        for file in [CERTIFICATE, "token"] {
            fs::copy(self.folder.path().join(file), account.join(file)).unwrap();
        }
        fs::write(account.join("namespace"), namespace).unwrap();
        let port = self.port;
        let mut refusals = Vec::new();
        for private in [&["--mount"][..], &["--map-root-user", "--mount"]] {
            let in_cluster = InCluster { account: account.clone(), port, private };
            let tried = Command::new(InCluster::BINARY).args(in_cluster.arguments("true", &[])).output();
            let tried = tried.unwrap_or_else(|error| panic!("no file system as in a pod, unshare is missing: {error}"));
            if tried.status.success() {
                return in_cluster;
            }
            refusals.push(String::from_utf8_lossy(&tried.stderr).into_owned());
        }
        panic!("no file system as in a pod: this machine grants no private mounts: {refusals:?}");
    }
}

/// How to run a process as in a pod: [`Self::BINARY`] with [`Self::arguments`] and [`Self::environment`].
///
/// `unshare` gives the process its own view of the file system, with the files of the service account. Signals reach the process
/// itself. Linux only; users other than root need user namespaces.
#[derive(Debug)]
pub struct InCluster {
    account: PathBuf,
    port: u16,
    /// The options of `unshare` that work on this machine.
    private: &'static [&'static str],
}

impl InCluster {
    /// The program to run.
    pub const BINARY: &str = "unshare";

    /// The arguments of that program, which end with those of the process.
    pub fn arguments(&self, binary: impl AsRef<Path>, arguments: &[&str]) -> Vec<String> {
        let script = format!(
            "mount -t tmpfs tmpfs \"$(realpath /var/run)\" && mkdir -p {ACCOUNT} && cp \"$0\"/* {ACCOUNT}/ && exec \"$@\""
        );
        let own = ["sh", "-c", &script, self.account.to_str().unwrap(), binary.as_ref().to_str().unwrap()];
        self.private.iter().copied().chain(own).chain(arguments.iter().copied()).map(str::to_owned).collect()
    }

    /// The environment variables of a pod.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("KUBERNETES_SERVICE_HOST", "127.0.0.1".to_owned()), ("KUBERNETES_SERVICE_PORT", self.port.to_string())]
    }
}
