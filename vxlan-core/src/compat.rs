//! Whose behaviour to follow where implementations differ.

use crate::{Vni, device};

/// The differences between drivers, one switch each.
///
/// [`Compat::LINUX_6`] is the driver of Linux 6.18 and the default, [`Compat::LINUX_4_3`] that of
/// Linux 4.3, [`Compat::RFC_7348`] what the RFC asks for where Linux does otherwise.
///
/// ```
/// use vxlan_core::Compat;
///
/// assert!(Compat::LINUX_6.udp_checksum && !Compat::LINUX_4_3.udp_checksum);
/// assert_eq!(Compat::default(), Compat::LINUX_6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compat {
    /// What unexpected header bits lead to.
    pub header: HeaderRule,
    /// The UDP port of a device that was given none.
    pub port: u16,
    /// The highest VNI a device may have.
    pub vni_max: Vni,
    /// A request for a device has to name its VNI; otherwise it is 0.
    pub vni_required: bool,
    /// Outer IPv4 packets carry a UDP checksum unless configured.
    pub udp_checksum: bool,
    /// TOS and ECN are carried into the outer IPv6 traffic class; otherwise it is zero.
    pub ipv6_traffic_class: bool,
    /// An inner ECT(0) under an outer ECT(1) becomes ECT(1) (RFC 6040).
    pub ecn_carry_ect1: bool,
    /// Without learning no entry; with it, frames whose source is a group or zero are dropped.
    /// Otherwise such sources are learned.
    pub refuse_invalid_source: bool,
    /// A source with a link-local address is learned together with the interface it arrived on.
    pub learn_interface: bool,
    /// PERMANENT entries are pinned like NOARP ones: traffic never moves them.
    pub pin_permanent: bool,
    /// Entries age by the last word from their source; otherwise by the last use in either
    /// direction.
    pub age_by_updated: bool,
    /// NOARP and externally learned entries do not age. PERMANENT ones never do.
    pub age_spares_static: bool,
    /// A device going down flushes only what could age; otherwise all but the default entries.
    pub flush_spares_static: bool,
    /// A device that is not up drops what it receives.
    pub check_device_up: bool,
    /// Frames that bypass the encapsulation count with their Ethernet header.
    pub bypass_counts_ethernet: bool,
    /// Whether frames to this host bypass the encapsulation can be configured; otherwise they
    /// always do.
    pub bypass_optional: bool,
    /// The interface of a remote is looked at when the device is found that a bypassing frame goes
    /// to.
    pub bypass_by_interface: bool,
    /// The routing table is asked with UDP ports.
    pub route_by_ports: bool,
    /// What leaves over IPv4 counts with the length of the inner packet; otherwise with that of the
    /// UDP datagram.
    pub count_inner_length: bool,
    /// A packet whose inner IP header is cut off is dropped.
    pub check_inner_length: bool,
    /// A received frame sets the mark even if its header carries no policy.
    pub overwrite_mark: bool,
    /// A bridge port answers packets that are too long for the path.
    pub answer_too_big: bool,
    /// Deleting a remote that an entry does not have fails.
    pub strict_delete: bool,
    /// A proxy answers before external mode looks for tunnel metadata.
    pub proxy_first: bool,
    /// There are multicast databases.
    pub multicast_database: bool,
    /// Entries can point to nexthop groups.
    pub nexthops: bool,
    /// A VNI is taken by every device that has it; otherwise only by devices that are up, as in
    /// Linux 4.1 and 4.2.
    pub down_devices_own_vni: bool,
    /// Local and remote address must fit each other, the local one must be a host's, and a group
    /// needs a lower interface.
    pub check_addresses: bool,
    /// The headroom of a device includes what its lower interface wants beside its header.
    pub lower_headroom: bool,
    /// An MTU that is asked for is checked, and cut to what the lower interface can carry.
    pub check_mtu: bool,
    /// Going down reports that a group could not be left.
    pub report_leave: bool,
    /// Answers in a neighbour's place follow RFC 5227 and RFC 4861.
    ///
    /// Duplicate address detection is answered to all nodes and not as solicited, malformed
    /// solicitations are not answered. A neighbour that claims or probes its own address hears
    /// nothing against it; somebody else who claims it does. Claims of addresses that nobody
    /// has bring no miss.
    pub rfc_neighbours: bool,
}

/// What a receiver does about header bits that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderRule {
    /// Drops the packet if a bit of the configured mask is set (Linux 6).
    Mask,
    /// Hands the datagram back to the socket if any bit is left over (Linux 4.3); short packets
    /// and packets without the I flag as well.
    HandBack,
    /// Ignores them (RFC 7348 section 5: "ignored on receipt").
    Ignore,
}

impl Compat {
    /// Linux 6.18.
    pub const LINUX_6: Self = Self {
        header: HeaderRule::Mask,
        port: device::PORT_LINUX,
        vni_max: Vni::MAX,
        vni_required: false,
        udp_checksum: true,
        ipv6_traffic_class: true,
        ecn_carry_ect1: true,
        refuse_invalid_source: true,
        learn_interface: true,
        pin_permanent: true,
        age_by_updated: true,
        age_spares_static: true,
        flush_spares_static: true,
        check_device_up: true,
        bypass_counts_ethernet: true,
        bypass_optional: true,
        bypass_by_interface: true,
        route_by_ports: true,
        count_inner_length: true,
        check_inner_length: true,
        overwrite_mark: false,
        answer_too_big: true,
        strict_delete: false,
        proxy_first: false,
        multicast_database: true,
        nexthops: true,
        rfc_neighbours: false,
        down_devices_own_vni: true,
        check_addresses: true,
        lower_headroom: true,
        check_mtu: true,
        report_leave: false,
    };

    /// Linux 4.3, and 4.2 where the two are alike.
    pub const LINUX_4_3: Self = Self {
        header: HeaderRule::HandBack,
        port: device::PORT_LINUX,
        vni_max: Vni::truncate(0x00ff_fffe),
        vni_required: true,
        udp_checksum: false,
        ipv6_traffic_class: false,
        ecn_carry_ect1: false,
        refuse_invalid_source: false,
        learn_interface: false,
        pin_permanent: false,
        age_by_updated: false,
        age_spares_static: false,
        flush_spares_static: false,
        check_device_up: false,
        bypass_counts_ethernet: false,
        bypass_optional: false,
        bypass_by_interface: false,
        route_by_ports: false,
        count_inner_length: false,
        check_inner_length: false,
        overwrite_mark: true,
        answer_too_big: false,
        strict_delete: true,
        proxy_first: true,
        multicast_database: false,
        nexthops: false,
        rfc_neighbours: false,
        down_devices_own_vni: true,
        check_addresses: false,
        lower_headroom: false,
        check_mtu: false,
        report_leave: true,
    };

    /// RFC 7348: reserved bits are ignored, the port is the assigned one. ARP and neighbour
    /// discovery are answered by their RFCs. Otherwise Linux 6.
    pub const RFC_7348: Self = Self {
        header: HeaderRule::Ignore,
        port: device::PORT_IANA,
        rfc_neighbours: true,
        ..Self::LINUX_6
    };
}

impl Default for Compat {
    fn default() -> Self {
        Self::LINUX_6
    }
}
