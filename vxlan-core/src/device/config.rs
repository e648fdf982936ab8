//! What a device is told once and then trusts.

mod addresses;
mod change;

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::num::NonZeroU32;
use core::time::Duration;

use bitflags::bitflags;

use crate::wire::vxlan::ReservedBits;
use crate::{Compat, IfIndex, PortRange, Salt, Vni};

pub use change::ConfigChange;

/// The default UDP port of Linux, 8472. The port that IANA assigned is [`PORT_IANA`].
pub const PORT_LINUX: u16 = 8472;
/// The UDP port that IANA assigned to VXLAN, 4789.
pub const PORT_IANA: u16 = 4789;
/// The UDP port of the generic protocol extension, 4790.
pub const PORT_GPE: u16 = 4790;
/// How long a learned entry lives without traffic unless configured (`FDB_AGE_DEFAULT`).
pub const AGEING_DEFAULT: Duration = Duration::from_secs(300);
/// The value of [`Config::tos`] that copies the inner TOS byte.
pub const TOS_INHERIT: u8 = 1;
/// The lowest MTU of a device (`ETH_MIN_MTU`).
pub const MTU_MIN: u32 = 68;
/// The highest MTU of a device (`ETH_MAX_MTU`).
pub const MTU_MAX: u32 = 65535;
/// The MTU of a device without lower interface (`ETH_DATA_LEN`).
pub const MTU_DEFAULT: u32 = 1500;

/// The header bits that group-based policy uses.
pub(super) const USED_BY_GBP: u64 = 0x80ff_ffff << 32;
/// The header bits that remote checksum offload uses.
pub(super) const USED_BY_RCO: u64 = 0x0020_0000 << 32 | 0xff;
/// The header bits that the generic protocol extension uses.
const USED_BY_GPE: u64 = 0x3500_00ff << 32;
/// The header bits that every VXLAN packet uses.
const USED_ALWAYS: u64 = 0x0800_0000 << 32 | 0xffff_ff00;

bitflags! {
    /// What a device does, by the kernel's names and bits (`VXLAN_F_*`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u32 {
        /// Learn inner source addresses.
        const LEARN = 0x1;
        /// Answer ARP requests and neighbour solicitations in place of the neighbour.
        const PROXY = 0x2;
        /// Route short-circuit: what goes to a router goes to its next hop at once.
        const RSC = 0x4;
        /// Tell about frames whose destination is in no entry.
        const L2MISS = 0x8;
        /// Tell about IP addresses that are no neighbour's.
        const L3MISS = 0x10;
        /// The outer header is IPv6. Derived from the addresses.
        const IPV6 = 0x20;
        /// No UDP checksum over IPv4.
        const UDP_ZERO_CSUM_TX = 0x40;
        /// No UDP checksum over IPv6.
        const UDP_ZERO_CSUM6_TX = 0x80;
        /// Accept packets without UDP checksum over IPv6. For the socket to act on.
        const UDP_ZERO_CSUM6_RX = 0x100;
        /// Transmit with remote checksum offload.
        const REMCSUM_TX = 0x200;
        /// Accept remote checksum offload.
        const REMCSUM_RX = 0x400;
        /// Group-based policy: the packet mark travels in the VXLAN header.
        const GBP = 0x800;
        /// Remote checksums are computed, not passed on as still to be filled in.
        const REMCSUM_NOPARTIAL = 0x1000;
        /// External mode: outer headers travel beside the frame.
        const COLLECT_METADATA = 0x2000;
        /// The generic protocol extension: no inner Ethernet header.
        const GPE = 0x4000;
        /// The local address is IPv6 link-local. Derived from the addresses.
        const IPV6_LINKLOCAL = 0x8000;
        /// The outer TTL is the inner one.
        const TTL_INHERIT = 0x10000;
        /// Only the VNIs of a list are received.
        const VNIFILTER = 0x20000;
        /// Frames to a device of the same host are handed over without encapsulation.
        const LOCALBYPASS = 0x80000;
        /// Outer multicast goes through multicast routing. For the host to act on.
        const MC_ROUTE = 0x10_0000;
    }
}

