//! Writing the file in one step: whoever reads it meanwhile reads the old word or the new one.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::position::Position;
use crate::set_error::SetError;

/// What a file that was not there may be: read by everybody, as the pods may be other users than the admin tier.
const NEW_MODE: u32 = 0o644;

/// Puts a new file in the place of the old one, with its mode; what a link leads to is replaced, not the link.
pub(super) fn write(path: &Path, position: Position) -> Result<(), SetError> {
    let unwritable = |error| SetError::Unwritable(path.to_owned(), error);
    let (place, permissions) = find(path).map_err(unwritable)?;
    // The folders that a mounted ConfigMap keeps its files in are the only ones that are called like that.
    if place.iter().any(|part| part.as_encoded_bytes().starts_with(b"..")) {
        return Err(SetError::Mounted(path.to_owned()));
    }
    let Some(permissions) = permissions else { return Err(SetError::NotAFile(path.to_owned())) };
    replace(&place, permissions, position).map_err(unwritable)
}

/// Where the file is, links followed, and its permissions; `None` where it is something else than a file.
fn find(path: &Path) -> io::Result<(PathBuf, Option<Permissions>)> {
    match fs::canonicalize(path) {
        Ok(place) => {
            let found = fs::metadata(&place)?;
            Ok((place, found.is_file().then(|| found.permissions())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let link = fs::symlink_metadata(path).is_ok();
            let name = path.file_name().ok_or(error)?;
            let place = fs::canonicalize(folder(path))?.join(name);
            Ok((place, (!link).then(|| Permissions::from_mode(NEW_MODE))))
        }
        Err(error) => Err(error),
    }
}

fn replace(place: &Path, permissions: Permissions, position: Position) -> io::Result<()> {
    let folder = folder(place);
    let mut new = tempfile::Builder::new().prefix(".maintenance-").tempfile_in(folder)?;
    writeln!(new, "{position}")?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(place).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// The folder that a path lies in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
