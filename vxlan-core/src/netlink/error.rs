//! How a request is refused: an error number and, often, a message.

use core::fmt;

use crate::packet::OutOfRoom;
use crate::{ConfigError, Errno, fdb, vni_filter, world};

/// A request that was refused, as Linux answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    errno: Errno,
    message: Option<Message>,
}

/// The text beside an error number (`NLMSGERR_ATTR_MSG`, the extended acknowledgement). Its
/// `Display` is Linux's text to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// One that is always the same.
    Text(&'static str),
    /// One about a configuration. Some of these carry numbers.
    Config(ConfigError),
}

impl Error {
    /// A refusal without a message.
    #[must_use]
    pub const fn bare(errno: Errno) -> Self {
        Self {
            errno,
            message: None,
        }
    }

    /// A refusal with a message.
    #[must_use]
    pub const fn new(errno: Errno, message: &'static str) -> Self {
        Self {
            errno,
            message: Some(Message::Text(message)),
        }
    }

    /// The error number, positive.
    #[must_use]
    pub const fn errno(&self) -> Errno {
        self.errno
    }

    /// The message, if there is one.
    #[must_use]
    pub const fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => message.fmt(f),
            None => self.errno.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Fdb(error) => error.into(),
            error => Self {
                errno: Errno::new(error.errno()),
                message: Some(Message::Config(error)),
            },
        }
    }
}

impl From<fdb::Error> for Error {
    fn from(error: fdb::Error) -> Self {
        Self {
            errno: Errno::new(error.errno()),
            message: error.message().map(Message::Text),
        }
    }
}

impl From<vni_filter::Error> for Error {
    fn from(error: vni_filter::Error) -> Self {
        Self {
            errno: Errno::new(error.errno()),
            message: error.message().map(Message::Text),
        }
    }
}

impl From<world::Error> for Error {
    fn from(error: world::Error) -> Self {
        match error {
            world::Error::Config(error) => error.into(),
            error => Self {
                errno: error.errno(),
                message: error.message().map(Message::Text),
            },
        }
    }
}

impl From<OutOfRoom> for Error {
    /// A message that does not fit its buffer.
    fn from(_: OutOfRoom) -> Self {
        Self::bare(Errno::EMSGSIZE)
    }
}
