//! A VLAN tag of the inner frame travels inside the tunnel.

use crate::lab::Lab;
use crate::packet_socket::PacketSocket;
use crate::runner::{PATIENCE, Skip};
use crate::vtep::pair;
use std::time::Duration;

/// The tag.
const VLAN: u16 = 100;
/// An EtherType for experiments (IEEE 802, 88B5).
const EXPERIMENT: [u8; 2] = [0x88, 0xb5];

/// T-22: a tagged frame has its tag on the wire and where it comes out.
pub(crate) fn tagged_frames(lab: &Lab) -> Result<(), Skip> {
    let _vtep = pair(lab, "");
    let (ours, theirs) = lab.pair();
    for (from, to) in [(ours, theirs), (theirs, ours)] {
        let sender = PacketSocket::for_vlan(from, "vx0", VLAN);
        let receiver = PacketSocket::for_vlan(to, "vx0", VLAN);
        let macs = [
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0x02,
            0,
            0,
            0,
            0,
            from.number,
        ];
        let tag = [0x81, 0x00, 0x00, VLAN as u8];
        let payload = [0x5a; 64];
        let frame = [&macs[..], &tag, &EXPERIMENT, &payload].concat();
        let untagged = [&macs[..], &EXPERIMENT, &payload].concat();
        let seen = lab.wire.during(|| {
            sender.send(&untagged);
            sender.send(&frame);
            let received = receiver.receive(PATIENCE);
            assert_eq!(received.as_ref(), Some(&untagged), "tag taken out");
        });
        let inner: Vec<&[u8]> = seen.iter().map(|datagram| datagram.inner()).collect();
        assert!(inner.contains(&&frame[..]), "the tagged frame on the wire");
        assert!(inner.contains(&&untagged[..]), "the other one on the wire");
        let more = receiver.receive(Duration::from_millis(300));
        assert_eq!(more, None, "only the tagged frame has a tag");
    }
    Ok(())
}
