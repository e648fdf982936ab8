//! TAP devices.

use core::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::net::if_::if_nametoindex;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};
use vxlan_core::{IfIndex, Mac};

use crate::interface;

/// A TAP device: an Ethernet interface of the host whose frames this process reads and writes.
///
/// It never blocks, and disappears when dropped.
pub struct Tap {
    device: SyncDevice,
    name: String,
    ifindex: IfIndex,
}

/// Why there is no TAP device.
#[derive(Debug)]
#[non_exhaustive]
pub enum TapError {
    /// No interface can have this name.
    Name,
    /// There is an interface of this name.
    Exists,
    /// It cannot be created, mostly for want of a privilege.
    Create(io::Error),
    /// It was created but does not take this MTU.
    Mtu(u32, io::Error),
    /// It was created but does not take this address.
    Mac(Mac, io::Error),
    /// It was created but does not come up.
    Up(io::Error),
}

impl Tap {
    /// Makes the device `name` with an MTU in bytes of an IP packet, and takes it up.
    ///
    /// # Errors
    /// A [`TapError`]; nothing is left behind.
    pub fn create(name: &str, mtu: u32, mac: Mac) -> Result<Self, TapError> {
        let tap = Self::create_down(name, mtu, mac)?;
        tap.set_up(true)?;
        Ok(tap)
    }

    /// The same, but leaves it down.
    ///
    /// # Errors
    /// See [`create`](Self::create).
    pub fn create_down(name: &str, mtu: u32, mac: Mac) -> Result<Self, TapError> {
        if !interface::is_name(name) {
            return Err(TapError::Name);
        }
        // The kernel would attach to a persistent TAP device of that name.
        if if_nametoindex(name).is_ok() {
            return Err(TapError::Exists);
        }
        let device = DeviceBuilder::new()
            .name(name)
            .layer(Layer::L2)
            .inherit_enable_state()
            .build_sync()
            .map_err(|error| match error.kind() {
                io::ErrorKind::ResourceBusy => TapError::Exists,
                _ => TapError::Create(error),
            })?;
        device.set_nonblocking(true).map_err(TapError::Create)?;
        let ifindex = device.if_index().map_err(TapError::Create)?;
        let gone = || TapError::Create(io::ErrorKind::NotFound.into());
        let tap = Self {
            device,
            name: name.to_owned(),
            ifindex: IfIndex::new(ifindex).ok_or_else(gone)?,
        };
        tap.set_mtu(mtu)?;
        tap.set_mac(mac)?;
        Ok(tap)
    }

    /// Takes it up or down.
    ///
    /// # Errors
    /// [`TapError::Up`].
    pub fn set_up(&self, up: bool) -> Result<(), TapError> {
        self.device.enabled(up).map_err(TapError::Up)
    }

    /// Sets its MTU, in bytes of an IP packet.
    ///
    /// # Errors
    /// [`TapError::Mtu`].
    pub fn set_mtu(&self, mtu: u32) -> Result<(), TapError> {
        let small = u16::try_from(mtu).map_err(|_| io::ErrorKind::InvalidInput.into());
        small
            .and_then(|mtu| self.device.set_mtu(mtu))
            .map_err(|error| TapError::Mtu(mtu, error))
    }

    /// Sets its MAC address.
    ///
    /// # Errors
    /// [`TapError::Mac`].
    pub fn set_mac(&self, mac: Mac) -> Result<(), TapError> {
        let set = self.device.set_mac_address(mac.octets());
        set.map_err(|error| TapError::Mac(mac, error))
    }

    /// Notes that the interface has another name now.
    pub fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// The name of the interface.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the interface.
    #[must_use]
    pub const fn ifindex(&self) -> IfIndex {
        self.ifindex
    }

    /// Reads a frame that the host sent; `None` if there is none.
    ///
    /// # Errors
    /// Those of `read()`. [`io::ErrorKind::NotFound`] and the like: the interface is gone.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.device.recv(buffer) {
                Ok(len) => return Ok(Some(len)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands a frame to the host.
    ///
    /// # Errors
    /// Those of `write()`: the interface is down or its queue full.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        loop {
            match self.device.send(frame) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("name", &self.name)
            .field("fd", &self.device.as_raw_fd())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "{} expected", interface::NAME),
            Self::Exists => f.write_str("an interface of this name exists"),
            Self::Create(error) => {
                write!(f, "cannot create a TAP device: {error}")?;
                match error.kind() {
                    io::ErrorKind::PermissionDenied => f.write_str(" (needs CAP_NET_ADMIN)"),
                    io::ErrorKind::NotFound => f.write_str(" (needs /dev/net/tun)"),
                    _ => Ok(()),
                }
            }
            Self::Mtu(mtu, error) => write!(f, "cannot set the MTU to {mtu}: {error}"),
            Self::Mac(mac, error) => write!(f, "cannot set the address to {mac}: {error}"),
            Self::Up(error) => write!(f, "cannot take the TAP device up: {error}"),
        }
    }
}

impl core::error::Error for TapError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Name | Self::Exists => None,
            Self::Create(error) | Self::Mtu(_, error) | Self::Mac(_, error) | Self::Up(error) => {
                Some(error)
            }
        }
    }
}
