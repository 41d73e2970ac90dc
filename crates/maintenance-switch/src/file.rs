//! The switch in a file: polling and writing it.

mod write;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::publisher::StatusPublisher;
use crate::read_error::SwitchReadError;
use crate::set_error::SetError;
use crate::state::{SwitchState, SwitchValueError};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024;

/// Reads the file at each `poll` until dropped.
pub(crate) async fn follow(path: &Path, poll: Duration, mut publisher: StatusPublisher) {
    loop {
        let path = path.to_owned();
        let reading = spawn_blocking(move || read(&path)).await;
        publisher.publish(reading.unwrap_or_else(|error| Err(SwitchReadError::Unreadable(error.to_string()))), true);
        sleep(poll).await;
    }
}

/// Writes the file.
pub(crate) async fn set(path: &Path, state: SwitchState) -> Result<(), SetError> {
    let owned_path = path.to_owned();
    let written = spawn_blocking(move || write::write(&owned_path, state)).await;
    written.unwrap_or_else(|error| Err(SetError::Unwritable(path.to_owned(), io::Error::other(error))))
}

fn read(path: &Path) -> Result<SwitchState, SwitchReadError> {
    // Checked before opening: opening a named pipe would wait for a writer.
    if !fs::metadata(path).map_err(|error| read_error(&error))?.is_file() {
        return Err(SwitchReadError::Unreadable("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| read_error(&error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| read_error(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SwitchReadError::Unreadable(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8_lossy(&bytes);
    text.parse().map_err(|error: SwitchValueError| error.into())
}

fn read_error(error: &io::Error) -> SwitchReadError {
    match error.kind() {
        ErrorKind::NotFound => SwitchReadError::NotFound,
        ErrorKind::PermissionDenied => SwitchReadError::Forbidden(error.to_string()),
        _ => SwitchReadError::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
