//! Fragments: a few of them stand for many selections.

use super::{Attack, numbered};

const TOO_COMPLEX: &str = "400 QUERY_TOO_COMPLEX";
const INVALID: &str = "400 GRAPHQL_VALIDATION_FAILED";

pub(super) fn attacks(round: usize) -> Vec<Attack> {
    let document = |name: &'static str, text: &str, answer: &'static str| {
        Attack::document(name, &format!("{text}#{round}"), answer)
    };
    let chain = |count: usize, times: usize| {
        let fragments = numbered(count, |number| {
            let spreads = format!("...F{} ", number + 1).repeat(times);
            format!("fragment F{number} on Query{{{spreads}}}")
        });
        format!("{{...F0}}{fragments}fragment F{count} on Query{{__typename}}")
    };
    let spread = "...F ";
    vec![
        document("fragments that double", &chain(100, 2), TOO_COMPLEX),
        document("fragments that become ten", &chain(50, 10), TOO_COMPLEX),
        document("fragments in a row", &chain(200, 1), TOO_COMPLEX),
        document(
            "as many fragments in a row as there may be",
            &chain(30, 1),
            "200",
        ),
        document(
            "a fragment that spreads itself",
            "{...F}fragment F on Query{...F}",
            INVALID,
        ),
        document(
            "fragments that spread themselves over and over",
            &format!("{{...F}}fragment F on Query{{{}}}", spread.repeat(900)),
            INVALID,
        ),
        document(
            "a long circle of fragments",
            &format!(
                "{{...F0}}{}",
                numbered(220, |number| format!(
                    "fragment F{number} on Query{{...F{}}}",
                    (number + 1) % 220
                ))
            ),
            INVALID,
        ),
        document(
            "fragments that all spread all",
            &format!(
                "{{...F0}}{}",
                numbered(25, |number| {
                    let spreads = numbered(25, |other| format!("...F{other} "));
                    format!("fragment F{number} on Query{{{spreads}}}")
                })
            ),
            INVALID,
        ),
        document(
            "fragments that all spread those after them",
            &format!(
                "{{...F0}}{}",
                numbered(36, |number| {
                    let spreads =
                        numbered(35 - number, |other| format!("...F{} ", number + 1 + other));
                    format!("fragment F{number} on Query{{__typename {spreads}}}")
                })
            ),
            TOO_COMPLEX,
        ),
        document(
            "a fan of spreads",
            &format!(
                "{{__schema{{queryType{{{}}}}}}}fragment F on __Type{{{}}}",
                spread.repeat(300),
                "name ".repeat(300)
            ),
            TOO_COMPLEX,
        ),
        document(
            "as wide a fan as there may be",
            &format!(
                "{{__schema{{queryType{{{}}}}}}}fragment F on __Type{{{}}}",
                spread.repeat(31),
                "name ".repeat(31)
            ),
            "200",
        ),
        document(
            "fragments that nobody spreads",
            &format!(
                "{{__typename}}{}",
                numbered(250, |number| format!(
                    "fragment F{number} on Query{{__typename}}"
                ))
            ),
            INVALID,
        ),
        document(
            "fragments of one name",
            &format!("{{...F}}{}", "fragment F on Query{__typename}".repeat(280)),
            INVALID,
        ),
        document(
            "fragments that there are not",
            &format!(
                "{{__schema{{queryType{{{}}}}}}}",
                numbered(480, |number| format!("...F{number} "))
            ),
            INVALID,
        ),
        document(
            "fragments on types that there are not",
            &format!(
                "{{__schema{{queryType{{{}}}}}}}{}",
                numbered(150, |number| format!("...F{number} ")),
                numbered(150, |number| format!(
                    "fragment F{number} on T{number}{{id}}"
                ))
            ),
            INVALID,
        ),
        document(
            "selections to compare, through fragments",
            &format!(
                "{{linkedInTargets{{{}}}}}{}",
                numbered(100, |number| format!("...F{number} ")),
                numbered(100, |number| format!(
                    "fragment F{number} on LinkedInTarget{{...on OrgPage{{label imageUrl}}}}"
                ))
            ),
            "200",
        ),
        document(
            "what all types of an interface have, in fragments",
            &format!(
                "{{node(id:\"x\"){{{}}}}}",
                "...on Node{id __typename}".repeat(280)
            ),
            "200",
        ),
        document(
            "each type of an interface, over and over",
            &format!(
                "{{node(id:\"x\"){{{}}}}}",
                "...on LinkedInPostingTarget{target{...on LinkedInDestination{id}}}".repeat(140)
            ),
            "200",
        ),
        document(
            "a variable that each fragment uses",
            &format!(
                "query($a:Boolean!){{__schema{{queryType{{{}}}}}}}{}",
                numbered(49, |number| format!("...F{number} ")),
                numbered(49, |number| format!(
                    "fragment F{number} on __Type{{name@include(if:$a)}}"
                ))
            ),
            "400 BAD_USER_INPUT",
        ),
    ]
}
