//! Socket options of Linux that nix and socket2 have no name for.
//!
//! The system calls are those of nix's `sockopt_impl!`.

use std::io;
use std::os::fd::AsFd;

use nix::libc;
use nix::sys::socket::{GetSockOpt, SetSockOpt};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

sockopt_impl!(
    /// What IPv4 packets do about the path MTU.
    MtuDiscoverV4,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_MTU_DISCOVER,
    libc::c_int
);
sockopt_impl!(
    /// What IPv6 packets do about the path MTU.
    MtuDiscoverV6,
    SetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_MTU_DISCOVER,
    libc::c_int
);
sockopt_impl!(
    /// The path MTU of a connected IPv6 socket.
    MtuV6,
    GetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_MTU,
    libc::c_int
);
sockopt_impl!(
    /// No UDP checksum over IPv4.
    NoCheckV4,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_NO_CHECK,
    libc::c_int
);
sockopt_impl!(
    /// No UDP checksum over IPv6.
    NoCheckV6Tx,
    SetOnly,
    libc::SOL_UDP,
    libc::UDP_NO_CHECK6_TX,
    libc::c_int
);
sockopt_impl!(
    /// Accept packets without UDP checksum over IPv6.
    NoCheckV6Rx,
    SetOnly,
    libc::SOL_UDP,
    libc::UDP_NO_CHECK6_RX,
    libc::c_int
);
sockopt_impl!(
    /// Whether the kernel makes up flow labels.
    AutoFlowLabel,
    SetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_AUTOFLOWLABEL,
    libc::c_int
);
sockopt_impl!(
    /// Whether the flow label is that of the destination address.
    FlowInfoSend,
    SetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_FLOWINFO_SEND,
    libc::c_int
);
sockopt_impl!(
    /// The interface a socket is tied to.
    BindToIfIndex,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_BINDTOIFINDEX,
    libc::c_int
);

/// Whether IPv4 packets forbid fragmentation. Without it they are cut where necessary.
pub(crate) fn dont_fragment_v4(socket: &impl AsFd, on: bool) -> io::Result<()> {
    let value = if on {
        libc::IP_PMTUDISC_DO
    } else {
        libc::IP_PMTUDISC_DONT
    };
    Ok(MtuDiscoverV4.set(socket, &value)?)
}

/// IPv6 packets are never cut: the kernel's VXLAN device does not either.
pub(crate) fn never_fragment_v6(socket: &impl AsFd) -> io::Result<()> {
    Ok(MtuDiscoverV6.set(socket, &libc::IPV6_PMTUDISC_DO)?)
}

/// The path MTU of a connected IPv6 socket, in bytes.
pub(crate) fn mtu_v6(socket: &impl AsFd) -> io::Result<i32> {
    Ok(MtuV6.get(socket)?)
}

/// Sends without UDP checksum.
pub(crate) fn no_checksum(socket: &impl AsFd, ipv6: bool) -> io::Result<()> {
    Ok(if ipv6 {
        NoCheckV6Tx.set(socket, &1)
    } else {
        NoCheckV4.set(socket, &1)
    }?)
}

/// Receives without UDP checksum over IPv6.
pub(crate) fn accept_no_checksum_v6(socket: &impl AsFd) -> io::Result<()> {
    Ok(NoCheckV6Rx.set(socket, &1)?)
}

/// The flow label of IPv6 packets is the one given with the address, zero included.
pub(crate) fn own_flow_label(socket: &impl AsFd) -> io::Result<()> {
    AutoFlowLabel.set(socket, &0)?;
    Ok(FlowInfoSend.set(socket, &1)?)
}

/// Ties a socket to an interface. Needs no privilege since Linux 5.7.
pub(crate) fn bind_to_interface(socket: &impl AsFd, index: u32) -> io::Result<()> {
    let index = i32::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(BindToIfIndex.set(socket, &index)?)
}
