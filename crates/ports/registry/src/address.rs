//! Where a registry may send us.
//!
//! A registry answers with addresses: token realms, redirects, upload locations, next pages. A hostile or
//! broken one must not get credentials sent elsewhere, lower HTTPS to HTTP, or make weir call the metadata
//! service of its cloud (security cases N20, N21).

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine.
    Loopback,
    /// This link, where clouds keep their metadata services; also what is no unicast address.
    LinkLocal,
    /// A private network.
    Private,
    /// Anything else, names included.
    Public,
}

pub(crate) fn reach_of_ip(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            if ip.is_loopback() {
                Reach::Loopback
            } else if ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || a == 0
            {
                Reach::LinkLocal
            } else if ip.is_private() || (a == 100 && (64..128).contains(&b)) {
                // 100.64.0.0/10 holds Alibaba's metadata service, and carrier networks.
                Reach::Private
            } else {
                Reach::Public
            }
        }
        IpAddr::V6(ip) => {
            if let Some(v4) = ip.to_ipv4_mapped() {
                return reach_of_ip(IpAddr::V4(v4));
            }
            let [first, second, ..] = ip.segments();
            if ip.is_loopback() {
                Reach::Loopback
            } else if ip.is_unspecified() || ip.is_multicast() || first & 0xffc0 == 0xfe80 {
                Reach::LinkLocal
            } else if first == 0xfd00 && second == 0x0ec2 {
                // AWS's metadata service, fd00:ec2::254.
                Reach::LinkLocal
            } else if first & 0xfe00 == 0xfc00 {
                Reach::Private
            } else {
                Reach::Public
            }
        }
    }
}

pub(crate) fn reach(url: &Url) -> Reach {
    match url.host() {
        Some(Host::Ipv4(ip)) => reach_of_ip(ip.into()),
        Some(Host::Ipv6(ip)) => reach_of_ip(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            if name == "localhost" || name.ends_with(".localhost") {
                Reach::Loopback
            } else if matches!(
                name.as_str(),
                "metadata" | "metadata.google.internal" | "instance-data"
            ) {
                Reach::LinkLocal
            } else {
                Reach::Public
            }
        }
        None => Reach::LinkLocal,
    }
}

/// Whether two addresses are the same server in the sense of the web: scheme, host and port.
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

/// Whether a request that was on its way to `from` may go on to `to` (without credentials, unless both are of
/// one origin).
pub fn may_follow(from: &Url, to: &Url) -> Result<(), String> {
    if same_origin(from, to) {
        return Ok(());
    }
    check_scheme(from, to)?;
    let host = to.host_str().unwrap_or_default();
    match (reach(from), reach(to)) {
        (_, Reach::LinkLocal) => Err(format!("an address to {host}, which is link-local")),
        (Reach::Public | Reach::Private, Reach::Loopback) => {
            Err(format!("an address to {host}, which is this machine"))
        }
        _ => Ok(()),
    }
}

/// Whether credentials for the registry at `registry` may be sent to the token service at `realm`.
pub(crate) fn may_be_realm(registry: &Url, realm: &Url, trusted: bool) -> Result<(), String> {
    if same_origin(registry, realm) {
        return Ok(());
    }
    check_scheme(registry, realm)?;
    let host = realm.host_str().unwrap_or_default();
    match (reach(registry), reach(realm)) {
        (_, Reach::LinkLocal) => Err(format!("a token realm at {host}, which is link-local")),
        (Reach::Public, Reach::Private | Reach::Loopback) | (Reach::Private, Reach::Loopback) if !trusted => {
            Err(format!(
                "a token realm at {host}, which is closer than the registry"
            ))
        }
        _ => Ok(()),
    }
}

fn check_scheme(from: &Url, to: &Url) -> Result<(), String> {
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => {}
        ("https", "http") => return Err("an address that lowers HTTPS to HTTP".to_owned()),
        (_, other) => return Err(format!("an address with the scheme {other:?}")),
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err("an address with user information".to_owned());
    }
    Ok(())
}

/// The system's resolver, minus link-local answers: a name must not lead where its address may not.
#[derive(Debug)]
pub struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| reach_of_ip(address.ip()) != Reach::LinkLocal)
                .collect();
            if allowed.is_empty() {
                return Err(format!("{} has no address that may be used", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn n20_realms_that_lower_or_reach_inwards_are_refused() {
        let registry = url("https://registry.example/");
        for realm in [
            "http://auth.example/token",
            "https://169.254.169.254/token",
            "https://[fe80::1]/token",
            "https://[fd00:ec2::254]/token",
            "https://[::ffff:169.254.169.254]/token",
            "https://metadata.google.internal/token",
            "https://10.0.0.1/token",
            "https://127.0.0.1/token",
            "https://localhost/token",
            "https://me:pw@auth.example/token",
            "ftp://auth.example/token",
            "file:///etc/passwd",
        ] {
            assert!(may_be_realm(&registry, &url(realm), false).is_err(), "{realm}");
        }
        assert!(may_be_realm(&registry, &url("https://auth.example/token"), false).is_ok());
        assert!(may_be_realm(&registry, &url("https://10.0.0.1/token"), true).is_ok());
        assert!(may_be_realm(&registry, &url("https://169.254.1.1/token"), true).is_err());
        assert!(
            may_be_realm(
                &url("http://127.0.0.1:1/"),
                &url("http://127.0.0.1:2/token"),
                false
            )
            .is_ok()
        );
    }

    #[test]
    fn n21_redirects_do_not_lower_or_reach_this_machine() {
        let registry = url("https://registry.example/v2/");
        for to in [
            "http://cdn.example/x",
            "https://169.254.169.254/x",
            "https://localhost/x",
            "https://0.0.0.0/x",
        ] {
            assert!(may_follow(&registry, &url(to)).is_err(), "{to}");
        }
        assert!(may_follow(&registry, &url("https://cdn.example/x")).is_ok());
        assert!(!same_origin(&registry, &url("https://registry.example:8443/v2/")));
        assert!(same_origin(&registry, &url("https://registry.example:443/other")));
    }
}
