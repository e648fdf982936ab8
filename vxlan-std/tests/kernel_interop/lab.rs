//! Hosts in network namespaces on one wire, all removed with the [`Lab`].

use crate::runner::Skip;
use crate::wire::Wire;
use nix::sched::{CloneFlags, setns};
use std::env;
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::panic;
use std::path::Path;
use std::process::Command;
use std::thread;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

/// The name of every host's interface to the underlay.
pub(crate) const UNDERLAY: &str = "underlay";

/// The family of the underlay's addresses. The overlay always has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Some hosts and the wire between them.
pub(crate) struct Lab {
    pub(crate) family: Family,
    /// The largest packet on the wire, in bytes from the outer IP header on.
    pub(crate) mtu: u16,
    pub(crate) hosts: Vec<Host>,
    pub(crate) wire: Wire,
}

/// What a device has counted (`struct rtnl_link_stats64`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    pub(crate) rx_packets: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) rx_errors: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) tx_dropped: u64,
    pub(crate) tx_errors: u64,
}

/// One network namespace with an address on the underlay.
pub(crate) struct Host {
    namespace: String,
    /// From 1; the last number of the host's addresses, overlay MAC included.
    pub(crate) number: u8,
    pub(crate) underlay: IpAddr,
}

impl Lab {
    /// `hosts` hosts on a wire of 1,500 bytes, in namespaces named after `test`.
    pub(crate) fn new(test: &str, family: Family, hosts: u8) -> Self {
        Self::with_mtu(test, family, hosts, 1500)
    }

    /// As [`Self::new`] on a wire of 9,000 bytes.
    pub(crate) fn jumbo(test: &str, family: Family, hosts: u8) -> Self {
        Self::with_mtu(test, family, hosts, 9000)
    }

    /// Two hosts on a pair of veth devices, where the wire sees nothing.
    pub(crate) fn veth(test: &str, family: Family) -> Self {
        let hosts = [1, 2].map(|number| Host::new(test, family, number));
        let [one, other] = [&hosts[0], &hosts[1]].map(|host| &host.namespace);
        let veth =
            format!("link add {UNDERLAY} netns {one} type veth peer name {UNDERLAY} netns {other}");
        command("ip", &veth).expect("a pair of veth devices");
        for host in &hosts {
            host.add_address(UNDERLAY, host.underlay);
        }
        introduce(&hosts);
        Self {
            family,
            mtu: 1500,
            hosts: hosts.into(),
            wire: Wire::new(Vec::new()),
        }
    }

    fn with_mtu(test: &str, family: Family, hosts: u8, mtu: u16) -> Self {
        // Hosts first: should a later step fail, dropping them removes the namespaces.
        let hosts: Vec<Host> = (1..=hosts)
            .map(|number| Host::new(test, family, number))
            .collect();
        let wire = Wire::new(hosts.iter().map(|host| host.plug_in(mtu)).collect());
        introduce(&hosts);
        Self {
            family,
            mtu,
            hosts,
            wire,
        }
    }

    /// The first two hosts.
    pub(crate) fn pair(&self) -> (&Host, &Host) {
        (&self.hosts[0], &self.hosts[1])
    }

    /// The largest packet on the overlay: outer IP, UDP, VXLAN and inner Ethernet header less.
    pub(crate) fn overlay_mtu(&self) -> u16 {
        match self.family {
            Family::V4 => self.mtu - 50,
            Family::V6 => self.mtu - 70,
        }
    }
}

