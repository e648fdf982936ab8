//! A packet socket on one interface.

use std::io::{ErrorKind, Write};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{LinkAddr, bind, recvfrom};
use socket2::{Domain, Protocol, Socket, Type};

/// `ETH_P_ALL` in network order, as packet sockets want it.
const ALL_PROTOCOLS: i32 = 0x0003_u16.to_be() as i32;
const OUTGOING: u8 = 4;

pub(crate) struct Capture(Socket);

impl Capture {
    /// Opens one in the namespace of this thread; `None` on an interface without link addresses,
    /// which cannot be named here.
    pub(crate) fn on(interface: &str) -> Option<Self> {
        let address = getifaddrs()
            .unwrap()
            .find(|entry| entry.interface_name == interface && is_link(entry.address.as_ref()))
            .and_then(|entry| entry.address?.as_link_addr().copied())?;
        let all = Protocol::from(ALL_PROTOCOLS);
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(all)).unwrap();
        bind(socket.as_raw_fd(), &address).unwrap();
        socket.set_recv_buffer_size(8 << 20).unwrap();
        socket.set_nonblocking(true).unwrap();
        let capture = Self(socket);
        capture.drain();
        Some(capture)
    }

    /// Sends one frame with that mark; the error number if it is refused.
    pub(crate) fn send(&self, frame: &[u8], mark: u32) -> Result<(), i32> {
        self.0.set_mark(mark).unwrap();
        match (&self.0).write(frame) {
            Ok(len) => assert_eq!(len, frame.len()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("{error}"),
            Err(error) => return Err(error.raw_os_error().unwrap()),
        }
        Ok(())
    }

    /// What the interface has received so far: packet type and bytes.
    pub(crate) fn drain(&self) -> Vec<(u8, Vec<u8>)> {
        let mut all = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match recvfrom::<LinkAddr>(self.0.as_raw_fd(), &mut buffer) {
                Ok((len, from)) => {
                    let kind = from.expect("an address").pkttype();
                    if kind != OUTGOING {
                        all.push((kind, buffer[..len].to_vec()));
                    }
                }
                Err(Errno::EAGAIN) => return all,
                Err(Errno::ENETDOWN) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn is_link(address: Option<&nix::sys::socket::SockaddrStorage>) -> bool {
    address.is_some_and(|address| address.as_link_addr().is_some())
}
