//! Why an operation failed, as text for operators.

use std::error::Error;
use std::io;

/// Returns the innermost cause, without the errors that wrap it.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    match innermost.downcast_ref::<io::Error>() {
        // Without the number that the operating system adds.
        Some(error) if error.raw_os_error().is_some() => error.kind().to_string(),
        _ => innermost.to_string(),
    }
}

/// Returns whether a connection was refused: nothing listens at the address.
pub(crate) fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}
