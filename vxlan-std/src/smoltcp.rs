//! A smoltcp host on the overlay (feature `smoltcp`).
//!
//! An [`Adapter`] is a `phy::Device` of smoltcp, so that an IP stack in user space sits right
//! behind a VTEP, without a TAP device and without a privilege. What carries its frames is an
//! [`Overlay`]: a [`Single`] device of a [`Vtep`], or whatever the caller makes one of.
//!
//! ```no_run
//! use smoltcp::iface::{Config as HostConfig, Interface, SocketSet};
//! use smoltcp::{time::Instant, wire::EthernetAddress};
//! use vxlan_core::{Config, Mac, Vni};
//! use vxlan_std::Vtep;
//! use vxlan_std::smoltcp::{Adapter, Single};
//!
//! let mut vtep = Vtep::new();
//! let config = Config::new(Vni::new(42).ok_or("a VNI has 24 bits")?).remote("192.0.2.2".parse()?);
//! let mac = Mac::new([2, 0, 0, 0, 0, 1]);
//! let device = vtep.add(config, mac)?;
//!
//! let mut adapter = Adapter::new(Single::new(vtep, device, |event| println!("{event:?}")), 1450);
//! let host = HostConfig::new(EthernetAddress(mac.octets()).into());
//! let mut interface = Interface::new(host, &mut adapter, Instant::now());
//! let mut sockets = SocketSet::new(Vec::new());
//! loop {
//!     interface.poll(Instant::now(), &mut adapter, &mut sockets);
//!     // Wait for `adapter.overlay.vtep.sockets()`, at most `interface.poll_delay()`.
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use std::collections::VecDeque;

use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use vxlan_core::Event;
use vxlan_core::wire::{ethernet, vxlan};

use crate::{Buffer, DeviceId, Vtep, vtep};

/// What carries a host's frames: a device of a VTEP, as the host sees it.
pub trait Overlay {
    /// Whether a frame may be sent now. A host that finds it may not tries again when it is next
    /// polled.
    fn ready(&mut self) -> bool {
        true
    }

    /// Sends the frame of `len` bytes in the buffer's [frame area](Buffer::frame_area). What
    /// becomes of it is not the host's business: an Ethernet loses frames as well.
    fn send(&mut self, buffer: &mut Buffer, len: usize);

    /// Receives the next frame for the host into `buffer`, anywhere in it; `None` if there is
    /// none.
    fn recv(&mut self, buffer: &mut Buffer) -> Option<Received>;
}

/// Where a received frame is in the buffer's [frame area](Buffer::frame_area).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes of the frame area before the frame, for instance the VXLAN header.
    pub skip: usize,
    /// Length of the frame in bytes.
    pub len: usize,
}

/// How many frames wait for a host that does not receive; those beyond are lost and counted.
const BACKLOG: usize = 64;

/// A [`Vtep`] as the host behind its only device sees it. `tell` hears what is learned.
///
/// What comes of sending for the host itself is received like what sockets bring, and before it:
/// the answers of a proxy, frames that a route to this host gives back, and what tells that a frame
/// was too long.
pub struct Single<T> {
    /// The VTEP.
    pub vtep: Vtep,
    device: DeviceId,
    tell: T,
    /// Frames for the host that no socket brought, the oldest first.
    waiting: VecDeque<Vec<u8>>,
}

impl<T: FnMut(Event)> Single<T> {
    /// The side of `device` that hosts are on. Frames for other devices of the VTEP are lost.
    #[must_use]
    pub const fn new(vtep: Vtep, device: DeviceId, tell: T) -> Self {
        Self {
            vtep,
            device,
            tell,
            waiting: VecDeque::new(),
        }
    }
}

