//! Why a request to the daemon was refused, in iproute2's words.

use core::fmt;
use std::io;

use vxlan_core::fdb;
use vxlan_std::TapError;

use super::run::Refused;
use super::words::WordsError;

/// The exit status of `bridge` when the kernel refuses.
pub(crate) const BRIDGE: u8 = 255;

/// The exit status of `ip` when the kernel refuses.
pub(crate) const IP: u8 = 2;
/// The exit status of `ip` when there is no such device.
pub(crate) const NO_DEVICE: u8 = 1;
const EEXIST: i32 = 17;

/// Nothing was changed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The exit status.
    pub(crate) status: u8,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// The words mean nothing.
    Words(String),
    /// The kernel would answer with this error number alone.
    Errno(i32),
    /// The kernel would answer with this text.
    Message(String),
    /// iproute2 would say this before it asks.
    Said(String),
}

impl Refusal {
    /// The words mean nothing: status 2.
    pub(crate) fn usage(text: &str) -> Self {
        Self {
            status: 2,
            why: Why::Words(text.to_owned()),
        }
    }

    /// What iproute2 says before it asks the kernel.
    pub(crate) fn said(status: u8, text: String) -> Self {
        Self {
            status,
            why: Why::Said(text),
        }
    }

    /// An error number without a text.
    pub(crate) const fn errno(status: u8, errno: i32) -> Self {
        Self {
            status,
            why: Why::Errno(errno),
        }
    }

    /// The kernel's text.
    pub(crate) fn message(status: u8, text: &str) -> Self {
        Self {
            status,
            why: Why::Message(text.to_owned()),
        }
    }

    /// There is no device `name`.
    pub(crate) fn no_device(status: u8, name: &str) -> Self {
        Self::said(status, format!("Cannot find device \"{name}\""))
    }

    /// What it says without the name of the program in front.
    pub(crate) fn bare(&self) -> String {
        let text = self.to_string();
        text.strip_prefix("vtep: ")
            .map_or(text.clone(), str::to_owned)
    }

    /// A device cannot be made or changed.
    pub(crate) fn link(refused: &Refused) -> Self {
        match refused {
            Refused::Lower(name) => Self::no_device(BRIDGE, name),
            Refused::Add(error) => match error.message() {
                Some(text) => Self::message(IP, &text),
                None => Self::errno(IP, error.errno()),
            },
            Refused::Tap(TapError::Exists) => Self::errno(IP, EEXIST),
            Refused::Tap(error) => Self::said(IP, format!("vtep: {error}")),
        }
    }

    /// A change of a forwarding database was refused.
    pub(crate) fn fdb(error: fdb::Error) -> Self {
        match error.message() {
            Some(text) => Self::message(BRIDGE, text),
            None => Self::errno(BRIDGE, error.errno()),
        }
    }
}

impl From<WordsError> for Refusal {
    fn from(error: WordsError) -> Self {
        Self::usage(&error.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Words(text) => write!(f, "vtep: {text}"),
            Why::Errno(errno) => {
                let text = io::Error::from_raw_os_error(*errno).to_string();
                let end = text.rfind(" (os error").unwrap_or(text.len());
                write!(
                    f,
                    "RTNETLINK answers: {}",
                    text.get(..end).unwrap_or_default()
                )
            }
            Why::Message(text) => write!(f, "Error: {text}."),
            Why::Said(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `bridge` of iproute2 6.1 prints what the kernel answers.
    #[test]
    fn in_the_words_of_iproute2() {
        for (refusal, want) in [
            (
                Refusal::fdb(fdb::Error::Exists),
                "RTNETLINK answers: File exists",
            ),
            (
                Refusal::fdb(fdb::Error::ReplaceGroup),
                "Error: Cannot replace non-unicast fdb entries.",
            ),
            (
                Refusal::fdb(fdb::Error::ReplaceMissingGroup),
                "RTNETLINK answers: Operation not supported",
            ),
            (
                Refusal::no_device(BRIDGE, "vx9"),
                "Cannot find device \"vx9\"",
            ),
        ] {
            assert_eq!(refusal.to_string(), want);
            assert_eq!(refusal.status, 255);
        }
    }
}
