//! Snapshots in files.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::codec::HEAD_LEN;
use super::{LoadError, Snapshot, SnapshotError};

impl Snapshot {
    /// Writes the file `path`: to a file beside it first, which takes its name when all of it is on
    /// the disk. Whenever this stops, `path` holds the old snapshot or the new one. Only the owner
    /// may read it. Waits for the disk, and for other threads of this process that do.
    ///
    /// # Errors
    /// Those of the file system; the old file is untouched then.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        // A device or a link of this name is not ours to replace.
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(no_file());
        }
        let beside = beside(path)?;
        // Another thread may write the same file.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let written = write(&beside, &self.encode()).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            // What is there is of no use to anybody.
            let _ = fs::remove_file(&beside);
            return written;
        }
        // The new name is on the disk once the directory is.
        let directory = path.parent().filter(|parent| *parent != Path::new(""));
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Reads the file `path`.
    ///
    /// # Errors
    /// [`LoadError::Io`] if it cannot be read, [`LoadError::Snapshot`] if it is no snapshot. No
    /// more of it is read than its head says there should be.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let mut bytes = Vec::new();
        // A pipe that nobody writes to would hold the reader.
        let nonblocking = nix::libc::O_NONBLOCK;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking)
            .open(path);
        let mut file = opened.map_err(LoadError::Io)?;
        let metadata = file.metadata().map_err(LoadError::Io)?;
        if !metadata.is_file() {
            return Err(LoadError::Io(no_file()));
        }
        let have = metadata.len();
        let mut head = (&mut file).take(HEAD_LEN as u64);
        head.read_to_end(&mut bytes).map_err(LoadError::Io)?;
        if let Some(need) = Self::file_len(&bytes) {
            if need != have {
                let wrong = SnapshotError::Length { need, have };
                return Err(LoadError::Snapshot(wrong));
            }
            let mut rest = file.take(need);
            rest.read_to_end(&mut bytes).map_err(LoadError::Io)?;
        }
        Self::decode(&bytes).map_err(LoadError::Snapshot)
    }
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

/// The name of the file that is written before it takes the name `path`.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a process of the same number has left behind.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
