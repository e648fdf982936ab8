//! Error numbers.

use core::fmt;

/// An error number of the host, positive (`errno`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(i32);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Self = Self(1);
    /// No such entry.
    pub const ENOENT: Self = Self(2);
    /// Out of memory.
    pub const ENOMEM: Self = Self(12);
    /// Device or resource busy.
    pub const EBUSY: Self = Self(16);
    /// File exists.
    pub const EEXIST: Self = Self(17);
    /// No such device.
    pub const ENODEV: Self = Self(19);
    /// Invalid argument.
    pub const EINVAL: Self = Self(22);
    /// Result out of range.
    pub const ERANGE: Self = Self(34);
    /// Message too long, or too long for its buffer.
    pub const EMSGSIZE: Self = Self(90);
    /// Operation not supported.
    pub const EOPNOTSUPP: Self = Self(95);
    /// Protocol family not supported.
    pub const EPFNOSUPPORT: Self = Self(96);
    /// Address family not supported.
    pub const EAFNOSUPPORT: Self = Self(97);
    /// Address in use.
    pub const EADDRINUSE: Self = Self(98);
    /// Address not available.
    pub const EADDRNOTAVAIL: Self = Self(99);

    /// The error number `errno`, as the system gives it.
    #[must_use]
    pub const fn new(errno: i32) -> Self {
        Self(errno)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {} of the host", self.0)
    }
}

impl core::error::Error for Errno {}
