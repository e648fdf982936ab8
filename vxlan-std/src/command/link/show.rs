//! `vtep link show`: devices as `ip link` prints those of the kernel.

use core::fmt::Write;
use std::fs;

use vxlan_core::device::{MTU_MAX, MTU_MIN};
use vxlan_core::{Device, Stats};
use vxlan_std::{Memory, interface};

use super::super::json::{Array, Json};
use super::super::netlink::{LinkState, Netlink};
use super::super::options::Options;
use super::super::refusal::{BRIDGE, IP, NO_DEVICE, Refusal};
use super::super::run::{Devices, Link};
use super::super::words::LinkFilter;
use super::{data, flags, stats};

/// What a kernel device reports about queues and segments: the names in text and JSON. Nothing
/// here changes them, but a lower interface brings its own.
fn limits(lower: Option<&LinkState>) -> [(&'static str, &'static str, u32); 7] {
    let (size, segments) = lower.map_or((65536, 65535), |lower| {
        (lower.tso_max_size, lower.tso_max_segs)
    });
    [
        ("numtxqueues", "num_tx_queues", 1),
        ("numrxqueues", "num_rx_queues", 1),
        ("gso_max_size", "gso_max_size", 65536),
        ("gso_max_segs", "gso_max_segs", 65535),
        ("tso_max_size", "tso_max_size", size),
        ("tso_max_segs", "tso_max_segs", segments),
        ("gro_max_size", "gro_max_size", 65536),
    ]
}

/// A device to be shown.
#[derive(Debug)]
pub(crate) struct Shown<'d> {
    link: &'d Link,
    device: &'d Device<Memory>,
    stats: &'d Stats,
    state: LinkState,
    lower: Option<LinkState>,
    /// It is going.
    gone: bool,
}

/// The devices that meet a filter.
pub(super) fn show(
    devices: &Devices,
    options: Options,
    filter: &LinkFilter,
) -> Result<String, Refusal> {
    if let Some(name) = filter
        .name
        .as_ref()
        .filter(|name| devices.named(name).is_none())
    {
        let text = format!("Device \"{name}\" does not exist.");
        return Err(Refusal::said(NO_DEVICE, text));
    }
    let master = match &filter.master {
        None => None,
        Some(name) => {
            let text = format!("Error: argument \"{name}\" is wrong: Device does not exist");
            let missing = || Refusal::said(BRIDGE, text);
            Some(interface::index(name).ok_or_else(missing)?)
        }
    };
    let failed = |error: std::io::Error| Refusal::errno(IP, error.raw_os_error().unwrap_or(5));
    let mut netlink = Netlink::open(0).map_err(failed)?;
    let mut out = String::new();
    let mut array = options.json.then(|| Array::start(&mut out, options.pretty));
    for link in &devices.taps.links {
        if filter
            .name
            .as_ref()
            .is_some_and(|name| name != link.tap.name())
        {
            continue;
        }
        // Somebody may have removed it just now.
        let Some(shown) = Shown::new(devices, link, &mut netlink) else {
            continue;
        };
        let state = &shown.state;
        if (filter.up && !state.is_up()) || (master.is_some() && state.master != master) {
            continue;
        }
        match &mut array {
            Some(array) => array.push(&mut out, &Json::Object(shown.fields(options))),
            // Writing to a string cannot fail.
            None => drop(shown.text(&mut out, options, true)),
        }
    }
    if let Some(array) = array {
        array.end(&mut out);
    }
    Ok(out)
}

impl<'d> Shown<'d> {
    /// The device of a link as it is now.
    pub(crate) fn new(devices: &'d Devices, link: &'d Link, host: &mut Netlink) -> Option<Self> {
        let device = devices.vtep.device(link.id)?;
        let lower = device.config().lower();
        Some(Self {
            link,
            device,
            stats: devices.vtep.stats(link.id)?,
            state: LinkState::of(host, link.tap.ifindex()).ok()?,
            lower: lower.and_then(|lower| LinkState::of(host, lower).ok()),
            gone: false,
        })
    }

    /// The same as it was told last, when its interface is gone.
    pub(crate) fn gone(devices: &'d Devices, link: &'d Link) -> Option<Self> {
        Some(Self {
            link,
            device: devices.vtep.device(link.id)?,
            stats: devices.vtep.stats(link.id)?,
            state: link.told.clone()?,
            lower: None,
            gone: true,
        })
    }

