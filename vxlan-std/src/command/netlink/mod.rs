//! Questions to the kernel about its own interfaces (rtnetlink).

mod attribute;
mod entry;
mod link;
mod neighbour;
mod nexthop;

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    socket,
};

pub(crate) use attribute::{Attributes, Builder};
pub(crate) use entry::EntryState;
pub(crate) use link::{LinkState, RTM_DELLINK, flags};
pub(crate) use neighbour::NeighbourState;
pub(crate) use nexthop::nexthops;

/// How long the kernel may take for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Enough for any message of a dump.
const BUFFER: usize = 1 << 16;
/// The header of a message: length, type, flags, sequence number, port.
const HEADER: usize = 16;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x1;
/// An answer even if there is nothing to say.
const NLM_F_ACK: u16 = 0x4;
/// The answer is a list.
pub(crate) const NLM_F_DUMP: u16 = 0x300;

/// Messages about interfaces (`RTMGRP_LINK`).
pub(crate) const GROUP_LINK: u32 = 1;
/// Messages about neighbours (`RTMGRP_NEIGH`).
pub(crate) const GROUP_NEIGH: u32 = 4;

/// A socket to the kernel.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

/// A message from the kernel: its type and what follows its header.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: u16,
    pub(crate) body: Vec<u8>,
}

impl Netlink {
    /// A socket that also hears what `groups` are told.
    pub(crate) fn open(groups: u32) -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkRoute,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Asks, and returns what the answer consists of.
    ///
    /// # Errors
    /// The error number that the kernel answers with, [`ErrorKind::TimedOut`] if it does not.
    pub(crate) fn ask(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<Vec<Message>> {
        self.sequence += 1;
        let len = u32::try_from(HEADER + body.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let mut request = len.to_ne_bytes().to_vec();
        request.extend(kind.to_ne_bytes());
        request.extend((flags | NLM_F_REQUEST).to_ne_bytes());
        request.extend(self.sequence.to_ne_bytes());
        request.extend([0; 4]);
        request.extend(body);
        send(self.socket.as_raw_fd(), &request, MsgFlags::empty())?;
        let mut answer = Vec::new();
        loop {
            let bytes = self.receive()?.ok_or(ErrorKind::TimedOut)?;
            for (sequence, message) in messages(&bytes) {
                if sequence != self.sequence {
                    continue;
                }
                match message.kind {
                    NLMSG_DONE => return Ok(answer),
                    NLMSG_ERROR => {
                        let number = message
                            .body
                            .first_chunk()
                            .map_or(0, |n| i32::from_ne_bytes(*n));
                        return match number {
                            0 => Ok(answer),
                            number => Err(io::Error::from_raw_os_error(-number)),
                        };
                    }
                    _ => {
                        answer.push(message);
                        if flags & NLM_F_DUMP == 0 {
                            return Ok(answer);
                        }
                    }
                }
            }
        }
    }

    /// What the groups were told since the last call. `None`: more than could be kept.
    pub(crate) fn heard(&self) -> Option<Vec<Message>> {
        let mut heard = Vec::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(len) => {
                    let bytes = buffer.get(..len).unwrap_or_default();
                    heard.extend(messages(bytes).map(|(_, message)| message));
                }
                Err(Errno::EINTR) => {}
                Err(Errno::ENOBUFS) => return None,
                Err(_) => return Some(heard),
            }
        }
    }

    /// The next datagram, if it comes in time.
    fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
        if poll(&mut ready, patience)? == 0 {
            return Ok(None);
        }
        let mut buffer = vec![0; BUFFER];
        let len = recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        buffer.truncate(len);
        Ok(Some(buffer))
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The messages of a datagram with their sequence numbers.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u32, Message)> {
    core::iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let [l0, l1, l2, l3, k0, k1, _, _, s0, s1, s2, s3, ..] = *header;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let (body, _) = rest.split_at_checked(len.checked_sub(HEADER)?)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        let message = Message {
            kind: u16::from_ne_bytes([k0, k1]),
            body: body.to_vec(),
        };
        Some((u32::from_ne_bytes([s0, s1, s2, s3]), message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            messages(&bytes).for_each(drop);
            Attributes::new(&bytes).for_each(drop);
        }
    }

    #[test]
    fn loopback_is_there() {
        let mut netlink = Netlink::open(0).unwrap();
        let lo = LinkState::of(&mut netlink, vxlan_core::IfIndex::LOOPBACK).unwrap();
        assert_eq!(lo.name, "lo");
        assert!(lo.mtu > 1500);
        let nowhere = vxlan_core::IfIndex::new(i32::MAX as u32).unwrap();
        assert!(LinkState::of(&mut netlink, nowhere).is_err());
    }
}
