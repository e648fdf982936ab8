//! The kernel's nexthop objects.

use std::io;

use vxlan_core::fdb::NexthopId;
use vxlan_std::nexthops::{Leg, Nexthop};

use super::entry::address;
use super::{Attributes, Message, NLM_F_DUMP, Netlink};

const RTM_NEWNEXTHOP: u16 = 104;
const RTM_GETNEXTHOP: u16 = 106;

const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_GATEWAY: u16 = 6;
const NHA_FDB: u16 = 11;

/// Those that are for forwarding databases, by their numbers.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn nexthops(netlink: &mut Netlink) -> io::Result<Vec<(NexthopId, Nexthop)>> {
    let answer = netlink.ask(RTM_GETNEXTHOP, NLM_F_DUMP, &[0; 8])?;
    Ok(answer.iter().filter_map(read).collect())
}

fn read(message: &Message) -> Option<(NexthopId, Nexthop)> {
    if message.kind != RTM_NEWNEXTHOP {
        return None;
    }
    let attributes = Attributes::new(message.body.get(8..)?);
    attributes.find(NHA_FDB)?;
    let id = NexthopId::new(attributes.number(NHA_ID)?)?;
    let nexthop = match attributes.find(NHA_GROUP) {
        Some(group) => Nexthop::Group(group.as_chunks().0.iter().filter_map(leg).collect()),
        None => Nexthop::Gateway(address(attributes.find(NHA_GATEWAY)?)?),
    };
    Some((id, nexthop))
}

/// `struct nexthop_grp`: a number, and a weight less one.
fn leg(member: &[u8; 8]) -> Option<Leg> {
    let [i0, i1, i2, i3, weight, ..] = *member;
    Some(Leg {
        id: NexthopId::new(u32::from_ne_bytes([i0, i1, i2, i3]))?,
        weight: u16::from(weight) + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::*;

    #[test]
    fn objects_are_read() {
        let id = |number| NexthopId::new(number).unwrap();
        let message = |builder: Builder| Message {
            kind: RTM_NEWNEXTHOP,
            body: builder.finish(),
        };
        let start = |number: u32| Builder::new(vec![0; 8]).put(NHA_ID, &number.to_ne_bytes());
        let gateway = start(1).put(NHA_GATEWAY, &[192, 0, 2, 3]);
        assert_eq!(read(&message(gateway.clone())), None);
        assert_eq!(
            read(&message(gateway.put(NHA_FDB, &[]))),
            Some((id(1), Nexthop::Gateway([192, 0, 2, 3].into())))
        );
        let members = [
            &1u32.to_ne_bytes()[..],
            &[2, 0, 0, 0],
            &2u32.to_ne_bytes(),
            &[0; 4],
        ]
        .concat();
        let group = start(10).put(NHA_GROUP, &members).put(NHA_FDB, &[]);
        let legs = [(1, 3), (2, 1)].map(|(number, weight)| Leg {
            id: id(number),
            weight,
        });
        assert_eq!(
            read(&message(group)),
            Some((id(10), Nexthop::Group(legs.into())))
        );
    }
}
