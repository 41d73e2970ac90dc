//! Finds the git revision: `LASTCALL_REVISION`, else git's word, else `unknown`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=LASTCALL_REVISION");
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let revision = std::env::var("LASTCALL_REVISION").ok().filter(|revision| !revision.is_empty());
    let revision = revision.or_else(|| git(&["rev-parse", "--short=10", "HEAD"])).unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=LASTCALL_REVISION={revision}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
