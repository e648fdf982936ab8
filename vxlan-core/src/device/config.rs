//! What a device is told once and then trusts.

mod addresses;
mod builder;
mod change;
mod error;
mod flags;
mod limits;
mod valid;
mod validate;

use core::net::IpAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use crate::wire::vxlan::ReservedBits;
use crate::{Compat, IfIndex, PortRange, Salt, Vni};

pub use change::ConfigChange;
pub use error::ConfigError;
pub use flags::{Df, Flags, FlowLabel};
pub use limits::{LearnRate, MoveDamping, Unlearned};

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
    limits: limits::Limits,
    reserved_bits: Option<ReservedBits>,
    compat: Compat,
    salt: Salt,
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