impl Host {
    fn new(test: &str, family: Family, number: u8) -> Self {
        let letter = char::from(b'a' + number - 1);
        let namespace = format!("vxi-{}-{letter}", test.replace('_', "-"));
        // Left by a run that was killed.
        let _ = command("ip", &format!("netns del {namespace}"));
        command("ip", &format!("netns add {namespace}")).expect("a new network namespace");
        let host = Self {
            namespace,
            number,
            underlay: match family {
                Family::V4 => Ipv4Addr::new(192, 0, 2, number).into(),
                Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()).into(),
            },
        };
        host.within(|| {
            // Silence: no duplicate address detection, no router solicitation, no link-local
            // address. What is then on the wire is what a test put there.
            for (setting, value) in [
                ("accept_dad", "0"),
                ("router_solicitations", "0"),
                ("addr_gen_mode", "1"),
            ] {
                let path = format!("/proc/sys/net/ipv6/conf/default/{setting}");
                fs::write(&path, value).expect(&path);
            }
        });
        host.ip("link set dev lo up");
        host
    }

    /// Brings the interface to the underlay up and returns the other end of it.
    fn plug_in(&self, mtu: u16) -> SyncDevice {
        let port = self.within(|| {
            DeviceBuilder::new()
                .name(UNDERLAY)
                .layer(Layer::L2)
                .mtu(mtu)
                .build_sync()
                .expect("a TAP device for the underlay")
        });
        self.add_address(UNDERLAY, self.underlay);
        port
    }

    /// Does something in this namespace. What was opened there stays there.
    pub(crate) fn within<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        let name = thread::current().name().unwrap_or("?").to_owned();
        thread::scope(|scope| {
            let thread = thread::Builder::new().name(name);
            let result = thread.spawn_scoped(scope, || {
                let path = Path::new("/run/netns").join(&self.namespace);
                let namespace = File::open(path).expect("the namespace");
                setns(namespace, CloneFlags::CLONE_NEWNET).expect("to enter the namespace");
                action()
            });
            let result = result.expect("a thread for the namespace").join();
            result.unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    }

    /// `program` in this namespace, with `/sys` of its own.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, program]);
        command
    }

    /// Runs `ip` with `arguments` (split at spaces) in this namespace.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        self.try_ip(arguments)
            .unwrap_or_else(|error| panic!("ip {arguments}: {error}"))
    }

    /// As [`Self::ip`]; what it said on standard error when it fails.
    pub(crate) fn try_ip(&self, arguments: &str) -> Result<String, String> {
        command("ip", &format!("-n {} {arguments}", self.namespace))
    }

    /// Runs `bridge` with `arguments` (split at spaces) in this namespace.
    pub(crate) fn bridge(&self, arguments: &str) -> String {
        command("bridge", &format!("-n {} {arguments}", self.namespace))
            .unwrap_or_else(|error| panic!("bridge {arguments}: {error}"))
    }

    /// Its place among the hosts of the lab, from 0.
    pub(crate) fn place(&self) -> usize {
        usize::from(self.number - 1)
    }

    /// This host's address in the overlay network `network`.
    pub(crate) fn overlay(&self, family: Family, network: u8) -> IpAddr {
        match family {
            Family::V4 => Ipv4Addr::new(198, 18, network, self.number).into(),
            Family::V6 => {
                let (network, number) = (network.into(), self.number.into());
                Ipv6Addr::new(0x2001, 0xdb8, 1, network, 0, 0, 0, number).into()
            }
        }
    }

    /// This host's MAC address in the overlay.
    pub(crate) fn mac(&self) -> String {
        format!("02:00:00:00:00:{:02x}", self.number)
    }

    /// Gives an overlay device this host's addresses in `network`.
    pub(crate) fn join_overlay(&self, device: &str, network: u8) {
        for family in [Family::V4, Family::V6] {
            self.add_address(device, self.overlay(family, network));
        }
    }

    /// Adds `address` to `device`, with the network all hosts share.
    pub(crate) fn add_address(&self, device: &str, address: IpAddr) {
        match address {
            IpAddr::V4(_) => self.ip(&format!("address add {address}/24 dev {device}")),
            IpAddr::V6(_) => self.ip(&format!("address add {address}/64 dev {device} nodad")),
        };
        self.ip(&format!("link set dev {device} up"));
    }

    /// The MAC address of `device`.
    fn link_address(&self, device: &str) -> String {
        let line = self.ip(&format!("-o link show dev {device}"));
        let (_, rest) = line.split_once(" link/ether ").expect("an Ethernet device");
        rest.split(' ').next().unwrap_or_default().to_owned()
    }

    /// The MTU of `device`, if there is such a device.
    pub(crate) fn mtu(&self, device: &str) -> Option<u16> {
        let line = self.try_ip(&format!("-o link show dev {device}")).ok()?;
        let (_, rest) = line.split_once(" mtu ")?;
        rest.split(' ').next()?.parse().ok()
    }

    /// How many received frames `device` counted as errors.
    pub(crate) fn rx_errors(&self, device: &str) -> u64 {
        self.counters(device).rx_errors
    }

    /// What `device` has counted.
    pub(crate) fn counters(&self, device: &str) -> Counters {
        let links = self.ip(&format!("-s -j link show dev {device}"));
        let links: serde_json::Value = serde_json::from_str(&links).expect("JSON");
        let count = |direction: &str, what: &str| {
            let count = &links[0]["stats64"][direction][what];
            count.as_u64().expect("a count")
        };
        Counters {
            rx_packets: count("rx", "packets"),
            rx_bytes: count("rx", "bytes"),
            rx_errors: count("rx", "errors"),
            tx_packets: count("tx", "packets"),
            tx_bytes: count("tx", "bytes"),
            tx_dropped: count("tx", "dropped"),
            tx_errors: count("tx", "errors"),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The wire reads from the other end of this device until it goes; after that no open file
        // keeps the namespace.
        let _ = self.try_ip(&format!("link del dev {UNDERLAY}"));
        let _ = command("ip", &format!("netns del {}", self.namespace));
    }
}

