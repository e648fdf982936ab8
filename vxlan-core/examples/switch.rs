//! Another receiver on a VXLAN socket: a virtual switch that wants the header's fields, the outer
//! addresses and the inner frame, and has its own idea of forwarding.
//!
//! It shares the socket with an ordinary device; both use the same decode step. Alone on a socket
//! it would not even need the list of VNIs. Run it: `cargo run -p vxlan-core --example switch`.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::IpAddr;

use vxlan_core::device::{Accept, Refused};
use vxlan_core::vtep::Member;
use vxlan_core::wire::ethernet;
use vxlan_core::{Config, Device, Ingress, Instant, Mac, Packet, Underlay, Vni, Vtep, Worker, fdb};

/// A switch that forwards by network and address, and counts by policy.
struct Switch {
    accept: Accept,
    /// Which tunnel end point a station of a network is behind.
    stations: BTreeMap<(Vni, Mac), IpAddr>,
    /// Frames by group policy.
    policies: BTreeMap<u16, u64>,
}

impl Switch {
    /// Takes a datagram that the socket handed over.
    fn receive(&mut self, from: &Underlay, datagram: &mut Packet<'_>) -> Result<(), Refused> {
        let decoded = self.accept.decode(datagram)?;
        let Ok((header, _)) = ethernet::Header::parse(datagram.bytes()) else {
            return Ok(());
        };
        let policy = decoded.policy.unwrap_or(0) as u16;
        *self.policies.entry(policy).or_default() += 1;
        self.stations
            .insert((decoded.vni, header.source()), from.source);
        println!(
            "switch: network {} policy {policy}, {} is behind {}, {} bytes for {}",
            decoded.vni,
            header.source(),
            from.source,
            datagram.len(),
            header.destination(),
        );
        Ok(())
    }
}

/// Who receives what comes for a VNI.
const DEVICE: usize = 0;
const SWITCH: usize = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let vni = |number| Vni::new(number).ok_or("a VNI has 24 bits");
    let config = Config::new(vni(42)?).gbp(true);
    let mut switch = Switch {
        accept: Accept::new(&config.clone().validate()?),
        stations: BTreeMap::new(),
        policies: BTreeMap::new(),
    };
    let own = Mac::new([2, 0, 0, 0, 0, 1]);
    let table = fdb::Fixed::<16, 16, 16>::new();
    let mut device = Device::new(config, own, table, Instant::ZERO)?;
    device.set_up(true);

    // One socket, two receivers.
    let mut socket = Vtep::new([Member::EMPTY; 4]);
    socket.attach(vni(42)?, None, DEVICE)?;
    socket.attach(vni(43)?, None, SWITCH)?;

    let mut worker = Worker::new(Instant::ZERO);
    let from = Underlay::new("192.0.2.2".parse()?);
    for (network, policy) in [(42, 7), (43, 7), (43, 9), (44, 0)] {
        // Group policy and VNI, then a frame of nothing but its header.
        let mut payload = [
            0x88, 0, 0, policy, 0, 0, network, 0, // VXLAN
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5, // Ethernet
        ];
        let len = payload.len();
        let mut datagram = Packet::new(&mut payload, 0, len)?;
        match socket.demultiplex(datagram.bytes(), None) {
            Ok(DEVICE) => match device.receive(&mut worker, &from, &mut datagram) {
                Ingress::Deliver(_, event) => println!("device: delivered, {event:?}"),
                other => println!("device: {other:?}"),
            },
            Ok(_) => switch
                .receive(&from, &mut datagram)
                .map_err(|refused| format!("{refused:?}"))?,
            Err(reason) => println!("nobody: {reason}"),
        }
    }

    let known = switch
        .stations
        .get(&(vni(43)?, Mac::new([2, 0, 0, 0, 0, 9])));
    if known != Some(&from.source) || switch.policies != BTreeMap::from([(7, 1), (9, 1)]) {
        return Err("the switch saw something else".into());
    }
    if worker.stats.rx_packets != 1 {
        return Err("the device saw something else".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    /// M-23, M-24: a receiver that is not the device, on a socket of its own or shared.
    #[test]
    fn m23_both_receivers_get_theirs() {
        super::main().unwrap();
    }
}
