//! A document is judged once and for all, and what is let through is within the limits when they are counted anew, by
//! writing every fragment out.
#![no_main]

use async_graphql_parser::{
    parse_query,
    types::{ExecutableDocument, Selection, SelectionSet},
};
use libfuzzer_sys::fuzz_target;
use linkedin_targets::{
    config::Limits,
    fuzzing::{Documents, Refused},
};
use linkedin_targets_fuzz::settings;

const CODES: [&str; 3] = [
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "QUERY_TOO_COMPLEX",
];

thread_local! {
    static DOCUMENTS: Documents = Documents::new(&settings()).unwrap();
}

fuzz_target!(|text: &str| DOCUMENTS.with(|documents| {
    let limits = Limits::DEFAULT;
    let judged = documents.find(text);

    assert_eq!(documents.find(text), judged, "as it is kept");
    // Not everything: what is asked for more often is not given up for it.
    assert!(judged.is_ok() || !documents.keeps(text));
    match &judged {
        Ok(()) => {
            let document = parse_query(text).unwrap();
            let mut spent = Spent::default();
            for (_, operation) in document.operations.iter() {
                spent = Spent::default();
                spent.add(&document, &operation.node.selection_set.node, 1);
                assert!(spent.selections <= limits.selections);
                assert!(spent.aliases <= limits.aliases);
                assert!(spent.depth <= limits.depth);
            }
            assert!(spent.selections > 0);
        }
        Err(errors) => assert_telling(errors, text, &limits),
    }

    let longer = format!("{text}\n,# nothing\n");
    if judged.is_ok() && longer.len() <= limits.bytes {
        assert_eq!(documents.find(&longer), judged, "blanks say nothing");
    }
}));

fn assert_telling(errors: &[Refused], text: &str, limits: &Limits) {
    assert!(!errors.is_empty() && errors.len() <= limits.errors);
    // apollo-compiler takes each of Unicode's line ends for one.
    let ends = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    let lines = text.split(ends).count();
    for error in errors {
        assert!(CODES.contains(&error.code), "{error:?}");
        assert!(!error.message.is_empty());
        let places = &error.locations;
        assert!(
            places.iter().all(|(line, _)| (1..=lines).contains(line)),
            "{error:?}"
        );
    }
}

#[derive(Default)]
struct Spent {
    selections: usize,
    aliases: usize,
    depth: usize,
}

impl Spent {
    fn add(&mut self, document: &ExecutableDocument, set: &SelectionSet, depth: usize) {
        for selection in &set.items {
            self.selections += 1;
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.depth = self.depth.max(depth);
                    self.add(document, &field.node.selection_set.node, depth + 1);
                }
                Selection::InlineFragment(fragment) => {
                    self.add(document, &fragment.node.selection_set.node, depth);
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &document.fragments[&spread.node.fragment_name.node];
                    self.add(document, &fragment.node.selection_set.node, depth);
                }
            }
        }
    }
}
