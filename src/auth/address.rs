use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv6Net};

/// The address of whoever sent a request that came from `peer`, or `None` where nobody can tell: the peer is a proxy
/// or this machine, and is not trusted to say whose request it is.
///
/// Of an IPv6 address the network counts, as one client has all of it.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let peer = peer.to_canonical();
    let address = if is_trusted(peer) {
        // Each proxy adds at the end whom it had the request from; what stands before the last that is not trusted may
        // be made up.
        forwarded_for(headers)
            .take_while(Option::is_some)
            .flatten()
            .find(|address| !is_trusted(*address))?
    } else {
        Some(peer).filter(|peer| is_public(*peer))?
    };
    Some(network(address))
}

/// The last one first; `None` for what is no address.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let hops = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    hops.map(|hop| {
        let address: IpAddr = std::str::from_utf8(hop).ok()?.trim().parse().ok()?;
        Some(address.to_canonical())
    })
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_loopback() || address.is_private() || address.is_link_local())
        }
        IpAddr::V6(address) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).network().into(),
    }
}