impl Flags {
    /// The flags that devices on one socket must have in common (`VXLAN_F_RCV_FLAGS`).
    pub const RECEIVE: Self = Self::GBP
        .union(Self::GPE)
        .union(Self::UDP_ZERO_CSUM6_RX)
        .union(Self::REMCSUM_RX)
        .union(Self::REMCSUM_NOPARTIAL)
        .union(Self::COLLECT_METADATA)
        .union(Self::VNIFILTER);

    /// The flags that a device with the generic protocol extension may have
    /// (`VXLAN_F_ALLOWED_GPE`).
    const WITH_GPE: Self = Self::GPE
        .union(Self::IPV6)
        .union(Self::IPV6_LINKLOCAL)
        .union(Self::UDP_ZERO_CSUM_TX)
        .union(Self::UDP_ZERO_CSUM6_TX)
        .union(Self::UDP_ZERO_CSUM6_RX)
        .union(Self::COLLECT_METADATA)
        .union(Self::VNIFILTER)
        .union(Self::LOCALBYPASS)
        .union(Self::MC_ROUTE);
}

/// When the outer IPv4 header forbids fragmentation (`enum ifla_vxlan_df`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Df {
    /// Never.
    #[default]
    Unset,
    /// Always.
    Set,
    /// When the inner header does; always for inner IPv6. Frames with a VLAN tag never.
    Inherit,
}

/// The flow label of outer IPv6 headers (`enum ifla_vxlan_label_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlowLabel {
    /// Always this one, 20 bits.
    Fixed(u32),
    /// That of the inner IPv6 header; zero for anything else. The number is kept for the dump.
    Inherit(u32),
}

impl Default for FlowLabel {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// The configuration of a device (`struct vxlan_config`).
///
/// Built step by step; [`Device::new`](crate::Device::new) checks it once and trusts it from then
/// on. Unless said otherwise a device learns, ages after 300 s, uses port 8472, computes UDP
/// checksums and takes TTL and TOS from the route and from zero.
///
/// ```
/// use core::time::Duration;
/// use vxlan_core::{Config, Vni};
///
/// let config = Config::new(Vni::new(42).ok_or("a VNI has 24 bits")?)
///     .local("192.0.2.1".parse()?)
///     .remote("192.0.2.2".parse()?)
///     .port(4789)
///     .ageing(Duration::from_secs(60));
/// assert_eq!(config.validate()?.vni().get(), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    vni: Vni,
    remote: Option<IpAddr>,
    local: Option<IpAddr>,
    lower: Option<IfIndex>,
    port: u16,
    port_range: PortRange,
    ephemeral: PortRange,
    ttl: u8,
    tos: u8,
    df: Df,
    label: FlowLabel,
    flags: Flags,
    /// Remote checksums on receive were named, on or off.
    rco_named: bool,
    ageing: u32,
    limit: Option<NonZeroU32>,
    reserved_bits: Option<ReservedBits>,
    compat: Compat,
    salt: Salt,
}

impl Config {
    /// A device for `vni` as Linux 6.18 makes it when nothing else is said.
    #[must_use]
    pub const fn new(vni: Vni) -> Self {
        Self {
            vni,
            remote: None,
            local: None,
            lower: None,
            port: 0,
            port_range: PortRange::UNSET,
            ephemeral: PortRange::EPHEMERAL,
            ttl: 0,
            tos: 0,
            df: Df::Unset,
            label: FlowLabel::Fixed(0),
            flags: Flags::LEARN.union(Flags::LOCALBYPASS),
            rco_named: false,
            ageing: 0,
            limit: None,
            reserved_bits: None,
            compat: Compat::LINUX_6,
            salt: Salt::new([0; 16]),
        }
    }

    /// The same configuration for another VNI (`IFLA_VXLAN_ID`).
    #[must_use]
    pub const fn vni(mut self, vni: Vni) -> Self {
        self.vni = vni;
        self
    }

    /// The default remote: where frames go that match no entry (`IFLA_VXLAN_GROUP`, `GROUP6`). May
    /// be a multicast group. An unspecified address only chooses the address family.
    #[must_use]
    pub const fn remote(mut self, remote: IpAddr) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The outer source address (`IFLA_VXLAN_LOCAL`, `LOCAL6`). Default: the route decides.
    #[must_use]
    pub const fn local(mut self, local: IpAddr) -> Self {
        self.local = Some(local);
        self
    }