    /// The state of its interface.
    pub(crate) const fn state(&self) -> &LinkState {
        &self.state
    }

    /// The same, about to go.
    pub(crate) fn going(self) -> Self {
        Self { gone: true, ..self }
    }

    /// What a monitor tells about it.
    pub(crate) fn event(&self, options: Options) -> String {
        if options.json {
            let mut fields = Vec::new();
            if self.gone {
                fields.push(("deleted", true.into()));
            }
            fields.extend(self.fields(options));
            return Json::Object(fields).line() + "\n";
        }
        let mut out = String::from(if self.gone { "Deleted " } else { "" });
        // Writing to a string cannot fail.
        let _ = self.text(&mut out, options, false);
        out
    }

    /// A device without queues reports one of these.
    const fn discipline(&self) -> &'static str {
        if self.link.opened && !self.gone {
            "noqueue"
        } else {
            "noop"
        }
    }

    /// A monitor does not tell all of it.
    fn text(&self, out: &mut String, options: Options, all: bool) -> core::fmt::Result {
        let state = &self.state;
        write!(
            out,
            "{}: {}: <{}> mtu {} qdisc {} ",
            state.index,
            state.name,
            flags::names(state.flags).join(","),
            state.mtu,
            self.discipline()
        )?;
        if let Some(master) = state.master {
            write!(out, "master {} ", interface::name(master))?;
        }
        write!(out, "state {} ", flags::operstate(state.operstate))?;
        if all {
            write!(out, "mode {} ", flags::mode(state.linkmode))?;
        }
        write!(out, "group default ")?;
        if all {
            write!(out, "qlen {}", state.queue_len)?;
        }
        writeln!(out)?;
        write!(out, "    link/ether {} brd ff:ff:ff:ff:ff:ff", state.mac)?;
        if options.details {
            write!(
                out,
                " promiscuity {}  allmulti {} minmtu {MTU_MIN} maxmtu {MTU_MAX} \n    vxlan {}",
                state.promiscuity,
                state.allmulti,
                data::text(self.device.config())
            )?;
            if all {
                write!(out, "addrgenmode {} ", address_mode(&state.name))?;
            }
            for (name, _, value) in limits(self.lower.as_ref()) {
                write!(out, "{name} {value} ")?;
            }
        }
        writeln!(out)?;
        if options.stats > 0 {
            out.push_str(&stats::text(self.stats, options.stats > 1));
        }
        Ok(())
    }

    fn fields(&self, options: Options) -> Vec<(&'static str, Json)> {
        let state = &self.state;
        let mut fields = vec![
            ("ifindex", state.index.into()),
            ("ifname", state.name.clone().into()),
            ("flags", Json::words(flags::names(state.flags))),
            ("mtu", state.mtu.into()),
            ("qdisc", self.discipline().into()),
        ];
        if let Some(master) = state.master {
            fields.push(("master", interface::name(master).into()));
        }
        fields.extend([
            ("operstate", flags::operstate(state.operstate).into()),
            ("linkmode", flags::mode(state.linkmode).into()),
            ("group", "default".into()),
            ("txqlen", state.queue_len.into()),
            ("link_type", "ether".into()),
            ("address", state.mac.to_string().into()),
            ("broadcast", "ff:ff:ff:ff:ff:ff".into()),
        ]);
        if options.details {
            let info = vec![
                ("info_kind", "vxlan".into()),
                ("info_data", data::json(self.device.config())),
            ];
            fields.extend([
                ("promiscuity", state.promiscuity.into()),
                ("allmulti", state.allmulti.into()),
                ("min_mtu", MTU_MIN.into()),
                ("max_mtu", MTU_MAX.into()),
                ("linkinfo", Json::Object(info)),
                ("inet6_addr_gen_mode", address_mode(&state.name).into()),
            ]);
            let limits = limits(self.lower.as_ref());
            fields.extend(limits.map(|(_, key, value)| (key, value.into())));
        }
        if options.stats > 0 {
            fields.push(("stats64", stats::json(self.stats, options.stats > 1)));
        }
        fields
    }
}

/// How the interface makes its IPv6 addresses.
fn address_mode(name: &str) -> &'static str {
    let path = format!("/proc/sys/net/ipv6/conf/{name}/addr_gen_mode");
    let mode = fs::read_to_string(path).unwrap_or_default();
    match mode.trim() {
        "1" => "none",
        "2" => "stable_secret",
        "3" => "random",
        _ => "eui64",
    }
}
