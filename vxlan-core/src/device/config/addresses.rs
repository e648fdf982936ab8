//! Which addresses a device has.

use core::net::IpAddr;

use super::Config;

impl Config {
    /// Remote and local address. One that is absent is unspecified, in the family of the other. For
    /// the old driver IPv6 wins over IPv4, and the address of the other family is none.
    pub(super) fn addresses(&self) -> (IpAddr, IpAddr) {
        let any = |like: IpAddr| match like {
            IpAddr::V4(_) => IpAddr::from([0; 4]),
            IpAddr::V6(_) => IpAddr::from([0; 16]),
        };
        match (self.remote, self.local) {
            (None, None) => (IpAddr::from([0; 4]), IpAddr::from([0; 4])),
            (Some(remote), None) => (remote, any(remote)),
            (None, Some(local)) => (any(local), local),
            (Some(remote), Some(local)) if self.compat.check_addresses => (remote, local),
            (Some(remote), Some(local)) => match (remote.is_ipv6(), local.is_ipv6()) {
                (true, false) => (remote, any(remote)),
                (false, true) => (any(local), local),
                _ => (remote, local),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compat, ConfigError, Flags, Vni};

    /// M-12: IPv4 unless an address says otherwise; IPv6 sets the flag.
    #[test]
    fn m12_family() {
        let v4 = IpAddr::from([192, 0, 2, 1]);
        let v6 = IpAddr::from([0xfd; 16]);
        let (any4, any6) = (IpAddr::from([0; 4]), IpAddr::from([0; 16]));
        let mixed = Err(ConfigError::Families);
        for (remote, local, want, old) in [
            (None, None, Ok((any4, any4)), (any4, any4)),
            (Some(v4), None, Ok((v4, any4)), (v4, any4)),
            (None, Some(v4), Ok((any4, v4)), (any4, v4)),
            (Some(v6), None, Ok((v6, any6)), (v6, any6)),
            (None, Some(v6), Ok((any6, v6)), (any6, v6)),
            (Some(any6), None, Ok((any6, any6)), (any6, any6)),
            (Some(v4), Some(v6), mixed, (any6, v6)),
            (Some(v6), Some(v4), mixed, (v6, any6)),
        ] {
            let mut config = Config::new(Vni::MIN);
            (config.remote, config.local) = (remote, local);
            let addresses = |config: Config| {
                let valid = config.validate()?;
                assert_eq!(valid.flags().contains(Flags::IPV6), valid.is_ipv6());
                Ok((valid.remote(), valid.local()))
            };
            assert_eq!(addresses(config.clone()), want, "{remote:?} {local:?}");
            let config = config.compat(Compat::LINUX_4_3);
            assert_eq!(addresses(config), Ok(old), "{remote:?} {local:?}");
        }
    }

    /// The old driver takes groups without interface, groups as local address, and any scopes.
    #[test]
    fn the_old_driver_checks_no_addresses() {
        let group = IpAddr::from([239, 0, 0, 1]);
        let link_local: IpAddr = "fe80::1".parse().unwrap();
        let global: IpAddr = "2001:db8::1".parse().unwrap();
        for (config, error) in [
            (
                Config::new(Vni::MIN).remote(group),
                ConfigError::MulticastWithoutLower,
            ),
            (
                Config::new(Vni::MIN).local(group),
                ConfigError::LocalMulticast,
            ),
            (
                Config::new(Vni::MIN).local(link_local).remote(global),
                ConfigError::Scopes,
            ),
        ] {
            assert_eq!(config.clone().validate().err(), Some(error));
            assert!(config.compat(Compat::LINUX_4_3).validate().is_ok());
        }
    }
}