    /// The lower interface (`IFLA_VXLAN_LINK`), `None` for whatever the route says.
    #[must_use]
    pub const fn lower(mut self, lower: Option<IfIndex>) -> Self {
        self.lower = lower;
        self
    }

    /// The UDP destination port (`IFLA_VXLAN_PORT`). Default, and for zero: that of the
    /// [`Compat`], 8472 for Linux.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The range of outer source ports (`IFLA_VXLAN_PORT_RANGE`). Default: the ephemeral range.
    #[must_use]
    pub const fn port_range(mut self, range: PortRange) -> Self {
        self.port_range = range;
        self
    }

    /// The host's ephemeral range (`net.ipv4.ip_local_port_range`). Default: 32768 to 60999.
    #[must_use]
    pub const fn ephemeral_ports(mut self, range: PortRange) -> Self {
        self.ephemeral = range;
        self
    }

    /// The outer TTL or hop limit (`IFLA_VXLAN_TTL`). Default, and for zero: 1 to a multicast
    /// group, else the route's.
    #[must_use]
    pub const fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// Whether the outer TTL is the inner one (`IFLA_VXLAN_TTL_INHERIT`). Default: no.
    #[must_use]
    pub const fn ttl_inherit(self, on: bool) -> Self {
        self.flag(Flags::TTL_INHERIT, on)
    }

    /// The outer TOS byte or traffic class (`IFLA_VXLAN_TOS`); [`TOS_INHERIT`] copies the inner
    /// one. The two ECN bits always follow the inner header (RFC 6040). Default: 0.
    #[must_use]
    pub const fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// When the outer IPv4 header forbids fragmentation (`IFLA_VXLAN_DF`). Default: never.
    #[must_use]
    pub const fn df(mut self, df: Df) -> Self {
        self.df = df;
        self
    }

    /// The outer IPv6 flow label (`IFLA_VXLAN_LABEL`, `LABEL_POLICY`). Default: zero. Only the low
    /// 20 bits count.
    #[must_use]
    pub const fn flow_label(mut self, label: FlowLabel) -> Self {
        self.label = match label {
            FlowLabel::Fixed(label) => FlowLabel::Fixed(label & 0x000f_ffff),
            FlowLabel::Inherit(label) => FlowLabel::Inherit(label & 0x000f_ffff),
        };
        self
    }

    /// Whether inner source addresses are learned (`IFLA_VXLAN_LEARNING`). Default: yes.
    #[must_use]
    pub const fn learning(self, on: bool) -> Self {
        self.flag(Flags::LEARN, on)
    }

    /// Whether a frame without a match brings an [`Event::L2Miss`](crate::Event::L2Miss)
    /// (`IFLA_VXLAN_L2MISS`). Default: no.
    #[must_use]
    pub const fn l2miss(self, on: bool) -> Self {
        self.flag(Flags::L2MISS, on)
    }

    /// Whether an IP address without a neighbour brings an
    /// [`Event::L3Miss`](crate::Event::L3Miss) (`IFLA_VXLAN_L3MISS`). Only the
    /// [proxy](Self::proxy) and the [route short-circuit](Self::route_short_circuit) ask for
    /// neighbours. Default: no.
    #[must_use]
    pub const fn l3miss(self, on: bool) -> Self {
        self.flag(Flags::L3MISS, on)
    }

    /// Whether ARP requests and neighbour solicitations from the overlay are answered here, if the
    /// neighbour is known, and never forwarded (`IFLA_VXLAN_PROXY`). Default: no.
    #[must_use]
    pub const fn proxy(self, on: bool) -> Self {
        self.flag(Flags::PROXY, on)
    }

    /// Whether a frame to an entry with [`fdb::Flags::ROUTER`](crate::fdb::Flags::ROUTER) goes to
    /// the neighbour that has its IP destination at once (`IFLA_VXLAN_RSC`). Default: no.
    #[must_use]
    pub const fn route_short_circuit(self, on: bool) -> Self {
        self.flag(Flags::RSC, on)
    }

    /// How long a learned entry lives without traffic from its source (`IFLA_VXLAN_AGEING`).
    /// Whole seconds; default, and for zero: 300 s.
    #[must_use]
    pub const fn ageing(mut self, ageing: Duration) -> Self {
        let seconds = ageing.as_secs();
        self.ageing = if seconds > u32::MAX as u64 {
            u32::MAX
        } else {
            seconds as u32
        };
        self
    }

