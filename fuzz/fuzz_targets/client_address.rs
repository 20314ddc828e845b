//! Nobody talks a proxy's word away: what stands before the last address that is not trusted changes nothing.
#![no_main]

use std::net::IpAddr;

use arbitrary::Arbitrary;
use axum::http::{HeaderMap, HeaderValue};
use ipnet::{IpNet, Ipv6Net};
use libfuzzer_sys::fuzz_target;
use linkedin_targets::fuzzing::client_address;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    peer: IpAddr,
    trusted: Vec<(IpAddr, u8)>,
    trusts_peer: bool,
    headers: Vec<&'a [u8]>,
    claimed: &'a [u8],
    hop: IpAddr,
}

fuzz_target!(|input: Input<'_>| {
    let mut trusted: Vec<_> = (input.trusted.iter())
        .filter_map(|(address, prefix)| IpNet::new(address.to_canonical(), *prefix).ok())
        .collect();
    if input.trusts_peer {
        trusted.push(input.peer.to_canonical().into());
    }
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let ask = |lines: &[&[u8]]| client_address(input.peer, &headers(lines), &trusted);

    let told = ask(&input.headers);
    if is_trusted(input.peer.to_canonical()) {
        if told.is_some() {
            let claimed = [&[input.claimed][..], &input.headers].concat();
            assert_eq!(ask(&claimed), told);
        }
    } else {
        assert_eq!(told, ask(&[]));
    }
    if let Some(IpAddr::V6(address)) = told {
        let network = Ipv6Net::new_assert(address, 64).network();
        assert_eq!(address, network, "an IPv6 client is its network");
    }

    // One more proxy, which is not trusted: it is the client then.
    let hop = input.hop.to_canonical();
    if is_trusted(input.peer.to_canonical()) && !is_trusted(hop) {
        let text = hop.to_string();
        let lines = [&input.headers[..], &[text.as_bytes()]].concat();
        let expected = match hop {
            IpAddr::V4(_) => hop,
            IpAddr::V6(hop) => Ipv6Net::new_assert(hop, 64).network().into(),
        };
        assert_eq!(ask(&lines), Some(expected));
    }
});

fn headers(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
    {
        headers.append("x-forwarded-for", value);
    }
    headers
}
