//! Values, in documents and as variables.

use serde_json::{Value, json};

use super::{Attack, numbered};

const TOO_COMPLEX: &str = "400 QUERY_TOO_COMPLEX";
const INVALID: &str = "400 GRAPHQL_VALIDATION_FAILED";
const UNFIT: &str = "400 BAD_USER_INPUT";

const SAVE: &str = "mutation($input:SetLinkedInPostingPreferencesInput!){
    setLinkedInPostingPreferences(input:$input){
        __typename ...on LinkedInTargetsUnavailable{refusals{index reason message}}
    }
}";

pub(super) fn attacks(round: usize) -> Vec<Attack> {
    let document = |name: &'static str, text: &str, answer: &'static str| {
        Attack::document(name, &format!("{text}#{round}"), answer)
    };
    let node = |value: &str| format!("{{node(id:{value}){{id}}}}");
    let with = |name: &'static str, document: &str, variables: Value, answer: &'static str| {
        let query = format!("{document}#{round}");
        let body = json!({ "query": query, "variables": variables });
        Attack::json(name, &body, answer)
    };
    let save = |name: &'static str, targets: Vec<Value>, answer: &'static str| {
        with(
            name,
            SAVE,
            json!({ "input": { "targets": targets } }),
            answer,
        )
    };
    let declared =
        |count: usize, kind: &str| numbered(count, |number| format!("$v{number}:{kind} "));
    let as_text = |text: &str| Value::String(text.to_owned());
    let nested = |count: usize| {
        let inside = json!(1);
        (0..count).fold(inside, |inside, _| json!([inside]))
    };
    vec![
        document(
            "a long string",
            &node(&format!("\"{}\"", "a".repeat(15_000))),
            "200",
        ),
        document(
            "a string without an end",
            &node(&format!("\"{}", "a".repeat(15_000))),
            "400 GRAPHQL_PARSE_FAILED",
        ),
        document(
            "a string of escapes",
            &node(&format!("\"{}\"", "\\u0041".repeat(2_500))),
            "200",
        ),
        document(
            "a string of halves of characters",
            &node(&format!("\"{}\"", "\\uD800".repeat(2_500))),
            "400 GRAPHQL_PARSE_FAILED",
        ),
        document(
            "a block of lines",
            &node(&format!("\"\"\"{}\"\"\"", "  a\n".repeat(3_900))),
            "200",
        ),
        document(
            "a block of blanks",
            &node(&format!("\"\"\"{}\"\"\"", " \n".repeat(7_900))),
            "200",
        ),
        document(
            "a block of quotes",
            &node(&format!("\"\"\"{}\"\"\"", "\\\"\"\"".repeat(3_900))),
            "200",
        ),
        document(
            "a block without an end",
            &node(&format!("\"\"\"{}", "\\\"\"\"".repeat(3_900))),
            "400 GRAPHQL_PARSE_FAILED",
        ),
        document(
            "empty strings",
            &format!("{{node(id:[{}]){{id}}}}", "\"\"".repeat(1_900)),
            INVALID,
        ),
        document(
            "an integer of many digits",
            &node(&"9".repeat(16_000)),
            "400 GRAPHQL_PARSE_FAILED",
        ),
        document(
            "a fraction of many digits",
            &node(&format!("0.{}", "9".repeat(16_000))),
            INVALID,
        ),
        document("a great exponent", &node("1e999999999999"), INVALID),
        document(
            "a list as long as there may be",
            &node(&format!("[{}]", "1 ".repeat(1_900))),
            INVALID,
        ),
        document(
            "an object of one key, over and over",
            &format!(
                "mutation{{setLinkedInPostingPreferences(input:{{{}}}){{__typename}}}}",
                "targets:[]".repeat(450)
            ),
            INVALID,
        ),
        document(
            "an object of many keys",
            &format!(
                "mutation{{setLinkedInPostingPreferences(input:{{{}}}){{__typename}}}}",
                numbered(600, |number| format!("k{number}:1 "))
            ),
            INVALID,
        ),
        document(
            "targets in the document",
            &format!(
                "mutation{{setLinkedInPostingPreferences(input:{{targets:[{}]}}){{__typename}}}}",
                numbered(380, |number| format!("{{orgPageId:{number}}}"))
            ),
            "200",
        ),
        document(
            "targets of several keys",
            &format!(
                "mutation{{setLinkedInPostingPreferences(input:{{targets:[{}]}}){{__typename}}}}",
                "{orgPageId:1 personal:VIEWER}".repeat(230)
            ),
            INVALID,
        ),
        document(
            "variables",
            &format!("query({}){{__typename}}", declared(490, "ID")),
            INVALID,
        ),
        document(
            "variables of one name",
            &format!("query({}){{node(id:$a){{id}}}}", "$a:ID!".repeat(370)),
            INVALID,
        ),
        document(
            "variables of types that there are not",
            &format!("query({}){{__typename}}", declared(490, "T")),
            INVALID,
        ),
        document(
            "variables without values",
            &format!(
                "query({}){{__schema{{queryType{{{}}}}}}}",
                declared(49, "Boolean!"),
                numbered(49, |number| format!("name@include(if:$v{number})"))
            ),
            UNFIT,
        ),
        document(
            "variables that nobody declared",
            &format!(
                "{{__schema{{queryType{{{}}}}}}}",
                numbered(49, |number| format!("name@include(if:$v{number})"))
            ),
            INVALID,
        ),
        document(
            "defaults of many items",
            &format!(
                "query($a:[ID]=[{}]){{node(id:$a){{id}}}}",
                "1 ".repeat(1_900)
            ),
            INVALID,
        ),
        with(
            "variables of another type",
            SAVE,
            json!({ "input": as_text(&"a".repeat(60_000)) }),
            UNFIT,
        ),
        with(
            "more values than there may be",
            "{__typename}",
            numbered_keys(6_000),
            TOO_COMPLEX,
        ),
        with(
            "values that nobody declared",
            "{__typename}",
            numbered_keys(2_000),
            "200",
        ),
        with(
            "keys that there are not",
            SAVE,
            json!({ "input": numbered_keys(1_990) }),
            UNFIT,
        ),
        with(
            "values inside each other",
            "query($a:ID!){node(id:$a){id}}",
            json!({ "a": nested(120) }),
            UNFIT,
        ),
        with(
            "a long value",
            "query($a:ID!){node(id:$a){id}}",
            json!({ "a": as_text(&"a".repeat(60_000)) }),
            "200",
        ),
        save(
            "100,000 items",
            vec![json!(1); 100_000],
            "413 BAD_USER_INPUT or gone",
        ),
        save("32,000 items", vec![json!(1); 32_000], TOO_COMPLEX),
        save("20,000 objects", vec![json!({}); 20_000], TOO_COMPLEX),
        save("items of another type", vec![json!(1); 1_998], UNFIT),
        save("items that are null", vec![Value::Null; 1_998], UNFIT),
        save("items without a key", vec![json!({}); 1_998], UNFIT),
        save(
            "targets that there are not",
            vec![json!({ "orgPageId": "1" }); 999],
            "200",
        ),
        save(
            "more targets than there may be",
            vec![json!({ "orgPageId": "1" }); 1_000],
            TOO_COMPLEX,
        ),
        save(
            "one target, over and over",
            vec![json!({ "personal": "VIEWER" }); 999],
            "200",
        ),
        save(
            "targets that are nearly right",
            vec![json!({ "personal": "VIEWERS" }); 999],
            UNFIT,
        ),
        document(
            "a variable of lists of lists",
            &format!(
                "query($a:{}ID{}){{node(id:$a){{id}}}}",
                "[".repeat(60),
                "]".repeat(60)
            ),
            INVALID,
        ),
    ]
}

fn numbered_keys(count: usize) -> Value {
    let keys = (0..count).map(|number| (format!("k{number}"), json!(1)));
    Value::Object(keys.collect())
}
