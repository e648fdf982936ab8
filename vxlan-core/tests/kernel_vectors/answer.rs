//! What a request comes to: the kernel's error, or something the simulation cannot do.

use serde_json::{Value, json};
use vxlan_core::{ConfigError, fdb, netlink, world};

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// As the kernel does: an error number and perhaps a message.
    Refused(i32, Option<String>),
    /// The library or this simulation lacks it. The vector fails.
    Unsupported(String),
}

pub(crate) const ENOENT: i32 = 2;
pub(crate) const EPERM: i32 = 1;
pub(crate) const EEXIST: i32 = 17;
pub(crate) const ENODEV: i32 = 19;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const ERANGE: i32 = 34;
pub(crate) const EMSGSIZE: i32 = 90;
pub(crate) const EOPNOTSUPP: i32 = 95;
pub(crate) const EAFNOSUPPORT: i32 = 97;
pub(crate) const EADDRINUSE: i32 = 98;
pub(crate) const EADDRNOTAVAIL: i32 = 99;
pub(crate) const ENETDOWN: i32 = 100;

pub(crate) fn unsupported(what: impl Into<String>) -> Failure {
    Failure::Unsupported(what.into())
}

impl From<netlink::Error> for Failure {
    fn from(error: netlink::Error) -> Self {
        Self::Refused(
            error.errno().get(),
            error.message().map(ToString::to_string),
        )
    }
}

impl From<fdb::Error> for Failure {
    fn from(error: fdb::Error) -> Self {
        netlink::Error::from(error).into()
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        netlink::Error::from(error).into()
    }
}

impl From<world::Error> for Failure {
    fn from(error: world::Error) -> Self {
        netlink::Error::from(error).into()
    }
}

/// The `result` of a step.
pub(crate) fn result(errno: i32, extack: Option<&str>) -> Value {
    let name = match errno {
        0 => "OK",
        ENOENT => "ENOENT",
        EPERM => "EPERM",
        12 => "ENOMEM",
        EEXIST => "EEXIST",
        ENODEV => "ENODEV",
        EINVAL => "EINVAL",
        28 => "ENOSPC",
        ERANGE => "ERANGE",
        EMSGSIZE => "EMSGSIZE",
        EOPNOTSUPP => "EOPNOTSUPP",
        EAFNOSUPPORT => "EAFNOSUPPORT",
        EADDRINUSE => "EADDRINUSE",
        EADDRNOTAVAIL => "EADDRNOTAVAIL",
        ENETDOWN => "ENETDOWN",
        _ => "unknown",
    };
    let mut result = json!({ "errno": errno, "name": name });
    if let Some(extack) = extack {
        result["extack"] = extack.into();
    }
    result
}
