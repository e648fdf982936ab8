//! What a new network interface looks like (`vxlan_setup()`, `vxlan_config_apply()`).

use super::Lower;
use crate::device::{MTU_DEFAULT, MTU_MAX, MTU_MIN, Valid};

const IFF_BROADCAST: u32 = 0x2;
const IFF_POINTOPOINT: u32 = 0x10;
const IFF_NOARP: u32 = 0x80;
const IFF_MULTICAST: u32 = 0x1000;
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_NONE: u16 = 0xfffe;
const ETH_HLEN: u32 = 14;

/// A network interface as it is made, before anybody changes it.
///
/// ```
/// use vxlan_core::{Config, Vni, world::Setup};
///
/// let setup = Setup::of(&Config::new(Vni::MIN).validate()?);
/// assert_eq!((setup.flags, setup.header_len), (0x1002, 14));
/// # Ok::<(), vxlan_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setup {
    /// Its kind, `ARPHRD_ETHER` or, without inner Ethernet header, `ARPHRD_NONE`.
    pub kind: u16,
    /// `IFF_*`: broadcast and multicast; without Ethernet header point to point, no ARP, multicast.
    pub flags: u32,
    /// Bytes of its own link-layer header.
    pub header_len: u32,
    /// Bytes of its link-layer address.
    pub address_len: u32,
    /// Packets wait nowhere (`IFF_NO_QUEUE`): the queue's length is nought.
    pub queue_len: u32,
    /// The lowest MTU that it reports.
    pub min_mtu: u32,
    /// The highest MTU that it reports, whatever the lower interface can carry.
    pub max_mtu: u32,
    /// Its MTU until a lower interface or a request says otherwise.
    pub mtu: u32,
    /// The MAC address may change while it is up (`IFF_LIVE_ADDR_CHANGE`).
    pub live_address_change: bool,
    /// It has a forwarding database that requests can change.
    pub fdb: bool,
}

impl Setup {
    /// The interface for a device with this configuration.
    #[must_use]
    pub const fn of(config: &Valid) -> Self {
        let raw = config.is_raw();
        Self {
            kind: if raw { ARPHRD_NONE } else { ARPHRD_ETHER },
            flags: if raw {
                IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST
            } else {
                IFF_BROADCAST | IFF_MULTICAST
            },
            header_len: if raw { 0 } else { ETH_HLEN },
            address_len: if raw { 0 } else { 6 },
            queue_len: 0,
            min_mtu: MTU_MIN,
            max_mtu: MTU_MAX,
            mtu: MTU_DEFAULT,
            live_address_change: !raw,
            fdb: !raw,
        }
    }
}

/// Bytes that a device wants before each packet (`needed_headroom`): its own headers, as for IPv6
/// in external mode, and the link-layer header below.
pub(super) fn headroom(config: &Valid, lower: Option<&Lower>) -> u32 {
    let below = match lower {
        Some(lower) if config.compat().lower_headroom => {
            lower.hard_header_len.saturating_add(lower.needed_headroom)
        }
        Some(lower) => lower.hard_header_len,
        None => ETH_HLEN,
    };
    let either_family = if config.is_external() && !config.is_ipv6() {
        20
    } else {
        0
    };
    below.saturating_add(config.headroom() + either_family)
}
