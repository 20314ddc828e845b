//! A sealed token opens for its user alone, as it was sealed, and no other text opens at all.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use linkedin_targets::{
    fuzzing::{open, seal},
    seal::Keys,
};
use secrecy::{ExposeSecret, SecretString};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    user: &'a str,
    other: &'a str,
    token: &'a str,
    nonce: [u8; 24],
    /// What somebody who can write to the database makes of it.
    cut: u16,
    edits: Vec<(u16, u8)>,
}

static KEYS: LazyLock<[Keys; 2]> = LazyLock::new(|| {
    let (new, old) = ("A".repeat(43) + "=", "B".repeat(42) + "A=");
    let keys = |list: String| Keys::parse(&list.into()).unwrap();
    [keys(old.clone()), keys(format!("{new}, {old}"))]
});

fuzz_target!(|input: Input<'_>| {
    let [before, after] = &*KEYS;
    let token = SecretString::from(input.token);
    let sealed = seal(before, input.user, &token, input.nonce);
    let opened = |keys, user, stored: &str| {
        let opened = open(keys, user, &stored.into());
        opened.map(|token| token.expose_secret().to_owned())
    };
    let stored = sealed.expose_secret();

    for keys in [before, after] {
        assert_eq!(
            opened(keys, input.user, stored).as_deref(),
            Some(input.token)
        );
    }
    if input.other != input.user {
        assert_eq!(opened(after, input.other, stored), None);
    }

    let mut edited = stored.as_bytes().to_vec();
    edited.truncate(stored.len() - usize::from(input.cut) % stored.len());
    for (place, byte) in input.edits {
        let place = usize::from(place) % edited.len();
        edited[place] = byte;
    }
    if let Ok(edited) = String::from_utf8(edited)
        && edited != stored
    {
        // Without the mark it is a token that was never sealed.
        let plain = (!edited.starts_with("sealed:1:")).then_some(edited.as_str());
        assert_eq!(opened(after, input.user, &edited).as_deref(), plain);
    }
});