impl<T> fmt::Debug for Single<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single")
            .field("vtep", &self.vtep)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl<T: FnMut(Event)> Overlay for Single<T> {
    fn send(&mut self, buffer: &mut Buffer, len: usize) {
        let sent = self.vtep.send(self.device, buffer, len);
        sent.events
            .iter()
            .for_each(|(_, event)| (self.tell)(*event));
        let back = sent.local.iter().filter(|id| **id == self.device).count();
        let len = sent.len;
        let mut refused = 0;
        let waiting = &mut self.waiting;
        let mut wait = |frame: &[u8]| match waiting.len() < BACKLOG {
            true => waiting.push_back(frame.to_vec()),
            false => refused += 1,
        };
        sent.replies.iter().for_each(&mut wait);
        for _ in 0..back {
            wait(buffer.frame(len));
        }
        for _ in 0..refused {
            self.vtep.count_refused(self.device);
        }
    }

    fn recv(&mut self, buffer: &mut Buffer) -> Option<Received> {
        while let Some(frame) = self.waiting.pop_front() {
            // It was in a frame area of the same length.
            if let Some(room) = buffer.frame_area().get_mut(..frame.len()) {
                room.copy_from_slice(&frame);
                let len = frame.len();
                return Some(Received { skip: 0, len });
            }
        }
        loop {
            // A socket that fails has nothing to deliver.
            let (delivered, event) = match self.vtep.recv(buffer).ok()?? {
                vtep::Received::Frame {
                    device,
                    frame,
                    event,
                } => ((device == self.device).then_some(frame.len()), event),
                vtep::Received::Dropped { event, .. } => (None, event),
            };
            if let Some(event) = event {
                (self.tell)(event);
            }
            if let Some(len) = delivered {
                return Some(Received {
                    skip: vxlan::Header::LEN,
                    len,
                });
            }
        }
    }
}

/// An overlay as an Ethernet device of smoltcp.
pub struct Adapter<O> {
    /// What carries the frames.
    pub overlay: O,
    received: Buffer,
    sent: Buffer,
    frame_len: usize,
}

impl<O: Overlay> Adapter<O> {
    /// A device for frames with up to `mtu` bytes behind the Ethernet header, as Linux counts.
    /// smoltcp counts the 14 bytes of that header as well; they are added here. Over an underlay
    /// of 1500 bytes 1450 fit with outer IPv4, 1430 with outer IPv6.
    #[must_use]
    pub fn new(overlay: O, mtu: u16) -> Self {
        Self {
            overlay,
            received: Buffer::new(),
            sent: Buffer::new(),
            frame_len: usize::from(mtu) + ethernet::Header::LEN,
        }
    }
}

impl<O: fmt::Debug> fmt::Debug for Adapter<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("overlay", &self.overlay)
            .field("frame_len", &self.frame_len)
            .finish_non_exhaustive()
    }
}

impl<O: Overlay> phy::Device for Adapter<O> {
    type RxToken<'a>
        = RxToken<'a>
    where
        O: 'a;
    type TxToken<'a>
        = TxToken<'a, O>
    where
        O: 'a;

    fn receive(&mut self, _now: Instant) -> Option<(RxToken<'_>, TxToken<'_, O>)> {
        let Received { skip, len } = self.overlay.recv(&mut self.received)?;
        let frame = self
            .received
            .frame_area()
            .get_mut(skip..)
            .and_then(|rest| rest.get_mut(..len))?;
        let reply = TxToken {
            overlay: &mut self.overlay,
            buffer: &mut self.sent,
        };
        Some((RxToken(frame), reply))
    }

    fn transmit(&mut self, _now: Instant) -> Option<TxToken<'_, O>> {
        self.overlay.ready().then_some(TxToken {
            overlay: &mut self.overlay,
            buffer: &mut self.sent,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.frame_len;
        capabilities
    }
}

/// A frame that was received.
#[derive(Debug)]
pub struct RxToken<'a>(&'a mut [u8]);

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

/// Room for a frame that is to be sent.
pub struct TxToken<'a, O> {
    overlay: &'a mut O,
    buffer: &'a mut Buffer,
}

impl<O> fmt::Debug for TxToken<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxToken").finish_non_exhaustive()
    }
}

