//! The errors of options, collected so that all are reported together.

use std::fmt;

use thiserror::Error;

/// The errors of the options, one line each.
#[derive(Clone, Debug, Default, Error, PartialEq, Eq)]
pub struct OptionErrors(Vec<String>);

impl fmt::Display for OptionErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl OptionErrors {
    /// Adds an error of `variable`, which should say what to do about it.
    pub fn push(&mut self, variable: &str, error: impl fmt::Display) {
        self.0.push(format!("{variable}: {error}"));
    }

    /// Returns the value of `result` if there are no errors at all.
    ///
    /// # Errors
    /// Returns all errors, with these first.
    pub(crate) fn combine<T>(mut self, result: Result<T, Self>) -> Result<T, Self> {
        match result {
            Ok(value) => self.into_result(value),
            Err(others) => {
                self.0.extend(others.0);
                Err(self)
            }
        }
    }

    /// Returns the parsed value, or adds the error and returns `fallback`, so that parsing goes on and finds further errors.
    pub fn value_or<T>(&mut self, variable: &str, parsed: Result<T, String>, fallback: T) -> T {
        parsed.unwrap_or_else(|error| {
            self.push(variable, error);
            fallback
        })
    }

    /// Stores the parsed value in `target`, or adds the error and leaves the default in `target`.
    pub fn set<T>(&mut self, target: &mut T, variable: &str, parsed: Result<T, String>) {
        match parsed {
            Ok(value) => *target = value,
            Err(error) => self.push(variable, error),
        }
    }

    /// Returns `value` if there are no errors.
    ///
    /// # Errors
    /// Returns the errors otherwise.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_reported_one_line_each() {
        let mut errors = OptionErrors::default();
        assert_eq!(errors.value_or("A", Err("is wrong".to_owned()), 1), 1);
        errors.push("B", "contradicts A");
        assert_eq!(
            errors.into_result(()).map_err(|errors| errors.to_string()),
            Err("A: is wrong\nB: contradicts A".to_owned())
        );
    }
}
