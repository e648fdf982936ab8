//! Two hosts meet: ask, ping, transfer, stray.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr};
use vxlan_core::{DropReason, Mac, Vni};
use vxlan_std::Buffer;
use vxlan_std::smoltcp::Overlay;

use super::host::Host;
use super::outcome::{Pings, Side, Transfer};
use super::pattern;
use super::screen::Screen;

const PINGS: u16 = 4;
/// How long to wait for the next byte or answer. TCP sends a lost packet again within a second.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to rest when nothing is under way.
const REST: Duration = Duration::from_micros(500);

/// Two hosts and the two VTEPs between them, stepped in one thread.
pub(super) struct Pair {
    pub(super) a: Host,
    pub(super) b: Host,
}

impl Pair {
    /// Lets each host receive and send once, and rests if nothing passed.
    fn step(&mut self) {
        let before = self.moved();
        self.a.poll();
        self.b.poll();
        if self.moved() == before {
            thread::sleep(REST);
        }
    }

    fn moved(&self) -> u64 {
        self.a.link().moved() + self.b.link().moved()
    }

    /// Pings B from A, one after the other.
    pub(super) fn ping(&mut self) -> Pings {
        let mut pings = Pings::default();
        for number in 0..PINGS {
            let start = Instant::now();
            if !self.a.ping(self.b.address, number) {
                break;
            }
            pings.sent += 1;
            while start.elapsed() < PATIENCE {
                self.step();
                if self.a.pong() == Some(number) {
                    pings.times.push(start.elapsed());
                    break;
                }
            }
        }
        pings
    }

    /// Sends `size` bytes from A to B, which compares each with what it should be.
    pub(super) fn transfer<W: Write>(
        &mut self,
        size: u64,
        screen: &mut Screen<W>,
    ) -> io::Result<Transfer> {
        let start = Instant::now();
        let mut transfer = Transfer {
            size,
            received: 0,
            first_difference: None,
            closed: false,
            elapsed: Duration::ZERO,
        };
        let to = self.b.address;
        if !self.b.listen() || !self.a.connect(to) {
            return Ok(transfer);
        }
        let mut sent = 0;
        let mut last = start;
        let (mut a_closing, mut b_closing) = (false, false);
        while last.elapsed() < PATIENCE && !transfer.closed {
            while sent < size {
                let taken = self.a.send(|room| {
                    let left = usize::try_from(size - sent).unwrap_or(usize::MAX);
                    let len = room.len().min(left);
                    pattern::fill(sent, room.get_mut(..len).unwrap_or_default());
                    len
                });
                if taken == 0 {
                    break;
                }
                sent += taken as u64;
            }
            if sent == size && !a_closing {
                self.a.close();
                a_closing = true;
            }
            self.step();
            let Transfer {
                received,
                first_difference,
                ..
            } = &mut transfer;
            let at = *received;
            while self.b.recv(|bytes| {
                if first_difference.is_none() {
                    *first_difference = pattern::first_difference(*received, bytes);
                }
                *received += bytes.len() as u64;
            }) > 0
            {}
            if *received > at {
                last = Instant::now();
                transfer.elapsed = start.elapsed();
            }
            if !b_closing && self.b.finished() {
                self.b.close();
                b_closing = true;
            }
            transfer.closed = b_closing && self.a.closed() && self.b.closed();
            screen.progress(transfer.received, size, start.elapsed())?;
        }
        screen.end_progress()?;
        Ok(transfer)
    }

    /// Sends B a frame of a network that it has no part in, and waits for it to be dropped.
    pub(super) fn stray(&mut self, vni: Vni) -> io::Result<()> {
        let from = self.a.link_mut();
        from.lead_astray(NOBODY, vni).map_err(io::Error::other)?;
        let mut buffer = Buffer::new();
        let repr = EthernetRepr {
            src_addr: EthernetAddress(from.mac().octets()),
            dst_addr: EthernetAddress(NOBODY.octets()),
            ethertype: EthernetProtocol::Unknown(LOCAL_EXPERIMENT),
        };
        let len = 60;
        let frame = buffer.frame_area().get_mut(..len).unwrap_or_default();
        frame.fill(0);
        repr.emit(&mut EthernetFrame::new_unchecked(frame));
        from.send(&mut buffer, len);
        let start = Instant::now();
        while start.elapsed() < PATIENCE
            && self.b.link().stats().drops(DropReason::VniNotFound) == 0
        {
            self.step();
        }
        Ok(())
    }

    /// What there is to tell.
    pub(super) fn sides(&self) -> [Side; 2] {
        [
            Side::of('a', &self.a, self.b.link().mac()),
            Side::of('b', &self.b, self.a.link().mac()),
        ]
    }
}

/// The address of no host.
const NOBODY: Mac = Mac::new([2, 0, 0, 0, 0, 0x0c]);
/// IEEE Std 802 - Local Experimental Ethertype 1: nobody takes it for something else.
const LOCAL_EXPERIMENT: u16 = 0x88b5;