/// Every host knows where on the underlay the others are.
///
/// While an address is not resolved the kernel holds packets to it back, as many as fit into a short
/// queue, and those to another address overtake them: their order on the wire would be chance.
fn introduce(hosts: &[Host]) {
    for other in hosts {
        let lladdr = other.link_address(UNDERLAY);
        for host in hosts.iter().filter(|host| host.number != other.number) {
            let to = other.underlay;
            host.ip(&format!(
                "neigh add {to} lladdr {lladdr} dev {UNDERLAY} nud permanent"
            ));
        }
    }
}

/// Waits until no other run of these tests is under way, which would remove this one's namespaces,
/// and says what they need and this machine lacks, if anything. The turn ends when the file is
/// closed.
pub(crate) fn ready() -> Result<Option<File>, Skip> {
    let turn = File::create(env::temp_dir().join("vxlan-kernel-interop.lock")).ok();
    if let Some(file) = &turn {
        let _ = file.lock();
    }
    let need = |what: &str, result: Result<String, String>| match result {
        Ok(_) => Ok(()),
        Err(error) => Err(Skip(format!("{what} ({error})"))),
    };
    need("needs the command ip", command("ip", "-V"))?;
    need("needs the command bridge", command("bridge", "-V"))?;
    let tun = fs::metadata("/dev/net/tun").map(|_| String::new());
    need("needs /dev/net/tun", tun.map_err(|error| error.to_string()))?;
    let _ = command("ip", "netns del vxi-probe");
    let namespace = command("ip", "netns add vxi-probe");
    need("needs root for network namespaces", namespace)?;
    let ipv6 = fs::metadata("/proc/sys/net/ipv6").map(|_| String::new());
    need("needs IPv6", ipv6.map_err(|error| error.to_string()))?;
    let device = "-n vxi-probe link add vx0 type vxlan id 1 dstport 4789";
    let device = command("ip", device);
    let _ = command("ip", "netns del vxi-probe");
    need("needs the kernel's vxlan module", device)?;
    Ok(turn)
}

/// Standard output of a command (`arguments` split at spaces) that succeeds, or the first line of what it complained about.
fn command(program: &str, arguments: &str) -> Result<String, String> {
    let output = Command::new(program).args(arguments.split(' ')).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint.lines().next().unwrap_or("failed").to_owned())
}