    /// How many entries the FDB may have (`IFLA_VXLAN_LIMIT`), all kinds together. Default:
    /// unlimited.
    #[must_use]
    pub const fn limit(mut self, limit: Option<NonZeroU32>) -> Self {
        self.limit = limit;
        self
    }

    /// Whether outer IPv4 packets carry a UDP checksum (`IFLA_VXLAN_UDP_CSUM`). Default: that of
    /// the [`Compat`], yes for Linux 6.
    #[must_use]
    pub const fn udp_checksum(self, on: bool) -> Self {
        self.flag(Flags::UDP_ZERO_CSUM_TX, !on)
    }

    /// Whether outer IPv6 packets go without UDP checksum (`IFLA_VXLAN_UDP_ZERO_CSUM6_TX`).
    /// Default: no.
    #[must_use]
    pub const fn udp_zero_checksum6_tx(self, on: bool) -> Self {
        self.flag(Flags::UDP_ZERO_CSUM6_TX, on)
    }

    /// Whether outer IPv6 packets without UDP checksum are accepted
    /// (`IFLA_VXLAN_UDP_ZERO_CSUM6_RX`). Default: no. The socket acts on it.
    #[must_use]
    pub const fn udp_zero_checksum6_rx(self, on: bool) -> Self {
        self.flag(Flags::UDP_ZERO_CSUM6_RX, on)
    }

    /// Whether a checksum that is still to be filled in is left to the remote
    /// (`IFLA_VXLAN_REMCSUM_TX`). Default: no.
    #[must_use]
    pub const fn remote_checksum_tx(self, on: bool) -> Self {
        self.flag(Flags::REMCSUM_TX, on)
    }

    /// Whether packets whose checksum is still to be filled in are understood
    /// (`IFLA_VXLAN_REMCSUM_RX`). Default: no.
    ///
    /// Naming the option, with whatever value, takes its header bits off the reserved ones, as in
    /// Linux.
    #[must_use]
    pub const fn remote_checksum_rx(mut self, on: bool) -> Self {
        self.rco_named = true;
        self.flag(Flags::REMCSUM_RX, on)
    }

    /// Whether a remote checksum is computed on arrival (`IFLA_VXLAN_REMCSUM_NOPARTIAL`).
    /// Default: no, it is passed on as [`ChecksumState::Partial`](crate::ChecksumState::Partial).
    #[must_use]
    pub const fn remote_checksum_nopartial(self, on: bool) -> Self {
        self.flag(Flags::REMCSUM_NOPARTIAL, on)
    }

    /// Whether the group-based policy extension is on (`IFLA_VXLAN_GBP`). Default: no.
    #[must_use]
    pub const fn gbp(self, on: bool) -> Self {
        self.flag(Flags::GBP, on)
    }

    /// Whether the generic protocol extension is on (`IFLA_VXLAN_GPE`): the VXLAN header is
    /// followed by the protocol it names, without an Ethernet header. Needs
    /// [`external`](Self::external), excludes learning. Default: no.
    #[must_use]
    pub const fn gpe(self, on: bool) -> Self {
        self.flag(Flags::GPE, on)
    }

    /// Whether outer headers travel as [`TunnelInfo`](crate::TunnelInfo) beside the frame
    /// (`IFLA_VXLAN_COLLECT_METADATA`, `external`). Default: no.
    #[must_use]
    pub const fn external(self, on: bool) -> Self {
        self.flag(Flags::COLLECT_METADATA, on)
    }

    /// Whether only the VNIs of a list are received (`IFLA_VXLAN_VNIFILTER`), which starts empty: see
    /// [`Device::add_vni`](crate::Device::add_vni). Needs [`external`](Self::external). Default: no.
    #[must_use]
    pub const fn vni_filter(self, on: bool) -> Self {
        self.flag(Flags::VNIFILTER, on)
    }

    /// Whether frames to this host bypass the encapsulation (`IFLA_VXLAN_LOCALBYPASS`). Default:
    /// yes.
    #[must_use]
    pub const fn local_bypass(self, on: bool) -> Self {
        self.flag(Flags::LOCALBYPASS, on)
    }

    /// Whether outer packets to a group go through the host's multicast routing
    /// (`IFLA_VXLAN_MC_ROUTE`); the host acts on it, and Linux does not dump it. Default: no.
    #[must_use]
    pub const fn multicast_route(self, on: bool) -> Self {
        self.flag(Flags::MC_ROUTE, on)
    }

