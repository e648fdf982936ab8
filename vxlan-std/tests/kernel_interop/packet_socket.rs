//! Frames in and out of a device as they are, by a packet socket.

use crate::lab::Host;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::bind;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// `ETH_P_ALL` in network order, as packet sockets want it.
const ALL_PROTOCOLS: i32 = 0x0003_u16.to_be() as i32;

/// A socket on one device.
pub(crate) struct PacketSocket(Socket);

impl PacketSocket {
    /// Opens one on `device` of `host`; receives only frames with VLAN tag `vlan`.
    ///
    /// The kernel takes the tag out of a received frame before a socket sees it, so that only a
    /// filter inside the kernel can tell.
    pub(crate) fn for_vlan(host: &Host, device: &str, vlan: u16) -> Self {
        const VLAN_TAG: u32 = 0xffff_f000 + 44; // SKF_AD_OFF + SKF_AD_VLAN_TAG
        Self::filtered(
            host,
            device,
            &[
                SockFilter::new(0x20, 0, 0, VLAN_TAG),    // load the tag
                SockFilter::new(0x15, 0, 1, vlan.into()), // is it ours?
                SockFilter::new(0x06, 0, 0, 0xffff),      // yes: the whole frame
                SockFilter::new(0x06, 0, 0, 0),           // no: nothing
            ],
        )
    }

    /// Opens one that receives only what `device` receives, not what the host sends by it.
    pub(crate) fn for_received(host: &Host, device: &str) -> Self {
        const PACKET_TYPE: u32 = 0xffff_f000 + 4; // SKF_AD_OFF + SKF_AD_PKTTYPE
        const OUTGOING: u32 = 4;
        Self::filtered(
            host,
            device,
            &[
                SockFilter::new(0x20, 0, 0, PACKET_TYPE),
                SockFilter::new(0x15, 1, 0, OUTGOING),
                SockFilter::new(0x06, 0, 0, 0xffff),
                SockFilter::new(0x06, 0, 0, 0),
            ],
        )
    }

    fn filtered(host: &Host, device: &str, filter: &[SockFilter]) -> Self {
        let socket = host.within(|| {
            let raw = (Domain::PACKET, Type::RAW, Protocol::from(ALL_PROTOCOLS));
            let socket = Socket::new(raw.0, raw.1, Some(raw.2)).expect("a packet socket");
            let mut devices = getifaddrs().expect("the devices of the namespace");
            let address = devices
                .find_map(|entry| match entry.interface_name == device {
                    true => entry.address?.as_link_addr().copied(),
                    false => None,
                })
                .expect("the device's link address");
            bind(socket.as_raw_fd(), &address).expect("to bind to the device");
            socket
        });
        socket.attach_filter(filter).expect("a socket filter");
        // Hundreds of small frames may wait.
        socket.set_recv_buffer_size(8 << 20).expect("room");
        // It has listened on every device since it was made: what came before is not for us.
        socket.set_nonblocking(true).expect("not to block");
        while (&socket).read(&mut [0]).is_ok() {}
        socket.set_nonblocking(false).expect("to block");
        Self(socket)
    }

    /// What it sends bears this mark from now on.
    pub(crate) fn mark(&self, mark: u32) {
        self.0.set_mark(mark).expect("a mark");
    }

    /// The next frame from the MAC address `source`, within `patience`.
    pub(crate) fn receive_from(&self, source: [u8; 6], patience: Duration) -> Option<Vec<u8>> {
        let end = Instant::now() + patience;
        loop {
            let left = end.checked_duration_since(Instant::now())?;
            let frame = self.receive(left.max(Duration::from_millis(1)))?;
            if frame.get(6..12) == Some(&source) {
                return Some(frame);
            }
        }
    }

    /// Sends one frame.
    pub(crate) fn send(&self, frame: &[u8]) {
        (&self.0).write_all(frame).expect("to send a frame");
    }

    /// The next frame that passes the filter, within `patience`.
    pub(crate) fn receive(&self, patience: Duration) -> Option<Vec<u8>> {
        self.0.set_read_timeout(Some(patience)).expect("a timeout");
        let mut buffer = vec![0; 1 << 16];
        let len = (&self.0).read(&mut buffer).ok()?;
        buffer.truncate(len);
        Some(buffer)
    }
}
