//! What happened to the list.

use core::net::IpAddr;

/// A change of the list, as Linux multicasts it to `RTNLGRP_TUNNEL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A VNI was added or given another group (`RTM_NEWTUNNEL`).
    Changed {
        /// The VNI.
        vni: u32,
        /// The group that it has now.
        group: Option<IpAddr>,
    },
    /// A VNI was taken off (`RTM_DELTUNNEL`).
    Removed {
        /// The VNI.
        vni: u32,
        /// The group that it had.
        group: Option<IpAddr>,
    },
}
