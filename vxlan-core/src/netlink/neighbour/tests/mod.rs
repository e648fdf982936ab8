mod messages;
mod requests;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::*;
use crate::device::Valid;
use crate::fdb::{
    Destination, Filter, Flags, Mode, NexthopError, NexthopId, Record, Remote, State,
};
use crate::netlink::{Error, Header, Writer};
use crate::{Config, IfIndex, Instant, Mac, Vni};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: &[u8] = &[10, 0, 0, 2];
const ADD: Operation = Operation::Update(Mode::CREATE.union(Mode::EXCL));

/// A host with interfaces 1 to 9 and a nexthop group 5.
struct Small;

impl Host for Small {
    fn has_interface(&self, ifindex: IfIndex) -> bool {
        ifindex.get() < 10
    }

    fn nexthop(&self, id: NexthopId, _: bool) -> Result<(), NexthopError> {
        if id.get() == 5 {
            Ok(())
        } else {
            Err(NexthopError::Unknown)
        }
    }
}

fn config() -> Valid {
    Config::new(Vni::truncate(7)).validate().unwrap()
}

fn external() -> Valid {
    let config = Config::new(Vni::MIN).external(true).learning(false);
    config.validate().unwrap()
}

/// `struct ndmsg` of interface 2 and attributes.
fn content(state: u16, flags: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut out = [0; 512];
    let mut writer = Writer::new(&mut out);
    writer.bytes(&[FAMILY, 0, 0, 0]).unwrap();
    writer.bytes(&2u32.to_ne_bytes()).unwrap();
    let [a, b] = state.to_ne_bytes();
    writer.bytes(&[a, b, flags, 0]).unwrap();
    for (number, payload) in attributes {
        writer.put(*number, payload).unwrap();
    }
    let len = writer.len();
    out[..len].to_vec()
}

fn ask(operation: Operation, config: &Valid, content: &[u8]) -> Result<Request, Error> {
    Message::parse(operation, content)?.request(config, &Small)
}

/// Error number (0 for none) and message.
fn answer(result: Result<Request, Error>) -> (i32, Option<String>) {
    match result {
        Ok(_) => (0, None),
        Err(error) => (
            error.errno().get(),
            error.message().map(ToString::to_string),
        ),
    }
}

fn want(errno: i32, message: &str) -> (i32, Option<String>) {
    (errno, (!message.is_empty()).then(|| message.into()))
}

fn fdb_key(vni: u32) -> crate::fdb::Key {
    crate::fdb::Key {
        mac: Mac::new(MAC),
        vni,
    }
}
