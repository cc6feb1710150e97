//! Addresses and networks of an allowlist.

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An address or network in CIDR form from which a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllowedIp(IpNet);

/// Why a line is no address or network; the message holds the corrected form where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Neither an address nor a network.
    #[error("“{0}” is no address or network such as 203.0.113.9 or 203.0.113.0/24")]
    Malformed(String),
    /// The part after the slash is too long for the family.
    #[error("a prefix of an {family} network is 0 to {max}. Did you mean {suggestion}?")]
    Prefix {
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// 32 or 128.
        max: u8,
        /// A network that would be accepted.
        suggestion: String,
    },
    /// Bits behind the prefix are set.
    #[error("“{given}” has bits set behind its prefix. Did you mean {suggestion}?")]
    HostBits {
        /// What was given.
        given: String,
        /// The network it lies in.
        suggestion: String,
    },
}

impl AllowedIp {
    /// Reads `203.0.113.9`, `203.0.113.0/24`, `2001:db8::/32`. An IPv4-mapped address is its IPv4 address.
    pub fn parse(s: &str) -> Result<Self, NetError> {
        let s = s.trim();
        let malformed = || NetError::Malformed(s.to_owned());
        let Some((addr, prefix)) = s.split_once('/') else {
            return s.parse::<IpAddr>().map(|ip| Self(IpNet::from(normalise(ip)))).map_err(|_| malformed());
        };
        let addr: IpAddr = addr.parse().map_err(|_| malformed())?;
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        let prefix: u16 = prefix.parse().map_err(|_| malformed())?;
        let (family, max, fallback) = match addr {
            IpAddr::V4(_) => ("IPv4", 32, 24),
            IpAddr::V6(_) => ("IPv6", 128, 64),
        };
        let Some(prefix) = u8::try_from(prefix).ok().filter(|p| *p <= max) else {
            let suggestion = IpNet::new(addr, fallback).map_err(|_| malformed())?.trunc().to_string();
            return Err(NetError::Prefix { family, max, suggestion });
        };
        let net = IpNet::new(addr, prefix).map_err(|_| malformed())?;
        if net.trunc() != net {
            return Err(NetError::HostBits { given: s.to_owned(), suggestion: net.trunc().to_string() });
        }
        Ok(Self(unmap(net)))
    }

    /// Does the (normalised) address lie in it?
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&normalise(ip))
    }

    /// The first and the last address of the network, as [`sortable`] bytes.
    pub fn bounds(&self) -> ([u8; 16], [u8; 16]) {
        (sortable(self.0.network()), sortable(self.0.broadcast()))
    }

    /// The network itself.
    pub const fn net(&self) -> IpNet {
        self.0
    }
}

/// An IPv4-mapped IPv6 address becomes the IPv4 address it stands for.
pub fn normalise(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// The address as 16 bytes in the order of addresses; IPv4 is mapped into IPv6, so that one column holds both.
pub fn sortable(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// `::ffff:a.b.c.d/n` with n ≥ 96 is the IPv4 network `a.b.c.d/(n-96)`.
fn unmap(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped: fn(Ipv6Addr) -> Option<Ipv4Addr> = |a| a.to_ipv4_mapped();
    match (mapped(v6.addr()), v6.prefix_len().checked_sub(96)) {
        (Some(v4), Some(prefix)) => Ipv4Net::new(v4, prefix).map_or(net, IpNet::V4),
        _ => net,
    }
}

impl fmt::Display for AllowedIp {
    /// A single address is shown without its prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { write!(f, "{}", self.0.addr()) } else { write!(f, "{}", self.0) }
    }
}

impl Serialize for AllowedIp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AllowedIp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(de::Error::custom)
    }
}

/// `PUT` and `POST /v1/auth/ip-allowlist`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AllowlistBody {
    /// Addresses and networks; none means from anywhere.
    pub allowed_ips: Vec<String>,
}

/// From where the live keys of a tenant may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IpAllowlist {
    /// Addresses and networks; empty means from anywhere.
    pub allowed_ips: Vec<AllowedIp>,
    /// What its author should know, such as that it shuts them out.
    pub warnings: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s41_an_ipv4_mapped_address_equals_its_ipv4_address() {
        let list = AllowedIp::parse("203.0.113.0/24").expect("valid");
        assert!(list.contains("::ffff:203.0.113.9".parse().expect("valid")));
        assert_eq!(AllowedIp::parse("::ffff:203.0.113.0/120"), Ok(list));
        assert_eq!(AllowedIp::parse("::ffff:203.0.113.9").expect("valid").to_string(), "203.0.113.9");
    }

    #[test]
    fn s42_a_bad_network_is_refused_with_the_corrected_form() {
        let said = |s: &str| AllowedIp::parse(s).expect_err(s).to_string();
        assert!(said("198.51.100.0/33").contains("0 to 32. Did you mean 198.51.100.0/24?"));
        assert!(said("198.51.100.7/24").contains("Did you mean 198.51.100.0/24?"));
        assert!(said("2001:db8::1/32").contains("Did you mean 2001:db8::/32?"));
        for bad in ["", "x", "1.2.3", "1.2.3.4/", "1.2.3.4/+8", "1.2.3.4/8/8", "1.2.3.4 5.6.7.8"] {
            assert!(matches!(AllowedIp::parse(bad), Err(NetError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let list = AllowedIp::parse("2001:db8:40::/48").expect("valid");
        assert!(list.contains("2001:db8:40::1".parse().expect("valid")));
        assert!(!list.contains("2001:db8:41::1".parse().expect("valid")));
        assert!(!list.contains("1.2.3.4".parse().expect("valid")));
    }
}