    /// The header bits that make a received packet malformed (`IFLA_VXLAN_RESERVED_BITS`).
    /// Default: all that no enabled feature uses.
    #[must_use]
    pub const fn reserved_bits(mut self, mask: ReservedBits) -> Self {
        self.reserved_bits = Some(mask);
        self
    }

    /// Whose behaviour to follow. Default: [`Compat::LINUX_6`].
    ///
    /// Also sets whether outer IPv4 packets carry a checksum, which the old driver left off; call
    /// [`udp_checksum`](Self::udp_checksum) afterwards to choose yourself.
    #[must_use]
    pub const fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self.flag(Flags::UDP_ZERO_CSUM_TX, !compat.udp_checksum)
    }

    /// The secret for placement and source ports. Default: none, which is fit for tests alone.
    #[must_use]
    pub const fn salt(mut self, salt: Salt) -> Self {
        self.salt = salt;
        self
    }

    /// Whether an MTU that comes with it is checked.
    pub(crate) const fn checks_mtu(&self) -> bool {
        self.compat.check_mtu
    }

    /// The header bits that the features in use claim.
    const fn used_bits(&self) -> u64 {
        let mut used = USED_ALWAYS;
        if self.rco_named {
            used |= USED_BY_RCO;
        }
        if self.flags.contains(Flags::GBP) {
            used |= USED_BY_GBP;
        }
        if self.flags.contains(Flags::GPE) {
            used |= USED_BY_GPE;
        }
        used
    }

    const fn flag(mut self, flag: Flags, on: bool) -> Self {
        self.flags = if on {
            self.flags.union(flag)
        } else {
            self.flags.difference(flag)
        };
        self
    }

    /// Checks the configuration and fills in what follows from it (`vxlan_config_validate()`).
    ///
    /// Whether the lower interface exists and whether another device has the VNI is for the
    /// caller to know.
    ///
    /// # Errors
    /// The first [`ConfigError`] in the kernel's order.
    pub fn validate(self) -> Result<Valid, ConfigError> {
        if self.vni > self.compat.vni_max {
            return Err(ConfigError::VniTooHigh(self.compat.vni_max));
        }
        // With the attributes, before the rest of the configuration (`vxlan_nl2conf()`).
        let used = self.used_bits();
        let reserved_bits = match self.reserved_bits {
            None => ReservedBits::new((!used).to_be_bytes()),
            Some(mask) => {
                let reserved = u64::from_be_bytes(mask.octets());
                if reserved & used != 0 {
                    return Err(ConfigError::ReservedBitsOverlap { used, reserved });
                }
                mask
            }
        };
        if self.flags.contains(Flags::VNIFILTER) && !self.flags.contains(Flags::COLLECT_METADATA) {
            return Err(ConfigError::VniFilterWithoutMetadata);
        }
        self.check(reserved_bits)
    }

    /// What a new device and one that changes have in common.
    fn check(mut self, reserved_bits: ReservedBits) -> Result<Valid, ConfigError> {
        let gpe = self.flags.contains(Flags::GPE);
        let external = self.flags.contains(Flags::COLLECT_METADATA);
        if gpe && !(external && Flags::WITH_GPE.contains(self.flags)) {
            return Err(ConfigError::Gpe);
        }
        let checked = self.compat.check_addresses;
        let (remote, local) = self.addresses();
        if remote.is_ipv4() != local.is_ipv4() {
            return Err(ConfigError::Families);
        }
        if checked && local.is_multicast() {
            return Err(ConfigError::LocalMulticast);
        }
        let mut derived = Flags::empty();
        if let (IpAddr::V6(remote), IpAddr::V6(local)) = (remote, local) {
            derived |= Flags::IPV6;
            // External mode has no addresses of its own to fit.
            if checked && !external {
                derived |= scopes(remote, local)?;
            }
        } else {
            match self.label {
                FlowLabel::Fixed(0) => {}
                FlowLabel::Fixed(_) => return Err(ConfigError::LabelWithoutIpv6),
                FlowLabel::Inherit(0) => return Err(ConfigError::LabelPolicyWithoutIpv6),
                FlowLabel::Inherit(_) => return Err(ConfigError::LabelWithoutIpv6),
            }
        }
        if checked && self.lower.is_none() {
            if remote.is_multicast() {
                return Err(ConfigError::MulticastWithoutLower);
            }
            if derived.contains(Flags::IPV6_LINKLOCAL) {
                return Err(ConfigError::LinkLocalWithoutLower);
            }
        }
        if self.port == 0 {
            self.port = if gpe { PORT_GPE } else { self.compat.port };
        }
        if self.ageing == 0 {
            self.ageing = AGEING_DEFAULT.as_secs() as u32;
        }
        self.flags = (self.flags - (Flags::IPV6 | Flags::IPV6_LINKLOCAL)) | derived;
        Ok(Valid {
            remote,
            local,
            lower: self.lower,
            reserved_bits,
            config: self,
        })
    }
}

