//! Packets that stand for several: how the vectors name them, and what becomes of them below the
//! driver.

use vxlan_core::Outer;
use vxlan_core::packet::{Gso, GsoKind};
use vxlan_core::wire::ipv4;

use super::answer::{Failure, unsupported};
use super::model::Partial;

/// The numbers of the recorder's packet header (virtio 1.2 section 5.1.6).
const KINDS: [(u32, GsoKind); 2] = [(1, GsoKind::TcpV4), (4, GsoKind::TcpV6)];
/// Congestion segmentation; CWR is treated alike without it.
const ECN: u32 = 0x80;

/// What the sender of a frame says about its pieces.
pub(crate) fn stated(partial: Option<Partial>) -> Result<Option<Gso>, Failure> {
    let Some(Partial {
        gso_type: Some(number),
        gso_size: Some(size),
        ..
    }) = partial
    else {
        return Ok(None);
    };
    let kind = KINDS.iter().find(|(known, _)| number & !ECN == *known);
    match (kind, u16::try_from(size)) {
        (Some((_, kind)), Ok(size)) => Ok(Some(Gso { kind: *kind, size })),
        _ => Err(unsupported(format!("gso_type {number}, gso_size {size}"))),
    }
}

/// The number of a kind.
pub(crate) fn number(kind: GsoKind) -> Option<u32> {
    let known = KINDS.iter().find(|(_, known)| *known == kind);
    known.map(|(number, _)| *number)
}

/// The IP packets that leave: segments, and fragments of those that are too long.
pub(crate) fn packets(outer: &Outer<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let mut packets = Vec::new();
    for segment in outer.segments() {
        let mut packet = vec![0; segment.len()];
        segment
            .write(&mut packet)
            .map_err(|error| unsupported(format!("segments: {error:?}")))?;
        let Some(mtu) = segment.needs_fragments() else {
            packets.push(packet);
            continue;
        };
        let cut = |error| unsupported(format!("fragments: {error:?}"));
        for fragment in ipv4::fragments(&packet, mtu as usize).map_err(cut)? {
            let mut bytes = vec![0; fragment.len()];
            fragment
                .write(&mut bytes)
                .map_err(|error| unsupported(format!("fragments: {error:?}")))?;
            packets.push(bytes);
        }
    }
    Ok(packets)
}