impl<O: Overlay> phy::TxToken for TxToken<'_, O> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        // smoltcp keeps to the MTU, which is less than the area.
        let area = self.buffer.frame_area();
        let len = len.min(area.len());
        let result = write(area.get_mut(..len).unwrap_or_default());
        self.overlay.send(self.buffer, len);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    use smoltcp::phy::{Device as _, RxToken as _, TxToken as _};
    use vxlan_core::{Config, Mac, Neighbour, Vni};

    /// Everything sent comes back behind eight other bytes.
    #[derive(Default)]
    struct Mirror {
        frames: Vec<Vec<u8>>,
        busy: bool,
    }

    impl Overlay for Mirror {
        fn ready(&mut self) -> bool {
            !self.busy
        }

        fn send(&mut self, buffer: &mut Buffer, len: usize) {
            self.frames.push(buffer.frame(len).to_vec());
        }

        fn recv(&mut self, buffer: &mut Buffer) -> Option<Received> {
            let frame = self.frames.pop()?;
            buffer.frame_area()[8..8 + frame.len()].copy_from_slice(&frame);
            Some(Received {
                skip: 8,
                len: frame.len(),
            })
        }
    }

    #[test]
    fn frames_pass_unchanged_both_ways() {
        let mut adapter = Adapter::new(Mirror::default(), 1450);
        assert!(adapter.receive(Instant::ZERO).is_none());
        let token = adapter.transmit(Instant::ZERO).unwrap();
        token.consume(60, |frame| frame.fill(7));
        assert_eq!(adapter.overlay.frames, [[7; 60]]);
        let (received, reply) = adapter.receive(Instant::ZERO).unwrap();
        received.consume(|frame| assert_eq!(frame, [7; 60]));
        reply.consume(14, |frame| frame.fill(9));
        assert_eq!(adapter.overlay.frames, [[9; 14]]);
    }

    #[test]
    fn a_vtep_carries_frames_and_tells_what_it_learns() {
        let Single {
            mut vtep, device, ..
        } = host(|config| config);
        let port = vtep.device(device).unwrap().config().port();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = peer.local_addr().unwrap();
        let mut remote = vtep.remote(device, at.ip()).unwrap();
        remote.port = at.port();
        vtep.fdb_append(device, Mac::ZERO, remote).unwrap();
        let mut learned = Vec::new();
        let tell = |event| learned.push(event);
        let mut adapter = Adapter::new(Single::new(vtep, device, tell), 1450);

        let mut frame = [0x55; 60];
        frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        let token = adapter.transmit(Instant::ZERO).unwrap();
        token.consume(60, |room| room.copy_from_slice(&frame));
        let mut datagram = [0; 100];
        assert_eq!(peer.recv(&mut datagram).unwrap(), 68);
        assert_eq!(datagram[8..68], frame);

        datagram[8..20].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        peer.send_to(&[1; 5], ("127.0.0.1", port)).unwrap(); // passed over
        peer.send_to(&datagram[..68], ("127.0.0.1", port)).unwrap();
        let (received, _) = adapter.receive(Instant::ZERO).unwrap();
        received.consume(|bytes| assert_eq!(bytes, &datagram[8..68]));
        drop(adapter);
        assert!(matches!(learned[..], [Event::Learned(_)]), "{learned:?}");
    }

    /// A VTEP on the loopback interface whose host is on `Single`'s side.
    fn host(change: impl Fn(Config) -> Config) -> Single<fn(Event)> {
        let free = UdpSocket::bind("0.0.0.0:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut vtep = Vtep::new();
        let config = Config::new(Vni::MIN)
            .local("127.0.0.1".parse().unwrap())
            .local_bypass(false)
            .port(port);
        let mac = Mac::new([2, 0, 0, 0, 0, 1]);
        let device = vtep.add(change(config), mac).unwrap();
        Single::new(vtep, device, |_| ())
    }

    /// All that is received, at most 100 frames.
    fn received<O: Overlay>(adapter: &mut Adapter<O>) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while frames.len() < 100
            && let Some((token, _)) = adapter.receive(Instant::ZERO)
        {
            token.consume(|frame| frames.push(frame.to_vec()));
        }
        frames
    }

    /// What the proxy answers comes back to the host that asked; what a host does not receive is
    /// kept to a limit, and counted beyond.
    #[test]
    fn a_proxy_answers_its_own_host() {
        let mut single = host(|config| config.proxy(true));
        let device = single.device;
        let station = Mac::new([2, 0, 0, 0, 0, 9]);
        let remote = single.vtep.remote(device, [127, 0, 0, 2].into()).unwrap();
        single.vtep.fdb_append(device, station, remote).unwrap();
        let table = single.vtep.neighbours_mut(device).unwrap();
        table.insert([10, 0, 0, 9].into(), Neighbour::permanent(station));
        let mut adapter = Adapter::new(single, 1450);
        // Who has 10.0.0.9? Tell 10.0.0.1.
        let mut question = vec![0xff; 6];
        question.extend([2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        question.extend([2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9]);
        for (times, want, lost) in [(1, 1, 0), (BACKLOG + 3, BACKLOG, 3)] {
            for _ in 0..times {
                let token = adapter.transmit(Instant::ZERO).unwrap();
                token.consume(question.len(), |room| room.copy_from_slice(&question));
            }
            let answers = received(&mut adapter);
            assert_eq!(answers.len(), want);
            for answer in answers {
                assert_eq!(answer[..6], [2, 0, 0, 0, 0, 1]);
                // It is at.
                assert_eq!(answer[20..22], [0, 2]);
                assert_eq!(answer[22..32], [2, 0, 0, 0, 0, 9, 10, 0, 0, 9]);
            }
            let stats = adapter.overlay.vtep.stats(device).unwrap();
            assert_eq!(stats.rx_dropped, lost);
        }
    }

    /// A frame that is too long for its path is answered, as behind a port of a bridge.
    #[test]
    fn a_host_is_told_of_a_narrow_path() {
        let mut single = host(|config| config);
        let device = single.device;
        let remote = single.vtep.remote(device, [127, 0, 0, 2].into()).unwrap();
        single.vtep.fdb_append(device, Mac::ZERO, remote).unwrap();
        single
            .vtep
            .device_mut(device)
            .unwrap()
            .set_bridge_port(true);
        let mut adapter = Adapter::new(single, u16::MAX);
        let mut frame = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
        // As long as the room for it.
        frame.extend([
            0xff, 0xf1, 0, 0, 0x40, 0, 33, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        frame.resize(usize::from(u16::MAX), 0);
        let token = adapter.transmit(Instant::ZERO).unwrap();
        token.consume(frame.len(), |room| room.copy_from_slice(&frame));
        let told = received(&mut adapter);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0][..6], [2, 0, 0, 0, 0, 1]);
        // Destination unreachable, fragmentation needed.
        assert_eq!(told[0][34..36], [3, 4]);
    }

    #[test]
    fn the_mtu_counts_the_ethernet_header() {
        let adapter = Adapter::new(Mirror::default(), 1450);
        assert_eq!(adapter.capabilities().max_transmission_unit, 1464);
        assert_eq!(adapter.capabilities().ip_mtu(), 1450);
    }

    #[test]
    fn a_busy_overlay_gives_no_room() {
        let mut adapter = Adapter::new(Mirror::default(), 1450);
        adapter.overlay.busy = true;
        assert!(adapter.transmit(Instant::ZERO).is_none());
    }

    #[test]
    fn a_frame_said_to_be_beyond_the_buffer_is_none() {
        struct Liar;
        impl Overlay for Liar {
            fn send(&mut self, _: &mut Buffer, _: usize) {}
            fn recv(&mut self, _: &mut Buffer) -> Option<Received> {
                Some(Received {
                    skip: usize::MAX,
                    len: 1,
                })
            }
        }
        assert!(Adapter::new(Liar, 1450).receive(Instant::ZERO).is_none());
    }
}
