//! Large values in files of their own, named by their hash.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::disk::make_anew;
use crate::hexadecimal::encode;
use crate::seal::Unsynced;
use crate::{Disk, JournalError, RunDirectory};

/// Keeps a text; gives the hash that names it. One that is there already is not written again.
pub(crate) fn keep(
    directory: &RunDirectory,
    disk: &Arc<dyn Disk>,
    text: &str,
    unsynced: &mut Unsynced,
) -> Result<String, JournalError> {
    let name = encode(&Sha256::digest(text));
    let folder = directory.spool();
    let path = folder.join(&name);
    if is_whole(&path, text.len(), &name) {
        return Ok(name);
    }
    disk.make_directory(&folder)
        .map_err(|error| JournalError::new("make", &folder, &error))?;
    let file =
        make_anew(&**disk, &path).map_err(|error| JournalError::new("make", &path, &error))?;
    file.append(text.as_bytes())
        .map_err(|error| JournalError::new("write", &path, &error))?;
    unsynced.push(file);
    Ok(name)
}

fn is_whole(path: &Path, length: usize, name: &str) -> bool {
    let known = std::fs::metadata(path).ok();
    let is_long_enough =
        known.is_some_and(|known| usize::try_from(known.len()).is_ok_and(|found| found == length));
    is_long_enough && std::fs::read(path).is_ok_and(|bytes| encode(&Sha256::digest(bytes)) == name)
}

/// Reads a text back.
///
/// # Errors
/// Why it is not what was kept.
pub(crate) fn read(
    directory: &RunDirectory,
    name: &str,
    length_bytes: usize,
) -> Result<String, String> {
    // The name comes from a record; it must not lead elsewhere.
    if name.len() != 64 || !name.bytes().all(crate::hexadecimal::is_digit) {
        return Err("it names a spool file that cannot be".to_owned());
    }
    let path = directory.spool().join(name);
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if bytes.len() != length_bytes || encode(&Sha256::digest(&bytes)) != name {
        return Err(format!("{} is not what was kept there", path.display()));
    }
    String::from_utf8(bytes).map_err(|_| format!("{} is not text", path.display()))
}
