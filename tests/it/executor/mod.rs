//! Documents are executed as the specification has it: what the server makes of them, by async-graphql. Versions of that
//! differ in some of these, so they decide about an upgrade.

mod schema;
mod through_http;

use async_graphql::PathSegment;
use rstest::rstest;
use serde_json::{Map, Value, json};

use schema::execute;

#[rstest]
#[case::aliases("{ a: fast b: fast }", r#"{"a":1,"b":1}"#)]
#[case::the_name_of_a_type(
    "{ __typename thing { __typename } }",
    r#"{"__typename":"Query","thing":{"__typename":"Thing"}}"#
)]
#[case::keys_in_the_order_of_the_query(
    "{ slow fast thing { slow name } z: slow a: fast }",
    r#"{"slow":2,"fast":1,"thing":{"slow":0,"name":"thing 0"},"z":2,"a":1}"#
)]
#[case::keys_in_the_order_of_fragments(
    "{ ...F fast } fragment F on Query { slow a: fast }",
    r#"{"slow":2,"a":1,"fast":1}"#
)]
#[case::a_key_where_it_stands_first(
    "{ fast slow ... { fast a: fast } }",
    r#"{"fast":1,"slow":2,"a":1}"#
)]
#[case::fields_of_one_name("{ fast fast fast }", r#"{"fast":1}"#)]
#[case::objects_of_one_name(
    "{ thing { name } thing { slow name } }",
    r#"{"thing":{"name":"thing 0","slow":0}}"#
)]
#[case::objects_of_one_name_further_down(
    "{ thing { inner { name } } ...F } fragment F on Query { thing { inner { slow } } }",
    r#"{"thing":{"inner":{"name":"thing 0","slow":0}}}"#
)]
#[case::lists_of_one_name(
    "{ things { name } ... { things { slow } } }",
    r#"{"things":[{"name":"thing 0","slow":0},{"name":"thing 1","slow":1}]}"#
)]
#[case::null_in_a_list(
    "{ maybeThings { slow } }",
    r#"{"maybeThings":[{"slow":0},null,{"slow":1}]}"#
)]
#[case::a_member_that_no_fragment_fits(
    "{ pets { ... on Dog { tricks } } }",
    r#"{"pets":[{},{"tricks":3}]}"#
)]
#[case::no_member_that_a_fragment_fits(
    "{ pets { ... on Dog { tricks @skip(if: true) } } }",
    r#"{"pets":[{},{}]}"#
)]
#[case::fragments_for_each_member(
    "{ pets { __typename ...C ... on Dog { tricks } } } fragment C on Cat { lives }",
    r#"{"pets":[{"__typename":"Cat","lives":9},{"__typename":"Dog","tricks":3}]}"#
)]
#[case::skipped("{ fast @skip(if: true) slow @skip(if: false) }", r#"{"slow":2}"#)]
#[case::included(
    "{ fast @include(if: true) slow @include(if: false) }",
    r#"{"fast":1}"#
)]
#[case::included_and_skipped(
    "{ fast @include(if: true) @skip(if: true) slow @include(if: true) @skip(if: false) }",
    r#"{"slow":2}"#
)]
#[case::skipped_before_it_fails("{ fast fails @skip(if: true) }", r#"{"fast":1}"#)]
#[case::a_union_within_an_interface(
    "{ pet { name ... on Pet { ... on Dog { tricks } ... on Cat { lives } } } }",
    r#"{"pet":{"name":"dog","tricks":3}}"#
)]
#[case::an_interface_within_a_union(
    "{ pets { ... on Named { name } ... on Dog { ... on Pet { __typename } } } }",
    r#"{"pets":[{"name":"cat"},{"name":"dog","__typename":"Dog"}]}"#
)]
#[case::objects_of_one_name_for_each_member(
    "{ pets { ... on Dog { friend { ...F } } ...N ... on Cat { friend { name } } } } fragment N on Named { friend { name a: name } } fragment F on Named { ... on Cat { lives } }",
    r#"{"pets":[{"friend":{"name":"dog","a":"dog"}},{"friend":{"lives":9,"name":"cat","a":"cat"}}]}"#
)]
#[case::objects_of_one_name_around_fragments(
    "{ thing { name } ...F thing { b: name } } fragment F on Query { thing { a: name } }",
    r#"{"thing":{"name":"thing 0","a":"thing 0","b":"thing 0"}}"#
)]
#[case::a_fragment_that_is_spread_twice(
    "{ thing { ...F name ...F } } fragment F on Thing { slow inner { ...G ...G } } fragment G on Thing { name }",
    r#"{"thing":{"slow":0,"inner":{"name":"thing 0"},"name":"thing 0"}}"#
)]
#[case::a_fragment_that_is_skipped_before_it_is_spread(
    "{ ...F @skip(if: true) slow ...F } fragment F on Query { fast }",
    r#"{"slow":2,"fast":1}"#
)]
#[case::one_of_one_name_is_skipped("{ fast @skip(if: true) fast }", r#"{"fast":1}"#)]
#[case::fragments_skipped(
    "{ fast ...F @skip(if: true) ... @include(if: false) { b: fast } } fragment F on Query { a: fast }",
    r#"{"fast":1}"#
)]
#[case::nothing_left("{ thing { name @skip(if: true) } }", r#"{"thing":{}}"#)]
#[tokio::test]
async fn the_answer_is(#[case] document: &str, #[case] data: &str) {
    let (answer, _) = execute(document, json!({})).await;

    assert_eq!(answer.errors, []);
    assert_eq!(serde_json::to_string(&answer.data).unwrap(), data);
}

