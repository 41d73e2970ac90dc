//! The dependencies that the app has named. While one of them is missing, `/ready` fails.

use serde_json::{Map, Value};
use tokio::sync::watch;

/// One that the app named: [`Builder::readiness_of`](crate::Builder::readiness_of).
#[derive(Debug)]
struct Dependency {
    name: String,
    is_there: watch::Receiver<bool>,
}

/// All that the app named.
#[derive(Debug, Default)]
pub(crate) struct Dependencies(Vec<Dependency>);

impl Dependencies {
    /// Adds one. A name that was added before is followed by the new receiver alone.
    pub(crate) fn add(&mut self, name: String, is_there: watch::Receiver<bool>) {
        self.0.retain(|known| known.name != name);
        self.0.push(Dependency { name, is_there });
    }

    /// Whether none is missing.
    pub(crate) fn are_there(&self) -> bool {
        self.0.iter().all(|dependency| *dependency.is_there.borrow())
    }

    /// Writes those that are missing into the answer of `/ready`, each as `false`.
    pub(crate) fn describe_missing(&self, answer: &mut Map<String, Value>) {
        let missing = self.0.iter().filter(|dependency| !*dependency.is_there.borrow());
        for Dependency { name, .. } in missing {
            // What Lastcall says itself stays.
            answer.entry(name.as_str()).or_insert(Value::Bool(false));
        }
    }
}
