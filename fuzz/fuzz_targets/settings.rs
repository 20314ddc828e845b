//! A setting is refused without being shown, or it is one that the server can work with. The value stands on the input's
//! second line; the first is the flag.
#![no_main]

use clap::Parser;
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use linkedin_targets::{
    config::{Cli, Command, Serve},
    fuzzing::passing,
};
use url::Url;

/// Part of every value that may hold a password.
const PASSWORD: &str = "hunter2";
const MAY_HOLD_ONE: [&str; 6] = [
    "public-url",
    "allowed-origins",
    "linkedin-api-url",
    "database-url",
    "linkedin-client-secret",
    "token-keys",
];

fuzz_target!(|text: &str| {
    let Some((flag, value)) = text.split_once('\n') else {
        return;
    };
    let is_secret = MAY_HOLD_ONE.contains(&flag) && value.contains(PASSWORD);
    let argument = format!("--{flag}={value}");
    let read = Cli::try_parse_from(["linkedin-targets", "serve", &argument]);
    let refusal = match read.map(|cli| cli.command) {
        Ok(Command::Serve(serve)) => {
            assert_fit(&serve);
            let checks = [
                serve.check(),
                serve.database.check(),
                serve.seal_keys().map(drop),
            ];
            checks.into_iter().filter_map(Result::err).collect()
        }
        Ok(_) => return,
        Err(error) => error.to_string(),
    };
    assert!(!is_secret || !refusal.contains(PASSWORD), "{refusal}");
});

fn assert_fit(serve: &Serve) {
    let Serve {
        allowed_origins,
        session_cookie_name,
        trusted_proxies,
        ..
    } = serve;
    for origin in allowed_origins {
        assert_eq!(
            Url::parse(origin).unwrap().origin().ascii_serialization(),
            *origin
        );
    }
    for name in session_cookie_name {
        let separates = |letter: char| "=;, \t\"".contains(letter) || letter.is_control();
        assert!(!name.is_empty() && name.is_ascii() && !name.contains(separates));
    }
    for network in trusted_proxies {
        assert_eq!(network.to_string().parse::<IpNet>().unwrap(), *network);
    }
    if let Some(url) = &serve.public_url {
        assert!(url.password().is_none() && url.query().is_none() && url.has_host());
        serve.linkedin.settings(url).unwrap();
    }

    let rates = serve.rates();
    let most = 5;
    for (passing, rate) in
        passing(rates, most)
            .into_iter()
            .zip([rates.user, rates.address, rates.sync])
    {
        let least = rate.map_or(most, |rate| most.min(rate.count.get() as usize));
        assert!(passing >= least, "{rate:?}");
    }
}
