//! The daemon's end of the control socket.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{getsockopt, sockopt};
use nix::sys::stat::{Mode, umask};
use nix::unistd::geteuid;

use super::super::failure::Failure;
use super::Address;

/// How long others that start may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The socket that commands connect to. It goes with this value.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file, lest somebody else's is removed.
    identity: (u64, u64),
}

impl Listener {
    /// Opens the socket, which only its owner may connect to. Takes the place of one that nobody
    /// listens to any more.
    ///
    /// Sets the process's file mode mask for a moment: to be called before there are threads.
    pub(crate) fn open(address: &Address) -> Result<Self, Failure> {
        let path = address.path();
        let fail = |error: io::Error| {
            Failure::new(match error.kind() {
                ErrorKind::AddrInUse => {
                    format!("a vtep is running: it listens on {}", path.display())
                }
                _ => format!("the control socket {}: {error}", path.display()),
            })
        };
        Self::bind(path).map_err(fail)
    }

    fn bind(path: &Path) -> io::Result<Self> {
        // Two that start at once must not both take the place of a third.
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = File::open(parent.unwrap_or(Path::new(".")))?;
        let lock = lock(directory)?;
        make_way(path)?;
        let before = umask(Mode::S_IRWXG | Mode::S_IRWXO | Mode::S_IXUSR);
        let listener = UnixListener::bind(path);
        umask(before);
        drop(lock);
        let listener = listener?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity: identity(&fs::symlink_metadata(path)?),
        })
    }

    /// The next connection of the owner.
    pub(crate) fn accept(&self) -> io::Result<Option<UnixStream>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            // No descriptor is left: whoever asks stays in the queue.
            Err(error) if is_shortage(&error) => return Err(error),
            Err(_) => return Ok(None),
        };
        Ok(Self::check(stream))
    }

    fn check(stream: UnixStream) -> Option<UnixStream> {
        let who = getsockopt(&stream, sockopt::PeerCredentials).ok()?;
        if who.uid() != geteuid().as_raw() {
            return None;
        }
        stream.set_nonblocking(true).ok()?;
        Some(stream)
    }
}

fn is_shortage(error: &io::Error) -> bool {
    let known = error.raw_os_error().map(Errno::from_raw);
    matches!(
        known,
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOBUFS)
    )
}

/// Waits a moment for others that start.
fn lock(mut directory: File) -> io::Result<Flock<File>> {
    let end = Instant::now() + PATIENCE;
    loop {
        match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((_, error)) if error != Errno::EWOULDBLOCK || Instant::now() > end => {
                return Err(error.into());
            }
            Err((unlocked, _)) => directory = unlocked,
        }
        sleep(Duration::from_millis(5));
    }
}

/// Removes a socket that nobody listens to.
fn make_way(path: &Path) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    if !there.file_type().is_socket() {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "there is a file that is no socket",
        ));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Err(ErrorKind::AddrInUse.into()),
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let there = fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| identity(&there) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
