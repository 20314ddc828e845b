//! Questions about the schema: a short one may have a long answer.

use super::{Attack, numbered};

const TOO_COMPLEX: &str = "400 QUERY_TOO_COMPLEX";

const STANDARD: &str = include_str!("../documents/introspection.graphql");

pub(super) fn attacks(round: usize) -> Vec<Attack> {
    let document = |name: &'static str, text: &str, answer: &'static str| {
        Attack::document(name, &format!("{text}#{round}"), answer)
    };
    let types = |selections: &str| format!("{{__schema{{types{{{selections}}}}}}}");
    vec![
        document("the standard question", STANDARD, "200"),
        document(
            "a list inside a list inside a list",
            &types("fields{type{fields{type{fields{name}}}}}"),
            TOO_COMPLEX,
        ),
        document(
            "lists inside each other, with fragments between them",
            "{__schema{types{...A}}}fragment A on __Type{fields{type{...B}}}
            fragment B on __Type{fields{type{...C}}}fragment C on __Type{fields{name}}",
            TOO_COMPLEX,
        ),
        document(
            "a list inside a list",
            &types("fields{type{fields{name}}}"),
            "200",
        ),
        document(
            "types of types of types",
            &types(&format!("{}name{}", "ofType{".repeat(12), "}".repeat(12))),
            "200",
        ),
        document(
            "every name of a type, over and over",
            &types(&"name ".repeat(990)),
            TOO_COMPLEX,
        ),
        document(
            "every name of a type, as often as it may be",
            &types(&"name ".repeat(498)),
            "200",
        ),
        document(
            "every name of a field, over and over",
            &types(&format!("fields{{{}}}", "name ".repeat(490))),
            TOO_COMPLEX,
        ),
        document(
            "every name of a field, as often as it may be",
            &types(&format!("fields{{{}}}", "name ".repeat(247))),
            "200",
        ),
        document(
            "every name of a field's type, as often as it may be",
            &types(&format!("fields{{type{{{}}}}}", "name ".repeat(246))),
            "200",
        ),
        document(
            "every value of an enumeration, as often as it may be",
            &types(&format!("enumValues{{{}}}", "name ".repeat(248))),
            "200",
        ),
        document(
            "every name of a type, in fragments of its own",
            &types(&"...{name}".repeat(249)),
            "200",
        ),
        document(
            "every name of a field, in fragments of its own",
            &types(&format!("fields{{{}}}", "...{name}".repeat(123))),
            "200",
        ),
        document(
            "every name of a field, with conditions",
            &types(&format!("fields{{{}}}", "name@skip(if:false)".repeat(50))),
            "200",
        ),
        document(
            "every argument, as often as it may be",
            &types(&format!("fields{{args{{{}}}}}", "name ".repeat(246))),
            "200",
        ),
        document(
            "every description, under many names",
            &types(&format!(
                "fields{{{}}}",
                numbered(30, |number| format!("d{number}:description "))
            )),
            "200",
        ),
        document(
            "the schema, under many names",
            &format!(
                "{{{}}}",
                numbered(20, |number| format!(
                    "s{number}:__schema{{types{{name fields{{name description}}}}}}"
                ))
            ),
            "200",
        ),
        document(
            "the schema, over and over",
            &format!(
                "{{{}}}",
                "__schema{types{name fields{name type{name}}}}".repeat(20)
            ),
            "200",
        ),
        document(
            "a type, under many names",
            &format!(
                "{{{}}}",
                numbered(20, |number| {
                    let asked = "{fields{type{ofType{fields{name}}}}}";
                    format!("t{number}:__type(name:\"Query\"){asked}")
                })
            ),
            "200",
        ),
    ]
}