/// Of fields of one name, those count whose conditions hold.
#[rstest]
#[case::none(false, false, r#"{"fast":1}"#)]
#[case::the_first(true, false, r#"{"thing":{"name":"thing 0"},"fast":1}"#)]
#[case::the_second(false, true, r#"{"thing":{"slow":0},"fast":1}"#)]
#[case::both(true, true, r#"{"thing":{"name":"thing 0","slow":0},"fast":1}"#)]
#[tokio::test]
async fn each_condition_decides_about_its_own_field(
    #[case] p: bool,
    #[case] q: bool,
    #[case] data: &str,
    #[values(
        "{ thing @include(if: $p) { name } thing @include(if: $q) { slow } fast }",
        "{ ... @include(if: $p) { thing { name } } thing @skip(if: $n) { slow } fast }",
        "{ thing @skip(if: $m) { name } ...F @include(if: $q) fast } fragment F on Query { thing { slow } }"
    )]
    document: &str,
) {
    let conditions = json!({ "p": p, "q": q, "m": !p, "n": !q });
    let used = conditions.as_object().unwrap().iter();
    let used = used.filter(|(name, _)| document.contains(&format!("${name}")));
    let (names, variables): (Vec<_>, Map<_, _>) = used
        .map(|(name, value)| (format!("${name}: Boolean!"), (name.clone(), value.clone())))
        .unzip();
    let document = format!("query({}) {document}", names.join(" "));

    let (answer, _) = execute(&document, Value::Object(variables)).await;

    assert_eq!(answer.errors, []);
    assert_eq!(serde_json::to_string(&answer.data).unwrap(), data);
}

/// The data, and where each error was.
#[rstest]
#[case::nullable("{ fast maybeFails }", r#"{"fast":1,"maybeFails":null}"#, &["maybeFails 1:8"])]
#[case::non_null("{ fast fails }", "null", &["fails 1:8"])]
#[case::non_null_in_a_nullable_object("{ fast thing { name fails } }", r#"{"fast":1,"thing":null}"#, &["thing.fails 1:21"])]
#[case::nullable_in_an_object("{ thing { name maybeFails } }", r#"{"thing":{"name":"thing 0","maybeFails":null}}"#, &["thing.maybeFails 1:16"])]
#[case::in_a_non_null_object("{ fast sureThing { fails } }", "null", &["sureThing.fails 1:20"])]
#[case::through_several_objects("{ fast thing { name sureInner { sureInner { fails } } } }", r#"{"fast":1,"thing":null}"#, &["thing.sureInner.sureInner.fails 1:45"])]
#[case::as_far_as_the_nearest("{ thing { name inner { sureInner { fails } } } }", r#"{"thing":{"name":"thing 0","inner":null}}"#, &["thing.inner.sureInner.fails 1:36"])]
#[case::in_a_list_of_nullable("{ maybeThings { name fails } }", r#"{"maybeThings":[null,null,{"name":"thing 1","fails":1}]}"#, &["maybeThings.0.fails 1:22"])]
#[case::in_each_of_a_list("{ things { maybeFails } }", r#"{"things":[{"maybeFails":null},{"maybeFails":null}]}"#, &["things.0.maybeFails 1:12", "things.1.maybeFails 1:12"])]
#[case::of_an_alias("{ a: thing { b: maybeFails } }", r#"{"a":{"b":null}}"#, &["a.b 1:14"])]
#[case::in_a_fragment("{ thing { ...F } }\nfragment F on Thing {\n  maybeFails\n}", r#"{"thing":{"maybeFails":null}}"#, &["thing.maybeFails 3:3"])]
#[case::in_two_places("{ a: maybeFails b: maybeFails fast }", r#"{"a":null,"b":null,"fast":1}"#, &["a 1:3", "b 1:17"])]
#[case::of_fields_of_one_name("{ maybeFails ...F } fragment F on Query { maybeFails ... { maybeFails } }", r#"{"maybeFails":null}"#, &["maybeFails 1:3"])]
#[case::of_a_member_in_fragments("{ pets { ... on Dog { maybeFails } ...F } } fragment F on Pet { ... on Dog { maybeFails } }", r#"{"pets":[{},{"maybeFails":null}]}"#, &["pets.1.maybeFails 1:23"])]
#[case::beside_what_is_slower("{ thing { slow fails } slow }", r#"{"thing":null,"slow":2}"#, &["thing.fails 1:16"])]
#[tokio::test]
async fn an_error_leaves(#[case] document: &str, #[case] data: &str, #[case] errors: &[&str]) {
    let (answer, _) = execute(document, json!({})).await;

    assert_eq!(serde_json::to_string(&answer.data).unwrap(), data);
    let mut places: Vec<_> = answer.errors.iter().map(place).collect();
    places.sort_unstable();
    assert_eq!(places, errors);
    assert!(answer.errors.iter().all(|error| error.message == "no"));
}

