//! Ports for what stops listening and comes back.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Systems give outgoing connections, and listeners that ask for any port, higher ones: while nobody listens at one of
/// these, nobody else is given it.
const PORTS: Range<u32> = 10_000..32_768;

/// A port that no other test of this process has.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Tests of another process begin elsewhere.
    let first = process::id().wrapping_mul(997);
    loop {
        let next = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + next % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
