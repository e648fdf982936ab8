//! From attributes to the configuration of a new device (`vxlan_nl2conf()`).

use core::num::NonZeroU32;
use core::time::Duration;

use super::{Request, invalid, number};
use crate::netlink::Error;
use crate::wire::vxlan::ReservedBits;
use crate::{Config, ConfigError, FlowLabel, Mac, PortRange, Vni};

/// A device that is asked for, for [`World::create`](crate::World::create) or
/// [`Device::new`](crate::Device::new).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct New {
    /// Its configuration, not yet [validated](Config::validate) as a whole.
    pub config: Config,
    /// The MAC address that is asked for.
    pub mac: Option<Mac>,
    /// The MTU that is asked for, in bytes of an inner IP packet.
    pub mtu: Option<u32>,
}

impl Request<'_> {
    /// The device that is asked for.
    ///
    /// Salt, ephemeral ports and whatever else the host adds are for the caller to set.
    ///
    /// # Errors
    /// Reserved bits that are in use, then a VNI filter without external mode.
    pub fn new_device(&self) -> Result<New, Error> {
        if self.compat.vni_required && self.data.get(number::ID).is_none() {
            return Err(Error::bare(crate::Errno::EINVAL));
        }
        let config = self.config()?;
        // Both come before what `Config::validate` looks at.
        if let Err(
            error @ (ConfigError::ReservedBitsOverlap { .. }
            | ConfigError::VniFilterWithoutMetadata),
        ) = config.clone().validate()
        {
            return Err(error.into());
        }
        Ok(New {
            config,
            mac: self.mac,
            mtu: self.mtu,
        })
    }

    fn config(&self) -> Result<Config, Error> {
        let on = |number| self.on(number).unwrap_or(false);
        let has = |number| self.data.has(number);
        let number = |number| self.data.number(number).unwrap_or(0);
        let label = self.label().unwrap_or(0);
        let mut config = Config::new(self.vni()?.unwrap_or(Vni::MIN))
            .compat(self.compat)
            .lower(self.lower().flatten())
            .tos(self.data.byte(number::TOS).unwrap_or(0))
            .ttl(self.data.byte(number::TTL).unwrap_or(0))
            .ttl_inherit(has(number::TTL_INHERIT))
            .flow_label(match number(number::LABEL_POLICY) {
                0 => FlowLabel::Fixed(label),
                _ => FlowLabel::Inherit(label),
            })
            .learning(self.on(number::LEARNING).unwrap_or(true))
            .ageing(Duration::from_secs(number(number::AGEING).into()))
            .proxy(on(number::PROXY))
            .route_short_circuit(on(number::RSC))
            .l2miss(on(number::L2MISS))
            .l3miss(on(number::L3MISS))
            .limit(NonZeroU32::new(number(number::LIMIT)))
            .external(on(number::COLLECT_METADATA))
            .local_bypass(self.on(number::LOCALBYPASS).unwrap_or(true))
            .udp_zero_checksum6_tx(on(number::UDP_ZERO_CSUM6_TX))
            .udp_zero_checksum6_rx(on(number::UDP_ZERO_CSUM6_RX))
            .remote_checksum_tx(on(number::REMCSUM_TX))
            .gbp(has(number::GBP))
            .gpe(has(number::GPE))
            .remote_checksum_nopartial(has(number::REMCSUM_NOPARTIAL))
            .multicast_route(on(number::MC_ROUTE))
            .df(self.df().unwrap_or_default())
            .vni_filter(on(number::VNIFILTER));
        if let Some(remote) = self.remote() {
            config = config.remote(remote);
        }
        if let Some(local) = self.local() {
            config = config.local(local);
        }
        if let Some((low, high)) = self.port_range() {
            let range = PortRange::new(low, high);
            config = config.port_range(range.ok_or(invalid("Invalid source port range"))?);
        }
        if let Some(port) = self.data.chunk(number::PORT) {
            config = config.port(u16::from_be_bytes(port));
        }
        if let Some(checksum) = self.on(number::UDP_CSUM) {
            config = config.udp_checksum(checksum);
        }
        // Its mere presence makes its bits used ones.
        if let Some(receive) = self.on(number::REMCSUM_RX) {
            config = config.remote_checksum_rx(receive);
        }
        if let Some(mask) = self.data.chunk(number::RESERVED_BITS) {
            config = config.reserved_bits(ReservedBits::new(mask));
        }
        Ok(config)
    }
}