#[rstest]
#[case::one_after_the_other(
    "mutation { a: note(it: \"a\") b: note(it: \"b\") c: note(it: \"c\") }",
    r#"{"a":1,"b":2,"c":3}"#,
    "abc"
)]
#[case::in_fragments_too(
    "mutation { a: note(it: \"a\") ...F c: note(it: \"c\") } fragment F on Mutation { b: note(it: \"b\") }",
    r#"{"a":1,"b":2,"c":3}"#,
    "abc"
)]
#[case::once_when_they_share_a_name(
    "mutation { note(it: \"a\") note(it: \"a\") }",
    r#"{"note":1}"#,
    "a"
)]
#[case::once_when_one_stands_in_a_fragment(
    "mutation { note(it: \"a\") ...F } fragment F on Mutation { note(it: \"a\") b: note(it: \"b\") }",
    r#"{"note":1,"b":2}"#,
    "ab"
)]
#[case::once_when_they_stand_in_different_fragments(
    "mutation { ...F ...G ... { note(it: \"a\") } } fragment F on Mutation { note(it: \"a\") } fragment G on Mutation { ...F note(it: \"a\") }",
    r#"{"note":1}"#,
    "a"
)]
#[case::after_one_that_failed(
    "mutation { a: note(it: \"a\") maybeFails b: note(it: \"b\") }",
    r#"{"a":1,"maybeFails":null,"b":2}"#,
    "ab"
)]
#[case::not_after_one_that_had_to_work(
    "mutation { a: note(it: \"a\") fails b: note(it: \"b\") }",
    "null",
    "a"
)]
#[case::not_when_skipped(
    "mutation { a: note(it: \"a\") @skip(if: true) b: note(it: \"b\") }",
    r#"{"b":1}"#,
    "b"
)]
#[tokio::test]
async fn mutations_are_run(#[case] document: &str, #[case] data: &str, #[case] noted: &str) {
    let (answer, notes) = execute(document, json!({})).await;

    assert_eq!(serde_json::to_string(&answer.data).unwrap(), data);
    assert_eq!(notes.concat(), noted);
}

