//! A recorded vector as it stands in its file. A field that is not listed here is an error.

use core::fmt::Display;
use core::net::IpAddr;
use core::str::FromStr;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};
use vxlan_core::Mac;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) group: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    title: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    kernel: String,
    pub(crate) config: Option<Attributes>,
    pub(crate) device_mac: String,
    pub(crate) device_mtu: Option<u32>,
    /// Whether an IPv6 neighbour table exists on `vx0`.
    #[serde(default)]
    pub(crate) device_ipv6: bool,
    #[serde(default = "yes")]
    pub(crate) device_up: bool,
    #[serde(default)]
    pub(crate) other_devices: Vec<OtherDevice>,
    pub(crate) lower: Lower,
    pub(crate) lower2: Option<Lower>,
    #[serde(default)]
    pub(crate) routes: Vec<StaticRoute>,
    #[serde(default)]
    pub(crate) late_routes: Vec<StaticRoute>,
    #[serde(default)]
    pub(crate) sysctl: BTreeMap<String, Value>,
    pub(crate) bridge: Option<Bridge>,
    #[serde(default)]
    pub(crate) nexthops: Vec<Nexthop>,
    #[serde(default)]
    pub(crate) vnis: Vec<VniRange>,
    #[serde(default)]
    pub(crate) fdb: Vec<FdbRequest>,
    #[serde(default)]
    pub(crate) neighbours: Vec<Neighbour>,
    #[serde(default)]
    pub(crate) mdb: Vec<MdbRequest>,
    #[serde(default)]
    pub(crate) memberships: bool,
    pub(crate) steps: Vec<Step>,
    pub(crate) sport: Option<SourcePorts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherDevice {
    pub(crate) name: String,
    pub(crate) ifindex: u32,
    pub(crate) mac: String,
    pub(crate) config: Attributes,
    pub(crate) mtu: Option<u32>,
    #[serde(default = "yes")]
    pub(crate) up: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lower {
    pub(crate) ifindex: u32,
    #[serde(deserialize_with = "text")]
    pub(crate) mac: Mac,
    /// The MAC address of the other end; `neighbours` says what is used.
    #[expect(dead_code, reason = "for the reader of the file")]
    peer_mac: String,
    pub(crate) mtu: u32,
    #[serde(deserialize_with = "texts")]
    pub(crate) addrs: Vec<Prefix>,
    pub(crate) neighbours: Vec<NextHop>,
    #[serde(default = "yes")]
    pub(crate) ipv6: bool,
}

/// A static entry of the lower device's neighbour table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextHop {
    pub(crate) ip: IpAddr,
    #[serde(deserialize_with = "text")]
    pub(crate) mac: Mac,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaticRoute {
    #[serde(deserialize_with = "text")]
    pub(crate) dst: Prefix,
    pub(crate) via: Option<IpAddr>,
    #[serde(default = "ten")]
    pub(crate) dev: u32,
    #[serde(default = "one", rename = "type")]
    pub(crate) kind: u8,
    pub(crate) mtu: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bridge {
    #[expect(dead_code, reason = "the bridge's own address shows nowhere")]
    mac: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nexthop {
    pub(crate) id: u32,
    pub(crate) via: Option<IpAddr>,
    pub(crate) group: Option<Vec<u32>>,
}

/// A multicast entry of `vx0`, or a request about one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MdbRequest {
    pub(crate) op: Option<String>,
    pub(crate) group: IpAddr,
    pub(crate) dst: Option<IpAddr>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) vni: Option<u32>,
}

/// A neighbour of `vx0`, for devices that answer ARP and ND themselves.
#[derive(Debug, Deserialize)]
pub(crate) struct Neighbour {
    pub(crate) ip: IpAddr,
    #[serde(default, deserialize_with = "maybe_text")]
    pub(crate) mac: Option<Mac>,
    #[serde(default = "permanent")]
    pub(crate) state: u16,
    #[serde(default)]
    pub(crate) flags: u8,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NeighbourRequest {
    pub(crate) op: String,
    #[serde(flatten)]
    pub(crate) entry: Neighbour,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourcePorts {
    pub(crate) min: u16,
    pub(crate) max: u16,
    #[expect(dead_code, reason = "they follow from a secret")]
    observed: Vec<u16>,
    #[serde(default)]
    pub(crate) same_flow: Vec<Vec<usize>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) input: Input,
    pub(crate) expect: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "direction", rename_all = "lowercase")]
pub(crate) enum Input {
    Tx(Transmit),
    Rx(Receive),
    Fdb(FdbRequest),
    Neigh(NeighbourRequest),
    Vni(VniRequest),
    Mdb(MdbRequest),
    Create(Create),
    Link(LinkRequest),
    Sleep(Sleep),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transmit {
    #[serde(deserialize_with = "hex")]
    pub(crate) frame: Vec<u8>,
    pub(crate) device: Option<String>,
    #[serde(default)]
    pub(crate) mark: u32,
    pub(crate) checksum_partial: Option<Partial>,
    pub(crate) protocol: Option<u32>,
    pub(crate) tunnel_key: Option<TunnelKey>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TunnelKey {
    pub(crate) vni: u32,
    pub(crate) remote: IpAddr,
    pub(crate) local: Option<IpAddr>,
    #[serde(default)]
    pub(crate) tos: u8,
    #[serde(default)]
    pub(crate) ttl: u8,
    #[serde(default)]
    pub(crate) label: u32,
    #[serde(default)]
    pub(crate) df: u8,
    #[serde(default)]
    pub(crate) zero_csum: u8,
    pub(crate) gbp: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Partial {
    pub(crate) csum_start: u16,
    pub(crate) csum_offset: u16,
    pub(crate) gso_type: Option<u32>,
    pub(crate) gso_size: Option<u32>,
    #[expect(dead_code, reason = "the data offset decides")]
    hdr_len: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receive {
    #[serde(deserialize_with = "hex")]
    pub(crate) frame: Vec<u8>,
    #[serde(default = "ten")]
    pub(crate) ifindex: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FdbRequest {
    pub(crate) op: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) mac: Option<String>,
    pub(crate) dst: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) vni: Option<u32>,
    pub(crate) ifindex: Option<u32>,
    pub(crate) src_vni: Option<u32>,
    pub(crate) nh_id: Option<u32>,
    pub(crate) vlan: Option<u16>,
    pub(crate) state: Option<u16>,
    pub(crate) flags: Option<u8>,
    pub(crate) state_mask: Option<u16>,
    pub(crate) flags_mask: Option<u8>,
    #[serde(default)]
    pub(crate) raw: Vec<Raw>,
}

/// A netlink attribute sent as it is.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) number: u16,
    pub(crate) payload: Vec<u8>,
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (number, payload) = <(u16, String)>::deserialize(from)?;
        Ok(Self {
            number,
            payload: bytes(&payload).map_err(D::Error::custom)?,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    #[serde(default = "vx0")]
    pub(crate) name: String,
    #[serde(default = "twenty")]
    pub(crate) ifindex: u32,
    pub(crate) config: Option<Attributes>,
    pub(crate) mac: Option<String>,
    pub(crate) mtu: Option<u32>,
    #[serde(default)]
    pub(crate) up: bool,
    #[serde(default)]
    pub(crate) link_raw: Vec<Raw>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRequest {
    pub(crate) op: String,
    #[serde(default = "vx0")]
    pub(crate) device: String,
    pub(crate) mtu: Option<u32>,
    pub(crate) mac: Option<String>,
    pub(crate) config: Option<Attributes>,
}

/// A VNI filter's entry as the set-up names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VniRange {
    pub(crate) start: Option<u32>,
    pub(crate) end: Option<u32>,
    pub(crate) group: Option<IpAddr>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VniRequest {
    pub(crate) op: String,
    #[serde(default = "vx0")]
    pub(crate) device: String,
    pub(crate) start: Option<u32>,
    pub(crate) end: Option<u32>,
    pub(crate) group: Option<IpAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sleep {
    pub(crate) ms: u64,
}

/// The type-specific attributes of a link request, `IFLA_VXLAN_*` in lower case.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attributes {
    pub(crate) id: Option<u32>,
    pub(crate) group: Option<IpAddr>,
    pub(crate) group6: Option<IpAddr>,
    pub(crate) link: Option<u32>,
    pub(crate) local: Option<IpAddr>,
    pub(crate) local6: Option<IpAddr>,
    pub(crate) ttl: Option<u8>,
    pub(crate) ttl_inherit: Option<u8>,
    pub(crate) tos: Option<u8>,
    pub(crate) df: Option<u8>,
    pub(crate) label: Option<u32>,
    pub(crate) label_policy: Option<u32>,
    pub(crate) learning: Option<u8>,
    pub(crate) ageing: Option<u32>,
    pub(crate) limit: Option<u32>,
    pub(crate) port_range: Option<[u16; 2]>,
    pub(crate) port: Option<u16>,
    pub(crate) proxy: Option<u8>,
    pub(crate) rsc: Option<u8>,
    pub(crate) l2miss: Option<u8>,
    pub(crate) l3miss: Option<u8>,
    pub(crate) collect_metadata: Option<u8>,
    pub(crate) udp_csum: Option<u8>,
    pub(crate) udp_zero_csum6_tx: Option<u8>,
    pub(crate) udp_zero_csum6_rx: Option<u8>,
    pub(crate) remcsum_tx: Option<u8>,
    pub(crate) remcsum_rx: Option<u8>,
    pub(crate) remcsum_nopartial: Option<u8>,
    pub(crate) gbp: Option<u8>,
    pub(crate) gpe: Option<u8>,
    pub(crate) vnifilter: Option<u8>,
    pub(crate) localbypass: Option<u8>,
    pub(crate) mc_route: Option<u8>,
    pub(crate) reserved_bits: Option<String>,
    #[serde(default)]
    pub(crate) raw: Vec<Raw>,
}

/// An address with the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) addr: IpAddr,
    pub(crate) len: u8,
}

impl Prefix {
    fn bits(addr: IpAddr) -> (u128, u32) {
        match addr {
            IpAddr::V4(addr) => (u128::from(addr.to_bits()), 32),
            IpAddr::V6(addr) => (addr.to_bits(), 128),
        }
    }

    /// Whether `addr` is one of its addresses.
    pub(crate) fn holds(self, addr: IpAddr) -> bool {
        let ((mine, width), (other, same)) = (Self::bits(self.addr), Self::bits(addr));
        let host = width - u32::from(self.len);
        let network = |bits: u128| bits.checked_shr(host).unwrap_or(0);
        width == same && network(mine) == network(other)
    }

    /// The broadcast address of an IPv4 prefix.
    pub(crate) fn broadcast(self) -> Option<IpAddr> {
        match self.addr {
            IpAddr::V4(addr) if self.len < 31 => {
                let host = u32::MAX.checked_shr(self.len.into()).unwrap_or(0);
                Some(IpAddr::V4((addr.to_bits() | host).into()))
            }
            _ => None,
        }
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (addr, len) = text.split_once('/').ok_or("no prefix length")?;
        let addr: IpAddr = addr.parse().map_err(|_| "no address")?;
        let len = len.parse().map_err(|_| "no prefix length")?;
        if len > if addr.is_ipv4() { 32 } else { 128 } {
            return Err("prefix too long".into());
        }
        Ok(Self { addr, len })
    }
}

fn yes() -> bool {
    true
}

fn one() -> u8 {
    1
}

fn ten() -> u32 {
    10
}

fn permanent() -> u16 {
    128
}

fn twenty() -> u32 {
    20
}

fn vx0() -> String {
    "vx0".into()
}

fn text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<T, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

fn maybe_text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

fn texts<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<Vec<T>, D::Error> {
    Vec::<String>::deserialize(from)?
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom))
        .collect()
}

fn hex<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    bytes(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Bytes from hex digits.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return Err(format!("not hex: {text}"));
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| format!("not hex: {text}")))
        .collect()
}

/// The octets of a link-layer address of any length.
pub(crate) fn link_address(text: &str) -> Result<Vec<u8>, String> {
    text.split(':')
        .map(|octet| u8::from_str_radix(octet, 16).map_err(|_| format!("no MAC address: {text}")))
        .collect()
}

/// Bytes as hex digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
