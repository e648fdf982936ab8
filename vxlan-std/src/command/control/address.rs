//! Where the control socket is.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use nix::unistd::geteuid;

use super::super::failure::Failure;

/// The variable that names the socket.
const VARIABLE: &str = "VTEP_SOCKET";

/// The path of the control socket.
///
/// `VTEP_SOCKET` if that is set. Otherwise one for each network namespace, named after its inode
/// number: in `/run` for root, in `XDG_RUNTIME_DIR` for everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(PathBuf);

impl Address {
    /// That of this process.
    pub(crate) fn here() -> Result<Self, Failure> {
        if let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            return Ok(Self(path.into()));
        }
        let namespace = fs::metadata("/proc/thread-self/ns/net")
            .map_err(|error| Failure::of("the network namespace", error))?;
        let directory = if geteuid().is_root() {
            PathBuf::from("/run")
        } else {
            let directory = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty());
            let missing =
                "where is the control socket? VTEP_SOCKET and XDG_RUNTIME_DIR are not set";
            directory.ok_or_else(|| Failure::new(missing))?.into()
        };
        Ok(Self(
            directory.join(format!("vtep-{}.sock", namespace.ino())),
        ))
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}
