//! The kernel at the other end of a socket.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::thread;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimeout};
use nix::sys::time::TimeVal;

use crate::message::{Answer, find, link};
use crate::runner::Skip;
use crate::runner::namespace::Namespace;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const CAPPED: u16 = 0x100;
const WITH_ATTRIBUTES: u16 = 0x200;
/// `RTNLGRP_NEIGH`.
const NEIGHBOURS: u32 = 3;
/// `AF_BRIDGE`: of an entry, not of a neighbour.
const BRIDGE: u8 = 7;
/// How long the kernel may think.
const PATIENCE: TimeVal = TimeVal::new(10, 0);

pub(crate) const NEW_LINK: u16 = 16;
pub(crate) const DELETE_LINK: u16 = 17;
pub(crate) const GET_LINK: u16 = 18;
pub(crate) const CREATE_EXCL: u16 = 0x600;

/// A namespace with a lower interface, and a socket in it.
pub(crate) struct Kernel {
    socket: Socket,
    /// Hears what the kernel tells of neighbours and entries (`RTNLGRP_NEIGH`).
    news: Socket,
    sequence: u32,
    /// The lower interface, of MTU 1500.
    pub(crate) lower: u32,
    /// Closed last, with all that is in it.
    pub(crate) namespace: Namespace,
}

impl Kernel {
    pub(crate) fn new(name: &str) -> Result<Self, Skip> {
        let namespace = Namespace::new(&format!("nl-{name}"))?;
        namespace.ip("link add ul0 type veth peer name ul1");
        Ok(Self::of(namespace))
    }

    /// In a namespace that has a lower interface `ul0`.
    pub(crate) fn of(namespace: Namespace) -> Self {
        let path = Path::new("/run/netns").join(&namespace.0);
        let opened = thread::spawn(move || {
            setns(File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
            // Devices are silent, so that no entry is used. The lower interface keeps its IPv6.
            fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
            [(); 2].map(|()| Socket::new(NETLINK_ROUTE).unwrap())
        });
        let [mut socket, mut news] = opened.join().expect("sockets in the namespace");
        news.bind_auto().unwrap();
        news.add_membership(NEIGHBOURS).unwrap();
        news.set_non_blocking(true).unwrap();
        socket.bind_auto().unwrap();
        socket.set_ext_ack(true).unwrap();
        socket.set_cap_ack(true).unwrap();
        socket.connect(&SocketAddr::new(0, 0)).unwrap();
        setsockopt(&socket, ReceiveTimeout, &PATIENCE).unwrap();
        let mut kernel = Self {
            socket,
            news,
            sequence: 0,
            lower: 0,
            namespace,
        };
        let (answer, found) = kernel.ask(
            GET_LINK,
            0,
            &link(0, &crate::message::attribute(3, b"ul0\0")),
        );
        assert_eq!(answer, Answer(0, None));
        kernel.lower = u32::from_ne_bytes(found[0][4..8].try_into().unwrap());
        kernel
    }

    /// Asks and waits: the answer, and the content of the messages before it.
    pub(crate) fn ask(&mut self, kind: u16, flags: u16, content: &[u8]) -> (Answer, Vec<Vec<u8>>) {
        self.sequence += 1;
        let len = u32::try_from(16 + content.len()).unwrap();
        let mut message = len.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message
            .extend((flags | REQUEST | if flags & DUMP == DUMP { 0 } else { ACK }).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(content);
        self.socket.send(&message, 0).unwrap();
        let mut all = Vec::new();
        loop {
            let (bytes, _) = self.socket.recv_from_full().expect("an answer in time");
            let mut rest = &bytes[..];
            while rest.len() >= 16 {
                let len = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
                let number = |at: usize| u16::from_ne_bytes([rest[at], rest[at + 1]]);
                let (kind, flags) = (number(4), number(6));
                let sequence = u32::from_ne_bytes(rest[8..12].try_into().unwrap());
                let content = &rest[16..len];
                rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
                if sequence != self.sequence {
                    continue;
                }
                match kind {
                    ERROR => return (answer(flags, content), all),
                    DONE => return (Answer(0, None), all),
                    _ => all.push(content.to_vec()),
                }
            }
        }
    }

    /// Kind and content of what was told of the entries of a device since the last call. The kernel
    /// tells before it answers, so nothing of an answered request is still to come.
    pub(crate) fn news(&self, ifindex: u32) -> Vec<(u16, Vec<u8>)> {
        let mut all = Vec::new();
        loop {
            let bytes = match self.news.recv_from_full() {
                Ok((bytes, _)) => bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return all,
                Err(error) => panic!("news are lost: {error}"),
            };
            let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
            let content = &bytes[16..];
            if content[0] == BRIDGE && content[4..8] == ifindex.to_ne_bytes() {
                all.push((kind, content.to_vec()));
            }
        }
    }

    pub(crate) fn dump(&mut self, kind: u16, content: &[u8]) -> Vec<Vec<u8>> {
        let (answer, all) = self.ask(kind, DUMP, content);
        assert_eq!(answer, Answer(0, None));
        all
    }

    /// The number of an interface.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        let name = [name.as_bytes(), &[0]].concat();
        let named = crate::message::attribute(3, &name);
        let (answer, found) = self.ask(GET_LINK, 0, &link(0, &named));
        assert_eq!(answer, Answer(0, None));
        u32::from_ne_bytes(found[0][4..8].try_into().unwrap())
    }

    /// MTU and `IFLA_INFO_DATA` of a device.
    pub(crate) fn shown(&mut self, ifindex: u32) -> (u32, Vec<u8>) {
        let (answer, found) = self.ask(GET_LINK, 0, &link(ifindex, &[]));
        assert_eq!(answer, Answer(0, None));
        let all = &found[0][16..];
        let mtu = find(all, 4).unwrap().try_into().unwrap();
        let data = find(find(all, 18).unwrap(), 2).unwrap();
        (u32::from_ne_bytes(mtu), data.to_vec())
    }

    pub(crate) fn delete(&mut self, ifindex: u32) {
        let (answer, _) = self.ask(DELETE_LINK, 0, &link(ifindex, &[]));
        assert_eq!(answer, Answer(0, None));
    }
}

/// `struct nlmsgerr` and what follows it.
fn answer(flags: u16, content: &[u8]) -> Answer {
    let errno = -i32::from_ne_bytes(content[..4].try_into().unwrap());
    if flags & WITH_ATTRIBUTES == 0 {
        return Answer(errno, None);
    }
    // Without the request's content if it was capped.
    let quoted = u32::from_ne_bytes(content[4..8].try_into().unwrap()) as usize;
    let at = if flags & CAPPED != 0 {
        20
    } else {
        4 + quoted.next_multiple_of(4)
    };
    let text = find(&content[at..], 1).map(|text| {
        let text = text.strip_suffix(&[0]).unwrap_or(text);
        String::from_utf8(text.to_vec()).unwrap()
    });
    Answer(errno, text)
}
