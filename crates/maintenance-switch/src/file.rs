//! The switch in a file: read by its path again and again, written so that nobody reads half of it.

mod write;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::position::{Position, SwitchValueError};
use crate::report::{Doubt, Teller};
use crate::set_error::SetError;

/// A switch is a word; more than this is not read.
const MAX_BYTES: u64 = 1024;

/// Reads the file again and again.
pub(crate) async fn follow(path: &Path, poll: Duration, mut teller: Teller) {
    loop {
        let path = path.to_owned();
        let reading = spawn_blocking(move || read(&path)).await;
        teller.hear(reading.unwrap_or_else(|broken| Err(Doubt::Unreadable(broken.to_string()))), true);
        sleep(poll).await;
    }
}

/// Writes the file.
pub(crate) async fn set(path: &Path, position: Position) -> Result<(), SetError> {
    let place = path.to_owned();
    let written = spawn_blocking(move || write::write(&place, position)).await;
    written.unwrap_or_else(|broken| Err(SetError::Unwritable(path.to_owned(), io::Error::other(broken))))
}

fn read(path: &Path) -> Result<Position, Doubt> {
    // Looked at before it is opened: opening a pipe would wait for somebody to write.
    if !fs::metadata(path).map_err(|error| doubt(&error))?.is_file() {
        return Err(Doubt::Unreadable("it is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| doubt(&error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| doubt(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Doubt::Unreadable(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8_lossy(&bytes);
    text.parse().map_err(|unclear: SwitchValueError| unclear.into())
}

fn doubt(error: &io::Error) -> Doubt {
    match error.kind() {
        ErrorKind::NotFound => Doubt::NotThere,
        ErrorKind::PermissionDenied => Doubt::Forbidden(error.to_string()),
        _ => Doubt::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