/// Whether the scopes of the addresses fit; sets the flag of a link-local device.
fn scopes(remote: Ipv6Addr, local: Ipv6Addr) -> Result<Flags, ConfigError> {
    if local.is_unicast_link_local() {
        let scoped = remote.is_unicast_link_local() || link_local_group(remote);
        if scoped || remote.is_unspecified() {
            Ok(Flags::IPV6_LINKLOCAL)
        } else {
            Err(ConfigError::Scopes)
        }
    } else if remote.is_unicast_link_local() {
        Err(ConfigError::Scopes)
    } else {
        Ok(Flags::empty())
    }
}

/// Link-local scope among IPv6 groups: ff?2::/16.
fn link_local_group(address: Ipv6Addr) -> bool {
    address.is_multicast() && matches!(address.octets(), [_, scope, ..] if scope & 0x0f == 2)
}

/// A configuration that has been checked, with everything filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valid {
    config: Config,
    remote: IpAddr,
    local: IpAddr,
    /// That of the default remote, where `config.lower` is what was named last.
    lower: Option<IfIndex>,
    reserved_bits: ReservedBits,
}

impl Valid {
    /// The device's VNI.
    #[must_use]
    #[inline]
    pub const fn vni(&self) -> Vni {
        self.config.vni
    }

    /// The default remote; unspecified if there is none.
    #[must_use]
    pub const fn remote(&self) -> IpAddr {
        self.remote
    }

    /// The outer source address; unspecified if the route decides. Its family is the device's.
    #[must_use]
    #[inline]
    pub const fn local(&self) -> IpAddr {
        self.local
    }

