//! The environment variables.

/// The environment variables. In tests, a map.
pub trait Environment {
    /// Returns the value of a variable, or `None` if it is unset or empty.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        // Text that is not UTF-8 is returned with replacement characters, and fails to parse.
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        Some(value).filter(|value| !value.trim().is_empty())
    }
}

impl Environment for std::collections::HashMap<&str, &str> {
    fn get(&self, name: &str) -> Option<String> {
        let value = std::collections::HashMap::get(self, name)?;
        Some((*value).to_owned()).filter(|value| !value.trim().is_empty())
    }
}
