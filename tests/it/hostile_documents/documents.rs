//! Documents that are long, deep or wide, and what is hard to read in them.

use super::{Attack, numbered};

const TOO_COMPLEX: &str = "400 QUERY_TOO_COMPLEX";
const INVALID: &str = "400 GRAPHQL_VALIDATION_FAILED";
const NOT_PARSED: &str = "400 GRAPHQL_PARSE_FAILED";

pub(super) fn attacks(round: usize) -> Vec<Attack> {
    // No answer to an earlier document is an answer to this one.
    let document = |name: &'static str, text: &str, answer: &'static str| {
        Attack::document(name, &format!("{text}#{round}"), answer)
    };
    let type_of_queries = |selections: &str| format!("{{__schema{{queryType{{{selections}}}}}}}");
    vec![
        document(
            "aliases",
            &format!(
                "{{{}}}",
                numbered(600, |number| format!("a{number}:__typename "))
            ),
            TOO_COMPLEX,
        ),
        document(
            "as many aliases as there may be",
            &type_of_queries(&numbered(30, |number| format!("a{number}:description "))),
            "200",
        ),
        document(
            "a field, over and over",
            &format!("{{{}}}", "__typename ".repeat(1_300)),
            TOO_COMPLEX,
        ),
        document(
            "a field further down, over and over",
            &type_of_queries(&"name ".repeat(998)),
            "200",
        ),
        document(
            "fields that look for rows, over and over",
            &format!(
                "{{{}}}",
                "linkedInPostingPreferences{targets{id target{__typename}}}".repeat(20)
            ),
            "200",
        ),
        document(
            "many objects by their ids",
            &format!(
                "{{{}}}",
                numbered(20, |number| format!(
                    "n{number}:node(id:\"{number}\"){{id}}"
                ))
            ),
            "200",
        ),
        document(
            "directives",
            &format!("{{__typename{}}}", "@include(if:true)".repeat(330)),
            TOO_COMPLEX,
        ),
        document(
            "as many directives as there may be",
            &type_of_queries(&"name@include(if:true)".repeat(50)),
            "200",
        ),
        document(
            "directives that there are not",
            &format!("{{__typename{}}}", "@a".repeat(990)),
            TOO_COMPLEX,
        ),
        document(
            "directives of an operation",
            &format!("query{}{{__typename}}", "@a".repeat(990)),
            TOO_COMPLEX,
        ),
        document(
            "directives of variables",
            &format!("query($a:ID{}){{node(id:$a){{id}}}}", "@a".repeat(980)),
            INVALID,
        ),
        document(
            "fields inside each other",
            &format!("{}{}", "{a".repeat(990), "}".repeat(990)),
            TOO_COMPLEX,
        ),
        document(
            "fields inside each other, and no end",
            &"{a".repeat(990),
            TOO_COMPLEX,
        ),
        document(
            "fragments without a name inside each other",
            &format!("{}{{__typename}}{}", "{...".repeat(300), "}".repeat(300)),
            TOO_COMPLEX,
        ),
        document(
            "lists inside each other",
            &format!("{{node(id:{}{}){{id}}}}", "[".repeat(900), "]".repeat(900)),
            TOO_COMPLEX,
        ),
        document(
            "objects inside each other",
            &format!(
                "{{node(id:{}1{}){{id}}}}",
                "{a:".repeat(450),
                "}".repeat(450)
            ),
            TOO_COMPLEX,
        ),
        document(
            "types inside each other",
            &format!(
                "query($a:{}ID{}){{node(id:$a){{id}}}}",
                "[".repeat(900),
                "]".repeat(900)
            ),
            TOO_COMPLEX,
        ),
        document("opening braces", &"{".repeat(16_000), TOO_COMPLEX),
        document(
            "opening brackets",
            &format!("{{a(b:{}", "[".repeat(1_900)),
            TOO_COMPLEX,
        ),
        document("dots", &format!("{{{}", "...".repeat(1_900)), NOT_PARSED),
        document("closing braces", &"}".repeat(1_900), NOT_PARSED),
        document("names alone", &"a ".repeat(1_900), NOT_PARSED),
        document(
            "characters that are none of the language's",
            &"\u{1F980}?%".repeat(2_500),
            TOO_COMPLEX,
        ),
        document("null characters", &"\0".repeat(8_000), TOO_COMPLEX),
        document("nothing but blanks", &" \t\r\n".repeat(4_000), NOT_PARSED),
        document("nothing but commas", &",".repeat(16_000), NOT_PARSED),
        document("nothing but comments", &"#\n".repeat(8_000), NOT_PARSED),
        document("marks of byte order", &"\u{FEFF}".repeat(5_000), NOT_PARSED),
        document(
            "lines before an error on each",
            &format!("{}{{{}}}", "\n".repeat(10_000), "x\n".repeat(990)),
            TOO_COMPLEX,
        ),
        document(
            "errors on many lines",
            &format!(
                "{}{}",
                "\n".repeat(10_000),
                type_of_queries(&"x\n".repeat(900))
            ),
            INVALID,
        ),
        document(
            "more bytes than a document may have",
            &" ".repeat(60_000),
            TOO_COMPLEX,
        ),
        document(
            "a long name",
            &format!("{{{}}}", "a".repeat(16_000)),
            INVALID,
        ),
        document(
            "long names",
            &format!(
                "{{{}}}",
                numbered(18, |number| format!("{}{number} ", "a".repeat(800)))
            ),
            INVALID,
        ),
        document(
            "names that are nearly right",
            &format!("{{__schema{{{}}}}}", "typs ".repeat(900)),
            INVALID,
        ),
        document(
            "fields that are nearly right",
            &format!(
                "{{{}}}",
                numbered(20, |number| format!("linkedInTarget{number} "))
            ),
            INVALID,
        ),
        document(
            "arguments that are nearly right",
            &format!(
                "{{node({}){{id}}}}",
                numbered(600, |number| format!("id{number}:1 "))
            ),
            INVALID,
        ),
        document(
            "operations",
            &numbered(480, |number| format!("query Q{number}{{__typename}}")),
            TOO_COMPLEX,
        ),
        document(
            "operations of one name",
            &"query Q{__typename}".repeat(20),
            INVALID,
        ),
        document(
            "as many operations as there may be",
            &numbered(20, |number| {
                format!(
                    "query Q{number}{{__schema{{queryType{{{}}}}}}}",
                    "name ".repeat(85)
                )
            }),
            "400 OPERATION_RESOLUTION_FAILURE",
        ),
        document(
            "definitions of types",
            &"type A{a:Int}".repeat(280),
            INVALID,
        ),
        document(
            "extensions of types",
            &"extend type Query{a:Int}".repeat(240),
            INVALID,
        ),
        document(
            "mutations",
            &format!(
                "mutation{{{}}}",
                numbered(21, |number| format!(
                    "m{number}:syncLinkedInPages{{__typename}}"
                ))
            ),
            TOO_COMPLEX,
        ),
        document(
            "as many mutations as there may be",
            &format!(
                "mutation{{{}}}",
                numbered(20, |number| format!(
                    "m{number}:setLinkedInPostingPreferences(input:{{targets:[]}}){{__typename}}"
                ))
            ),
            "200",
        ),
        document(
            "subscriptions in one",
            &format!(
                "subscription{{{}}}",
                numbered(20, |number| format!(
                    "s{number}:linkedInPostingPreferencesChanged{{reason}}"
                ))
            ),
            INVALID,
        ),
        document(
            "one name for many fields",
            &type_of_queries(&format!(
                "{}{}",
                "a:name ".repeat(15),
                "a:description ".repeat(15)
            )),
            INVALID,
        ),
        document(
            "one name for fields of many types",
            &format!(
                "{{linkedInTargets{{{}}}}}",
                "...on Personal{a:label}...on OrgPage{a:imageUrl}".repeat(15)
            ),
            INVALID,
        ),
        document(
            "one name with many arguments",
            &type_of_queries(&numbered(140, |number| {
                format!("fields(includeDeprecated:{}){{name}}", number % 2 == 0)
            })),
            INVALID,
        ),
        document(
            "selections to compare, of each with each",
            &format!(
                "{{linkedInTargets{{{}}}}}",
                "...on Personal{label}...on OrgPage{label}".repeat(160)
            ),
            "200",
        ),
    ]
}
