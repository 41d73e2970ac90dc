//! The name of a ConfigMap, as options write it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The name of a ConfigMap: `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMapName {
    namespace: String,
    name: String,
}

/// Why text is not the name of a ConfigMap. The operator corrects the option.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigMapNameError {
    /// The text has no slash, or several.
    #[error("{0:?} is not namespace/name; write it like sample-app/app-config")]
    Format(String),
    /// The namespace is invalid.
    #[error(
        "{0:?} is not a valid namespace: lower-case letters, digits and dashes, at most 63, a letter or digit at each end"
    )]
    Namespace(String),
    /// The name is invalid.
    #[error(
        "{0:?} is not a valid ConfigMap name: lower-case letters, digits, dashes and dots, at most 253, a letter or digit \
         at each end and beside each dot"
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
    type Err = ConfigMapNameError;

    fn from_str(text: &str) -> Result<Self, ConfigMapNameError> {
        let (namespace, name) = text
            .trim()
            .split_once('/')
            .filter(|(_, name)| !name.contains('/'))
            .ok_or(ConfigMapNameError::Format(text.to_owned()))?;
        if !is_label(namespace) || namespace.len() > 63 {
            return Err(ConfigMapNameError::Namespace(namespace.to_owned()));
        }
        if !name.split('.').all(is_label) || name.len() > 253 {
            return Err(ConfigMapNameError::Name(name.to_owned()));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ConfigMapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Whether the text is a label of RFC 1123. Does not check its length.
fn is_label(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|c| plain(*c) || *c == b'-')
        && bytes.first().is_some_and(|c| plain(*c))
        && bytes.last().is_some_and(|c| plain(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_names_are_parsed_and_others_are_rejected_with_the_reason() {
        for good in ["sample-app/app-config", " a/b ", "a/b.c-d.0", "0/1"] {
            let name: ConfigMapName = good.parse().unwrap();
            assert_eq!(name.to_string(), good.trim());
        }
        for format in ["", "app-config", "a/b/c", "/a/b"] {
            assert!(matches!(format.parse::<ConfigMapName>(), Err(ConfigMapNameError::Format(_))), "{format:?}");
        }
        for namespace in ["/b", "A/b", "a.b/c", "-a/b", "a_b/c", "a b/c"] {
            assert!(
                matches!(namespace.parse::<ConfigMapName>(), Err(ConfigMapNameError::Namespace(_))),
                "{namespace:?}"
            );
        }
        for bad in ["a/", "a/B", "a/b..c", "a/.b", "a/b-", "a/b,metadata.name=c", "a/b?c"] {
            assert!(matches!(bad.parse::<ConfigMapName>(), Err(ConfigMapNameError::Name(_))), "{bad:?}");
        }
    }
}
