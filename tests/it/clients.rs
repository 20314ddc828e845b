//! What front-end developers use: Apollo Client, urql, Relay and others, with generated types, against the demo.

use std::process::Command;

use crate::support::{
    demo::Demo,
    npm::{self, NPM},
    skip::skip,
};

/// What they do, and what must then be seen, stands in `clients/`.
#[test]
fn every_client_works_without_configuration() {
    if let Err(reason) = npm::install("clients") {
        return skip("the clients", &reason);
    }
    let demo = Demo::start();

    let tests = Command::new(NPM)
        .args(["test", "--silent"])
        .current_dir("clients")
        .env("BASE_URL", &demo.address)
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&tests.stdout);
    let complaints = String::from_utf8_lossy(&tests.stderr);
    assert!(tests.status.success(), "{told}{complaints}");
}
