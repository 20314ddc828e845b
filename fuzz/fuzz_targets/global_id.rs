//! Whatever is read as a global id is written so, and the other way round: an object has one id.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use linkedin_targets::fuzzing::{global_id, read_global_id};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    from_a_client: &'a str,
    type_name: &'a str,
    keys: Vec<&'a str>,
}

fuzz_target!(|input: Input<'_>| {
    if let Some((type_name, key)) = read_global_id(input.from_a_client) {
        assert_eq!(global_id(&type_name, &[&key]), input.from_a_client);
    }

    let id = global_id(input.type_name, &input.keys);
    if !input.type_name.contains(':') {
        let read = Some((input.type_name.to_owned(), input.keys.join(":")));
        assert_eq!(read_global_id(&id), read);
    }
});
