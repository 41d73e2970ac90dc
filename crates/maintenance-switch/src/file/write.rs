//! Replaces the file in one step, so that readers see the old value or the new one, never a part.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::set_error::SetError;
use crate::state::SwitchState;

/// The mode of a file that did not exist. All may read it: pods can run as another user than the admin tier.
const NEW_FILE_MODE: u32 = 0o644;

/// Replaces the file and keeps its mode. Follows links: the target of a link is replaced, not the link.
pub(super) fn write(path: &Path, state: SwitchState) -> Result<(), SetError> {
    let unwritable = |error| SetError::Unwritable(path.to_owned(), error);
    let (target, permissions) = find(path).map_err(unwritable)?;
    // Only a mounted ConfigMap keeps its files in directories whose names begin with two dots.
    if target.iter().any(|part| part.as_encoded_bytes().starts_with(b"..")) {
        return Err(SetError::Mounted(path.to_owned()));
    }
    let Some(permissions) = permissions else { return Err(SetError::NotAFile(path.to_owned())) };
    replace(&target, permissions, state).map_err(unwritable)
}

/// The path of the file without links, and its permissions, or `None` if it is not a regular file.
fn find(path: &Path) -> io::Result<(PathBuf, Option<Permissions>)> {
    match fs::canonicalize(path) {
        Ok(target) => {
            let found = fs::metadata(&target)?;
            Ok((target, found.is_file().then(|| found.permissions())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let link = fs::symlink_metadata(path).is_ok();
            let name = path.file_name().ok_or(error)?;
            let target = fs::canonicalize(directory(path))?.join(name);
            Ok((target, (!link).then(|| Permissions::from_mode(NEW_FILE_MODE))))
        }
        Err(error) => Err(error),
    }
}

fn replace(target: &Path, permissions: Permissions, state: SwitchState) -> io::Result<()> {
    let directory = directory(target);
    let mut new = tempfile::Builder::new().prefix(".maintenance-").tempfile_in(directory)?;
    writeln!(new, "{state}")?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(target).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// The directory of a path.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
