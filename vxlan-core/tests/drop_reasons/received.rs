//! How a datagram can be lost.

use super::*;

/// What ends on its way in.
pub(super) fn received() -> Vec<Case> {
    use DropReason as D;
    const NONE: &[&str] = &[];
    let here = Some((NETWORK, NONE));
    let error = Some((NETWORK, &["rx_errors"][..]));
    let frame_error = &["rx_errors", "rx_frame_errors"];
    let good = frame(OWN, mac(9), 0x0800, &ipv4(0, 64));
    let mut short = Run::new(filter());
    short.receive_payload(0, &[8; 7]);
    let full = filter()
        .learn_quota(NonZeroU32::new(1))
        .unlearned(Unlearned::Drop);
    let full = Run::new(full).with_learned(mac(7), "192.0.2.2");
    let slow = filter().unlearned(Unlearned::Drop);
    let slow = slow.learn_rate(Some(LearnRate {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::MIN,
    }));
    let slow = Run::new(slow).has_heard(mac(7), &["192.0.2.2"]);
    let held = filter().move_damping(Some(MoveDamping {
        moves: NonZeroU32::MIN,
        within: Duration::from_secs(1),
        hold: Duration::from_secs(1),
    }));
    let held = Run::new(held)
        .has_heard(mac(9), &["192.0.2.7", "192.0.2.8"])
        .with_learned(mac(9), "192.0.2.8");
    let mut down = Run::new(filter());
    down.device.set_up(false);
    let pinned = Run::new(filter()).with_entry(mac(9), "192.0.2.9");
    let own = frame(OWN, OWN, 0x88b5, &[]);
    let group = frame(OWN, Mac::BROADCAST, 0x88b5, &[]);
    let remote_checksum = Run::new(filter().remote_checksum_rx(true));
    let cut = &good[..33];
    vec![
        case(D::PacketTooSmall, NONE, None, short),
        case(
            D::InvalidHeader,
            NONE,
            None,
            Run::new(filter()).receive(!I, NETWORK, 0, &good),
        ),
        case(
            D::VniNotFound,
            NONE,
            None,
            Run::new(filter()).receive(I, NETWORK + 1, 0, &good),
        ),
        case(
            D::ReservedBits,
            frame_error,
            error,
            Run::new(filter()).receive(I | 1, NETWORK, 0, &good),
        ),
        case(
            D::NextProtocol,
            NONE,
            here,
            Run::new(raw()).receive(I, NETWORK, 0, &good),
        ),
        case(
            D::InnerTooShort,
            NONE,
            here,
            Run::new(filter()).receive(I, NETWORK, 0, &good[..13]),
        ),
        case(
            D::RemoteChecksum,
            NONE,
            here,
            remote_checksum.receive(I | 0x0020_0000, NETWORK, 0, &good[..15]),
        ),
        case(
            D::LocalMac,
            NONE,
            here,
            Run::new(filter()).receive(I, NETWORK, 0, &own),
        ),
        case(
            D::InvalidSourceMac,
            NONE,
            here,
            Run::new(filter()).receive(I, NETWORK, 0, &group),
        ),
        case(
            D::EntryExists,
            NONE,
            here,
            pinned.receive(I, NETWORK, 0, &good),
        ),
        case(
            D::LearnQuota,
            &["rx_dropped"],
            Some((NETWORK, &["rx_drops"])),
            full.receive(I, NETWORK, 0, &good),
        ),
        case(
            D::LearnRate,
            &["rx_dropped"],
            Some((NETWORK, &["rx_drops"])),
            slow.receive(I, NETWORK, 0, &good),
        ),
        case(
            D::MoveDamped,
            &["rx_dropped"],
            Some((NETWORK, &["rx_drops"])),
            held.receive(I, NETWORK, 0, &good),
        ),
        case(
            D::InnerHeaderTruncated,
            &["rx_errors", "rx_length_errors"],
            error,
            Run::new(filter()).receive(I, NETWORK, 0, cut),
        ),
        case(
            D::TunnelEcn,
            frame_error,
            error,
            Run::new(filter()).receive(I, NETWORK, 3, &good),
        ),
        case(
            D::DeviceDown,
            &["rx_dropped"],
            Some((NETWORK, &["rx_drops"])),
            down.receive(I, NETWORK, 0, &good),
        ),
    ]
}
