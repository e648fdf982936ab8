//! Limits to learning that Linux does not have.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

#[path = "limits/damping.rs"]
mod damping;
#[path = "limits/quota.rs"]
mod quota;
#[path = "limits/rate.rs"]
mod rate;

use std::net::IpAddr;

use common::{Received, Table, datagram, frame, receive_at};
use vxlan_core::fdb::{Key, NexthopId};
use vxlan_core::{Event, Mac, Underlay};

const I: u32 = 0x0800_0000;

/// The VTEP 192.0.2.`last`.
fn vtep(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn station(number: u16) -> Mac {
    let [high, low] = number.to_be_bytes();
    Mac::new([2, 0, 0, 1, high, low])
}

fn key(number: u16) -> Key {
    Key {
        mac: station(number),
        vni: 42,
    }
}

/// A broadcast of a station through a VTEP, at a time in milliseconds.
fn talk(device: &mut Table, now: u64, number: u16, through: u8) -> Received {
    let payload = datagram(
        I,
        42 << 8,
        &frame(Mac::BROADCAST, station(number), 0x88b5, b"hello"),
    );
    receive_at(device, now, &Underlay::new(vtep(through)), &payload)
}

/// Where a station is.
fn place(device: &Table, number: u16) -> Option<IpAddr> {
    let entry = device.fdb().find(&key(number))?;
    entry.first_remote().map(|remote| remote.addr)
}

fn nexthop(id: u32) -> NexthopId {
    NexthopId::new(id).unwrap()
}

const fn is_learned(event: &Event) -> bool {
    matches!(event, Event::Learned(_))
}
