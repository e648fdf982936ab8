//! Options without a value.

use vxlan_core::Config;

/// An option that is said, or said with `no` before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    /// `IFLA_VXLAN_LEARNING`.
    Learning,
    /// `IFLA_VXLAN_PROXY`.
    Proxy,
    /// `IFLA_VXLAN_RSC`.
    Rsc,
    /// `IFLA_VXLAN_L2MISS`.
    L2Miss,
    /// `IFLA_VXLAN_L3MISS`.
    L3Miss,
    /// `IFLA_VXLAN_COLLECT_METADATA`.
    External,
    /// `IFLA_VXLAN_UDP_CSUM`.
    UdpCsum,
    /// `IFLA_VXLAN_LOCALBYPASS`.
    LocalBypass,
    /// `IFLA_VXLAN_UDP_ZERO_CSUM6_TX`.
    ZeroCsum6Tx,
    /// `IFLA_VXLAN_UDP_ZERO_CSUM6_RX`.
    ZeroCsum6Rx,
    /// `IFLA_VXLAN_REMCSUM_TX`.
    RemCsumTx,
    /// `IFLA_VXLAN_REMCSUM_RX`.
    RemCsumRx,
    /// `IFLA_VXLAN_REMCSUM_NOPARTIAL`, for which `ip` has no word.
    RemCsumNoPartial,
    /// `IFLA_VXLAN_MC_ROUTE`.
    McRoute,
    /// `IFLA_VXLAN_GBP`.
    Gbp,
    /// `IFLA_VXLAN_GPE`.
    Gpe,
    /// `IFLA_VXLAN_VNIFILTER`.
    VniFilter,
}

impl Switch {
    /// All of them.
    pub(crate) const ALL: [Self; 17] = [
        Self::Learning,
        Self::Proxy,
        Self::Rsc,
        Self::L2Miss,
        Self::L3Miss,
        Self::External,
        Self::UdpCsum,
        Self::LocalBypass,
        Self::ZeroCsum6Tx,
        Self::ZeroCsum6Rx,
        Self::RemCsumTx,
        Self::RemCsumRx,
        Self::RemCsumNoPartial,
        Self::McRoute,
        Self::Gbp,
        Self::Gpe,
        Self::VniFilter,
    ];

    /// The word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Proxy => "proxy",
            Self::Rsc => "rsc",
            Self::L2Miss => "l2miss",
            Self::L3Miss => "l3miss",
            Self::External => "external",
            Self::UdpCsum => "udpcsum",
            Self::LocalBypass => "localbypass",
            Self::ZeroCsum6Tx => "udp6zerocsumtx",
            Self::ZeroCsum6Rx => "udp6zerocsumrx",
            Self::RemCsumTx => "remcsumtx",
            Self::RemCsumRx => "remcsumrx",
            Self::RemCsumNoPartial => "remcsumnopartial",
            Self::McRoute => "mcroute",
            Self::Gbp => "gbp",
            Self::Gpe => "gpe",
            Self::VniFilter => "vnifilter",
        }
    }

    /// The switch of a word, and whether it is on.
    pub(super) fn named(word: &str) -> Option<(Self, bool)> {
        let find = |name: &str| Self::ALL.into_iter().find(|switch| switch.name() == name);
        match find(word) {
            Some(switch) => Some((switch, true)),
            None => {
                let switch = find(word.strip_prefix("no")?)?;
                // Presence is all that these attributes can say.
                let flag = matches!(switch, Self::Gbp | Self::Gpe | Self::RemCsumNoPartial);
                (!flag).then_some((switch, false))
            }
        }
    }

    /// Whether a device can have it.
    pub(super) const fn is_supported(self) -> bool {
        // Behind a TAP interface there are Ethernet frames.
        !matches!(self, Self::Gpe)
    }

    /// Switches it in a configuration.
    pub(super) const fn set(self, config: Config, on: bool) -> Config {
        match self {
            Self::Learning => config.learning(on),
            Self::Proxy => config.proxy(on),
            Self::Rsc => config.route_short_circuit(on),
            Self::L2Miss => config.l2miss(on),
            Self::L3Miss => config.l3miss(on),
            Self::External => config.external(on),
            Self::UdpCsum => config.udp_checksum(on),
            Self::LocalBypass => config.local_bypass(on),
            Self::ZeroCsum6Tx => config.udp_zero_checksum6_tx(on),
            Self::ZeroCsum6Rx => config.udp_zero_checksum6_rx(on),
            Self::RemCsumTx => config.remote_checksum_tx(on),
            Self::RemCsumRx => config.remote_checksum_rx(on),
            Self::RemCsumNoPartial => config.remote_checksum_nopartial(on),
            Self::McRoute => config.multicast_route(on),
            Self::Gbp => config.gbp(on),
            Self::Gpe => config.gpe(on),
            Self::VniFilter => config.vni_filter(on),
        }
    }
}
