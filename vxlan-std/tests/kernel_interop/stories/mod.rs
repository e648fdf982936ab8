//! What the tests do; one file for each thing a VTEP has to get right.

pub(crate) mod fdb;
pub(crate) mod flood;
pub(crate) mod headers;
pub(crate) mod hostile;
pub(crate) mod multicast;
pub(crate) mod path_mtu;
pub(crate) mod reach;
pub(crate) mod refusals;
pub(crate) mod sharing;
pub(crate) mod suppress;
pub(crate) mod twin;
pub(crate) mod vlan;
pub(crate) mod vni_filter;
