//! The Linux VXLAN driver as pure functions over byte buffers.
//!
//! A [`Device`] is a VXLAN interface: a [`Config`], a MAC address and a forwarding database
//! ([`fdb::Fdb`]). It decides and it rewrites buffers; it owns no socket, no clock, no memory and no
//! randomness. Everything it has to be told comes in as plain data, everything it tells goes out as
//! plain data: a verdict, an [`Event`], a [`DropReason`], a counter.
//!
//! - Overlay to underlay: [`Device::transmit`] says which remotes a frame goes to,
//!   [`Device::encapsulate`] writes the outer headers for one of them.
//! - Underlay to overlay: [`Vtep::demultiplex`] finds the device for a datagram,
//!   [`Device::receive`] checks it, learns from it and strips it.
//! - Devices that come, go up, change and go, and the sockets that they share: [`World`].
//! - Time passing: [`Device::age`] removes entries that have grown old.
//!
//! Behaviour is that of Linux 6.18; [`Compat`] chooses another driver's. The tables live where the
//! caller says: in a static ([`fdb::Fixed`]), in borrowed slices ([`fdb::Borrowed`]) or, with the
//! feature `alloc`, on the heap ([`fdb::Growable`](fdb)).
//!
//! The README shows two devices and a frame across in 30 lines.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

pub mod checksum;
pub mod compat;
pub mod device;
pub mod ecn;
pub mod fdb;
pub mod flow;
pub mod mdb;
pub mod neighbour;
pub mod netlink;
pub mod nexthop;
pub mod offload;
pub mod packet;
pub mod vni_filter;
pub mod vtep;
pub mod wire;
pub mod world;

mod drop_reason;
mod errno;
mod event;
mod ifindex;
mod mac;
mod port;
mod route;
mod salt;
mod stats;
mod time;
mod tunnel;
mod vni;
mod worker;

pub use compat::Compat;
pub use device::{
    Config, ConfigChange, ConfigError, Device, Df, Egress, Encapsulated, Flags, FlowLabel, Ingress,
    Outer, Unlearned,
};
pub use drop_reason::DropReason;
pub use errno::Errno;
pub use event::{Event, Message};
pub use ifindex::IfIndex;
pub use mac::{Mac, ParseMacError};
pub use neighbour::{Neighbour, Neighbours, NoNeighbours};
pub use packet::{ChecksumState, Packet};
pub use port::PortRange;
pub use route::{Route, RouteError, RouteKind, Underlay};
pub use salt::Salt;
pub use stats::Stats;
pub use time::Instant;
pub use tunnel::TunnelInfo;
pub use vni::Vni;
pub use vtep::Vtep;
pub use worker::Worker;
pub use world::World;

/// The example in the README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