    /// Whether the outer header is IPv6.
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        self.local.is_ipv6()
    }

    /// The lower interface, which packets to the default remote leave by
    /// (`default_dst.remote_ifindex`).
    #[must_use]
    pub const fn lower(&self) -> Option<IfIndex> {
        self.lower
    }

    /// The only interface that packets may arrive on: that of a link-local device.
    ///
    /// It is the one that was named last (`cfg.remote_ifindex`), which a change may have taken
    /// back; [`lower`](Self::lower) then still is what it was.
    #[must_use]
    #[inline]
    pub const fn arrival(&self) -> Option<IfIndex> {
        if self.config.flags.contains(Flags::IPV6_LINKLOCAL) {
            self.config.lower
        } else {
            None
        }
    }

    /// The interface that was named last, which a remote named from now on leaves by
    /// (`cfg.remote_ifindex`).
    #[must_use]
    pub const fn named_lower(&self) -> Option<IfIndex> {
        self.config.lower
    }

    /// Whether devices with these configurations get in each other's way if they have a VNI in
    /// common: same port, same receive flags, and if this one is link-local the same interface.
    pub(super) fn shares_packets_with(&self, other: &Self) -> bool {
        let mask = Flags::RECEIVE | Flags::IPV6;
        self.port() == other.port()
            && self.flags() & mask == other.flags() & mask
            && (self.arrival().is_none() || self.config.lower == other.config.lower)
    }

    /// The UDP destination port, never zero.
    #[must_use]
    #[inline]
    pub const fn port(&self) -> u16 {
        self.config.port
    }

    /// The source-port range as configured.
    #[must_use]
    pub const fn port_range(&self) -> PortRange {
        self.config.port_range
    }

    /// The source-port range in effect.
    #[must_use]
    #[inline]
    pub const fn source_ports(&self) -> PortRange {
        self.config.port_range.or(self.config.ephemeral)
    }

    /// The outer TTL as configured, zero for automatic.
    #[must_use]
    #[inline]
    pub const fn ttl(&self) -> u8 {
        self.config.ttl
    }

    /// The outer TOS byte as configured.
    #[must_use]
    #[inline]
    pub const fn tos(&self) -> u8 {
        self.config.tos
    }

    /// When fragmentation is forbidden.
    #[must_use]
    #[inline]
    pub const fn df(&self) -> Df {
        self.config.df
    }

    /// The outer flow label.
    #[must_use]
    #[inline]
    pub const fn flow_label(&self) -> FlowLabel {
        self.config.label
    }

    /// All flags, the derived ones included.
    #[must_use]
    #[inline]
    pub const fn flags(&self) -> Flags {
        self.config.flags
    }

    /// How long an entry lives without traffic, never zero.
    #[must_use]
    pub const fn ageing(&self) -> Duration {
        Duration::from_secs(self.config.ageing as u64)
    }

    /// How many entries the FDB may have.
    #[must_use]
    pub const fn limit(&self) -> Option<NonZeroU32> {
        self.config.limit
    }

    /// The header bits that make a packet malformed.
    #[must_use]
    #[inline]
    pub const fn reserved_bits(&self) -> ReservedBits {
        self.reserved_bits
    }

    /// Whose behaviour is followed.
    #[must_use]
    #[inline]
    pub const fn compat(&self) -> &Compat {
        &self.config.compat
    }

    /// The secret.
    #[must_use]
    pub const fn salt(&self) -> Salt {
        self.config.salt
    }

    /// Bytes that the outer headers and the inner Ethernet header add to an inner IP packet: 50
    /// over IPv4, 70 over IPv6, 14 less without inner Ethernet header (`vxlan_headroom()`).
    #[must_use]
    pub const fn headroom(&self) -> u32 {
        let ip = if self.is_ipv6() { 40 } else { 20 };
        let ethernet = if self.is_raw() { 0 } else { 14 };
        ip + 8 + 8 + ethernet
    }

    /// Whether inner packets have no Ethernet header: the generic protocol extension is on.
    #[must_use]
    #[inline]
    pub const fn is_raw(&self) -> bool {
        self.config.flags.contains(Flags::GPE)
    }

    /// Whether outer headers travel beside the frame.
    #[must_use]
    #[inline]
    pub const fn is_external(&self) -> bool {
        self.config.flags.contains(Flags::COLLECT_METADATA)
    }

    /// Whether only the VNIs of a list are received.
    #[must_use]
    #[inline]
    pub const fn has_vni_filter(&self) -> bool {
        self.config.flags.contains(Flags::VNIFILTER)
    }

    /// The MTU of the device: `requested`, or what the lower interface leaves, in bytes of an
    /// inner IP packet. A request beyond what the lower interface can carry is cut
    /// (`vxlan_config_apply()`); the old driver takes it as it is.
    #[must_use]
    pub fn mtu(&self, lower: Option<u32>, requested: Option<u32>) -> u32 {
        let most = match lower {
            Some(lower) => lower.saturating_sub(self.headroom()).max(MTU_MIN),
            None => MTU_MAX,
        };
        match requested {
            Some(mtu) if !self.compat().check_mtu => mtu,
            Some(mtu) => mtu.min(most),
            None if lower.is_some() => most,
            None => MTU_DEFAULT,
        }
    }
}

/// A configuration that no device can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The VNI is above the highest allowed one.
    VniTooHigh(Vni),
    /// Local and remote address are of different families.
    Families,
    /// The local address is a group.
    LocalMulticast,
    /// The scopes of local and remote address do not fit.
    Scopes,
    /// A flow label on an IPv4 device.
    LabelWithoutIpv6,
    /// A flow-label policy on an IPv4 device.
    LabelPolicyWithoutIpv6,
    /// The remote is a group and there is no lower interface.
    MulticastWithoutLower,
    /// The local address is link-local and there is no lower interface.
    LinkLocalWithoutLower,
    /// The reserved bits claim bits that a feature uses. Both as the eight bytes of a header.
    ReservedBitsOverlap {
        /// The bits in use.
        used: u64,
        /// The bits claimed.
        reserved: u64,
    },
    /// A VNI filter without external mode.
    VniFilterWithoutMetadata,
    /// The generic protocol extension without external mode, or with an option that needs inner
    /// Ethernet headers.
    Gpe,
    /// The device's MAC address is a group or all zeros.
    InvalidMac,
    /// The default entry does not fit into the FDB.
    Fdb(crate::fdb::Error),
    /// A change names another VNI.
    VniFixed,
    /// A change names a remote of the other IP version.
    RemoteFamily,
    /// A change names a local address of the other IP version.
    LocalFamily,
}

