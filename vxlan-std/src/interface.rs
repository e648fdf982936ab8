//! What the host says about its interfaces.

use core::net::IpAddr;
use std::ffi::CString;
use std::{fs, io};

use nix::ifaddrs::getifaddrs;
use nix::libc;
use nix::net::if_::{if_indextoname, if_nametoindex};
use nix::sys::socket::{SockaddrLike, SockaddrStorage};
use vxlan_core::IfIndex;
use vxlan_core::world::Lower;

/// What [`is_name`] accepts, for messages.
pub const NAME: &str = "an interface name of 1 to 15 bytes without slash, colon, percent \
sign or white space";

/// Whether an interface can have this name: that of `dev_valid_name()`, without a percent sign,
/// which stands for a number that the kernel is to choose, and without control characters.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let odd = |c: char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
    (1..=NAME_MAX).contains(&text.len()) && !matches!(text, "." | "..") && !text.contains(odd)
}

/// The longest interface name in bytes (`IFNAMSIZ`, its final zero left out).
const NAME_MAX: usize = 15;

/// The number of the interface `name`, if there is one.
#[must_use]
pub fn index(name: &str) -> Option<IfIndex> {
    if_nametoindex(name).ok().and_then(IfIndex::new)
}

/// The name of an interface, or its number if it is gone.
#[must_use]
pub fn name(index: IfIndex) -> String {
    if_indextoname(index.get())
        .map(CString::into_string)
        .ok()
        .and_then(Result::ok)
        // What nix 0.31 makes of a number that no interface has.
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| index.to_string())
}

/// The MTU of the interface `name`, in bytes of an IP packet.
///
/// # Errors
/// Those of reading `/proc` and `/sys`; [`io::ErrorKind::NotFound`] without such an interface.
pub fn mtu(name: &str) -> io::Result<u32> {
    // sysfs shows the network namespace it was mounted in, procfs that of the reader; but the
    // latter knows interfaces with IPv6 only.
    fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{name}/mtu"))
        .or_else(|_| fs::read_to_string(format!("/sys/class/net/{name}/mtu")))?
        .trim()
        .parse()
        .map_err(|_| io::ErrorKind::InvalidData.into())
}

/// What a device wants to know about the interface below it; `None` without such an interface.
#[must_use]
pub fn lower(index: IfIndex) -> Option<Lower> {
    let name = if_indextoname(index.get()).ok()?.into_string().ok()?;
    let mtu = mtu(&name).ok()?;
    let off = fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"));
    Some(Lower {
        mtu,
        ipv6: off.is_ok_and(|off| off.trim() == "0"),
        ..Lower::ethernet(index)
    })
}

/// Whether one of the interfaces `names` has `address`.
pub(crate) fn any_has(names: &[String], address: IpAddr) -> bool {
    getifaddrs().is_ok_and(|mut interfaces| {
        interfaces.any(|interface| {
            names.contains(&interface.interface_name)
                && interface.address.as_ref().and_then(ip_address) == Some(address)
        })
    })
}

/// The IP address in a socket address, if it is one.
pub(crate) fn ip_address(address: &SockaddrStorage) -> Option<IpAddr> {
    match libc::c_int::from(address.family()? as u16) {
        libc::AF_INET => Some(address.as_sockaddr_in()?.ip().into()),
        libc::AF_INET6 => Some(address.as_sockaddr_in6()?.ip().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback() {
        assert_eq!(index("lo"), Some(IfIndex::LOOPBACK));
        assert_eq!(name(IfIndex::LOOPBACK), "lo");
        assert!(mtu("lo").unwrap() >= 1500);
        let address = IpAddr::from([127, 0, 0, 1]);
        assert!(any_has(&["lo".to_owned()], address));
        assert!(!any_has(&["eth77".to_owned()], address));
    }

    #[test]
    fn names() {
        for (name, want) in [
            ("vx0", true),
            ("a", true),
            ("fifteen-bytes-x", true),
            ("sixteen-bytes-xy", false),
            ("äöüäöüä", true),
            ("äöüäöüäö", false),
            ("", false),
            (".", false),
            ("..", false),
            ("...", true),
            ("a/b", false),
            ("a:b", false),
            ("a b", false),
            ("a\tb", false),
            ("a\u{1b}b", false),
            ("vx%d", false),
            ("vx0.100", true),
        ] {
            assert_eq!(is_name(name), want, "{name:?}");
        }
    }

    #[test]
    fn no_interface() {
        assert_eq!(index("no-such"), None);
        assert_eq!(name(IfIndex::new(i32::MAX as u32).unwrap()), "2147483647");
        assert!(mtu("no-such").is_err());
    }
}
