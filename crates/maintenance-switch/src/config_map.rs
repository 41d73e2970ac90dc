//! The switch in a ConfigMap: its name, and the way that its content is read.

mod follow;
mod set;

use std::fmt;
use std::str::FromStr;

use k8s_openapi::api::core::v1::ConfigMap;
use thiserror::Error;

pub(crate) use follow::{Pace, follow};
pub(crate) use set::set;

use crate::KEY;
use crate::position::{Position, SwitchValueError};
use crate::report::Doubt;

/// Names a ConfigMap, `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMapName {
    namespace: String,
    name: String,
}

/// Why a text names no ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadName {
    /// It has no slash, or several.
    #[error("{0:?} is not namespace/name; write it like sample-app/app-config")]
    Parts(String),
    /// The namespace cannot be one.
    #[error(
        "{0:?} can be no namespace: lower-case letters, digits and dashes, at most 63, a letter or digit at each end"
    )]
    Namespace(String),
    /// The name cannot be one.
    #[error(
        "{0:?} can be no ConfigMap's name: lower-case letters, digits, dashes and dots, at most 253, a letter or digit \
         at each end of what the dots divide"
    )]
    Name(String),
}

impl ConfigMapName {
    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name in the namespace.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ConfigMapName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (namespace, name) = text
            .trim()
            .split_once('/')
            .filter(|(_, name)| !name.contains('/'))
            .ok_or(BadName::Parts(text.to_owned()))?;
        if !is_label(namespace) || namespace.len() > 63 {
            return Err(BadName::Namespace(namespace.to_owned()));
        }
        if !name.split('.').all(is_label) || name.len() > 253 {
            return Err(BadName::Name(name.to_owned()));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ConfigMapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What RFC 1123 allows between two dots.
fn is_label(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|c| plain(*c) || *c == b'-')
        && bytes.first().is_some_and(|c| plain(*c))
        && bytes.last().is_some_and(|c| plain(*c))
}

/// What a ConfigMap says.
fn reading(map: &ConfigMap) -> Result<Position, Doubt> {
    let text = map.data.as_ref().and_then(|data| data.get(KEY)).ok_or(Doubt::NoKey)?;
    text.parse().map_err(|unclear: SwitchValueError| unclear.into())
}

/// An error in one line, with all that lies below it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        below = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