impl ConfigError {
    /// The error number that Linux returns.
    #[must_use]
    pub fn errno(&self) -> i32 {
        const EINVAL: i32 = 22;
        const ERANGE: i32 = 34;
        const EOPNOTSUPP: i32 = 95;
        const EADDRNOTAVAIL: i32 = 99;
        match self {
            Self::VniTooHigh(_) => ERANGE,
            Self::VniFixed | Self::RemoteFamily | Self::LocalFamily => EOPNOTSUPP,
            Self::InvalidMac => EADDRNOTAVAIL,
            Self::Fdb(error) => error.errno(),
            _ => EINVAL,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VniTooHigh(most) => {
                write!(f, "VXLAN ID must be lower than {}", most.get() + 1)
            }
            Self::Families => f.write_str("Local and remote address must be from the same family"),
            Self::LocalMulticast => f.write_str("Local address cannot be multicast"),
            Self::Scopes => f.write_str("Invalid combination of local and remote address scopes"),
            Self::LabelWithoutIpv6 => {
                f.write_str("Label attribute only applies to IPv6 VXLAN devices")
            }
            Self::LabelPolicyWithoutIpv6 => {
                f.write_str("Label policy only applies to IPv6 VXLAN devices")
            }
            Self::MulticastWithoutLower => {
                f.write_str("Local interface required for multicast remote destination")
            }
            Self::LinkLocalWithoutLower => {
                f.write_str("Local interface required for link-local local/remote addresses")
            }
            Self::ReservedBitsOverlap { used, reserved } => write!(
                f,
                "Used bits {used:#018x} cannot overlap reserved bits {reserved:#018x}"
            ),
            Self::VniFilterWithoutMetadata => {
                f.write_str("vxlan vnifilter only valid in collect metadata mode")
            }
            Self::Gpe => f.write_str("VXLAN GPE does not support this combination of attributes"),
            Self::InvalidMac => f.write_str("Provided Ethernet address is not unicast"),
            Self::Fdb(error) => error.fmt(f),
            Self::VniFixed => f.write_str("Cannot change VNI"),
            Self::RemoteFamily => f.write_str("New group address family does not match old group"),
            Self::LocalFamily => f.write_str("New local address family does not match old"),
        }
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of several faults the kernel names the first one in its order of checks.
    #[test]
    fn the_first_fault_is_named() {
        let v4 = IpAddr::from([192, 0, 2, 1]);
        let group = IpAddr::from([239, 0, 0, 1]);
        let group6 = IpAddr::from([0xff05, 0, 0, 0, 0, 0, 0, 1]);
        let everything = Config::new(Vni::MAX)
            .reserved_bits(ReservedBits::new([0xff; 8]))
            .local(group)
            .remote(group6)
            .flow_label(FlowLabel::Fixed(1));
        let everything = everything.vni_filter(true);
        let mask = everything.clone().reserved_bits(ReservedBits::NONE);
        let filter = mask.clone().vni_filter(false);
        let families = filter.clone().remote(group);
        let local = families.clone().local(v4);
        let label = local.clone().flow_label(FlowLabel::Inherit(0));
        let policy = label.clone().flow_label(FlowLabel::Fixed(0));
        for (config, error) in [
            (
                everything,
                ConfigError::ReservedBitsOverlap {
                    used: USED_ALWAYS,
                    reserved: u64::MAX,
                },
            ),
            (mask, ConfigError::VniFilterWithoutMetadata),
            (filter, ConfigError::Families),
            (families, ConfigError::LocalMulticast),
            (local, ConfigError::LabelWithoutIpv6),
            (label, ConfigError::LabelPolicyWithoutIpv6),
            (policy.clone(), ConfigError::MulticastWithoutLower),
        ] {
            assert_eq!(config.validate().err(), Some(error));
        }
        assert!(policy.lower(IfIndex::new(7)).validate().is_ok());
    }
}