#[rstest]
#[case::nothing("{ it: given }", json!({}), "nothing")]
#[case::null("{ it: given(it: null) }", json!({}), "null")]
#[case::a_literal("{ it: given(it: 1) }", json!({}), "1")]
#[case::a_variable("query($a: Int) { it: given(it: $a) }", json!({ "a": 1 }), "1")]
#[case::a_variable_without_a_value("query($a: Int) { it: given(it: $a) }", json!({}), "nothing")]
#[case::a_variable_without_a_value_before_a_default("query($a: Int) { it: orSeven(it: $a) }", json!({}), 7)]
#[case::a_variable_without_a_value_in_an_object("query($a: String, $b: Int) { it: shape(it: { size: SMALL, note: $a, sides: $b }) }", json!({}), "Small 4 Undefined")]
#[case::a_variable_without_a_value_in_an_object_in_a_list("query($a: String) { it: shapes(it: [{ size: SMALL, note: $a }]) }", json!({}), "Small 4 Undefined")]
#[case::null_for_a_variable_in_an_object("query($a: String) { it: shape(it: { size: SMALL, note: $a }) }", json!({ "a": null }), "Small 4 Null")]
#[case::a_variable_that_is_null("query($a: Int) { it: given(it: $a) }", json!({ "a": null }), "null")]
#[case::a_variables_default("query($a: Int = 2) { it: given(it: $a) }", json!({}), "2")]
#[case::null_instead_of_a_variables_default("query($a: Int = 2) { it: given(it: $a) }", json!({ "a": null }), "null")]
#[case::another_value_than_a_variables_default("query($a: Int = 2) { it: given(it: $a) }", json!({ "a": 3 }), "3")]
#[case::null_as_default("query($a: Int = null) { it: given(it: $a) }", json!({}), "null")]
#[case::an_arguments_default("{ it: orSeven }", json!({}), 7)]
#[case::null_instead_of_an_arguments_default("{ it: orSeven(it: null) }", json!({}), null())]
#[case::another_value_than_an_arguments_default("{ it: orSeven(it: 1) }", json!({}), 1)]
#[case::a_variables_default_before_an_arguments("query($a: Int = 2) { it: orSeven(it: $a) }", json!({}), 2)]
#[case::an_integer_as_a_fraction("{ it: float(it: 1) }", json!({}), 1.0)]
#[case::an_integer_as_a_fraction_in_a_variable("query($a: Float!) { it: float(it: $a) }", json!({ "a": 1 }), 1.0)]
#[case::an_integer_as_an_id("{ it: id(it: 1) }", json!({}), "1")]
#[case::an_integer_as_an_id_in_a_variable("query($a: ID!) { it: id(it: $a) }", json!({ "a": 1 }), "1")]
#[case::one_item_as_a_list("{ it: list(it: 1) }", json!({}), json!([1]))]
#[case::one_item_as_a_list_in_a_variable("query($a: [Int]) { it: list(it: $a) }", json!({ "a": 1 }), json!([1]))]
#[case::one_item_as_a_list_of_lists("{ it: lists(it: 1) }", json!({}), json!([[1]]))]
#[case::null_as_a_list("{ it: list(it: null) }", json!({}), null())]
#[case::null_as_an_item("{ it: list(it: [1, null]) }", json!({}), json!([1, null]))]
#[case::variables_as_items("query($a: Int, $b: Int = 5) { it: list(it: [$a, $b, 6]) }", json!({ "a": 4 }), json!([4, 5, 6]))]
#[case::a_variable_without_a_value_as_an_item("query($a: Int) { it: list(it: [1, $a]) }", json!({}), json!([1, null]))]
#[case::an_enumeration("{ it: size(it: LARGE) }", json!({}), "LARGE")]
#[case::an_enumeration_in_a_variable("query($a: Size!) { it: size(it: $a) }", json!({ "a": "LARGE" }), "LARGE")]
#[case::an_object_with_a_default("{ it: shape(it: { size: SMALL }) }", json!({}), "Small 4 Undefined")]
#[case::an_object("{ it: shape(it: { note: null, sides: 3, size: LARGE }) }", json!({}), "Large 3 Null")]
#[case::an_object_in_a_variable("query($a: Shape!) { it: shape(it: $a) }", json!({ "a": { "size": "LARGE", "note": "a" } }), "Large 4 Value(\"a\")")]
#[case::a_variable_in_an_object("query($a: String) { it: shape(it: { size: SMALL, note: $a }) }", json!({ "a": "a" }), "Small 4 Value(\"a\")")]
#[tokio::test]
async fn a_value_arrives_as(
    #[case] document: &str,
    #[case] variables: Value,
    #[case] it: impl Into<Value>,
) {
    let (answer, _) = execute(document, variables).await;

    assert_eq!(answer.errors, []);
    let data = answer.data.into_json().unwrap();
    assert_eq!(data, json!({ "it": it.into() }));
}

/// Where async-graphql is known not to do as the specification has it, and the server does not mend it. Nobody sees it:
/// nothing that is not null fails in a list of the server's schema.
#[tokio::test]
async fn otherwise_the_path_of_an_error_ends_at_the_item_that_it_nulls() {
    let (answer, _) = execute("{ fast things { name fails } }", json!({})).await;

    let data = serde_json::to_string(&answer.data).unwrap();
    assert_eq!(data, r#"{"fast":1,"things":null}"#);
    assert_eq!(place(&answer.errors[0]), "things.0 1:22");
}

fn null() -> Value {
    Value::Null
}

/// The path of an error, and its place in the document.
fn place(error: &async_graphql::ServerError) -> String {
    let segment = |segment: &PathSegment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    };
    let path: Vec<_> = error.path.iter().map(segment).collect();
    let places = error.locations.iter();
    let places: Vec<_> = places
        .map(|at| format!("{}:{}", at.line, at.column))
        .collect();
    format!("{} {}", path.join("."), places.join(" "))
}
