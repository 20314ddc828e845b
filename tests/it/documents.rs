//! Which documents are executed: those within the limits, and valid by the schema.

use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use linkedin_targets::config::Limits;

use crate::support::{
    app::{Reply, TestApp},
    database::Backend,
};

mod limits {
    use super::*;

    #[tokio::test]
    async fn bytes() {
        at_most(
            |limits| &mut limits.bytes,
            "bytes",
            |count| format!("{:<count$}", "{ __typename }"),
        )
        .await;
    }

    /// Blanks, commas and comments are no tokens.
    #[tokio::test]
    async fn tokens() {
        at_most(
            |limits| &mut limits.tokens,
            "tokens",
            |count| {
                let (lists, names) = ((count - 8) / 9, (count - 8) % 9);
                format!(
                    "{{ __schema {{ queryType {{ {} {} }} }} }} # done",
                    "enumValues(includeDeprecated: true) { name }, ".repeat(lists),
                    "name ".repeat(names)
                )
            },
        )
        .await;
    }

    #[tokio::test]
    async fn selections() {
        at_most(
            |limits| &mut limits.selections,
            "selections",
            |count| {
                let (spreads, names) = ((count - 2) / 10, (count - 2) % 10);
                format!(
                    "{{ __schema {{ queryType {{ {} {} }} }} }} fragment Nine on __Type {{ {} }}",
                    "...Nine ".repeat(spreads),
                    "name ".repeat(names),
                    "name ".repeat(9)
                )
            },
        )
        .await;
    }

    #[tokio::test]
    async fn aliases() {
        at_most(
            |limits| &mut limits.aliases,
            "aliases",
            |count| {
                let names = numbered(count, |number| format!("a{number}: name "));
                format!("{{ __schema {{ queryType {{ {names} }} }} }}")
            },
        )
        .await;
    }

    #[tokio::test]
    async fn directives() {
        at_most(
            |limits| &mut limits.directives,
            "directives",
            |count| {
                let names = "name @include(if: true) ".repeat(count);
                format!("{{ __schema {{ queryType {{ {names} }} }} }}")
            },
        )
        .await;
    }

    #[tokio::test]
    async fn fields_inside_each_other() {
        at_most(
            |limits| &mut limits.depth,
            "fields inside each other",
            |count| nested(&["__schema", "queryType"], count - 3, "ofType", "name"),
        )
        .await;
    }

    #[tokio::test]
    async fn selections_inside_each_other() {
        for depth in [16, 17, 15] {
            let app = with(|limits| limits.depth = depth).await;
            held(&app, 2 * depth, "selections inside each other", |count| {
                nested(&[], count - 1, "...", "__typename")
            })
            .await;
        }
    }

    #[tokio::test]
    async fn root_fields() {
        at_most(
            |limits| &mut limits.root_fields,
            "root fields",
            |count| format!("{{ {} }}", "__typename ".repeat(count)),
        )
        .await;
    }

    #[tokio::test]
    async fn root_fields_in_fragments() {
        at_most(|limits| &mut limits.root_fields, "root fields", |count| {
            let spreads = "...Two ".repeat(count / 2);
            let rest = "__typename ".repeat(count % 2);
            format!(
                "{{ {spreads} {rest} }} fragment Two on Query {{ __typename ... {{ __typename }} }}"
            )
        })
        .await;
    }

    /// Those of a fragment that is spread further down are none.
    #[tokio::test]
    async fn root_fields_stand_at_the_top_of_an_operation() {
        let app = app().await;
        let names = "name ".repeat(21);
        let document =
            format!("{{ __schema {{ queryType {{ ...F }} }} }} fragment F on __Type {{ {names} }}");

        let reply = ask(&app, &document).await;

        assert_eq!(reply.data()["__schema"]["queryType"]["name"], "Query");
    }

    /// What is asked of every type of the schema counts twice, and four times what is asked of every field of every type.
    #[rstest]
    #[case("types { ", " }", 498)]
    #[case("types { enumValues { ", " } }", 248)]
    #[case("types { fields { ", " } }", 248)]
    #[case("types { inputFields { ", " } }", 248)]
    #[case("types { interfaces { ", " } }", 248)]
    #[case("types { possibleTypes { ", " } }", 248)]
    #[case("types { fields { type { ", " } } }", 247)]
    #[case("queryType { fields { ", " } }", 498)]
    #[tokio::test]
    async fn selections_in_a_list_of_the_schema(
        #[case] open: &str,
        #[case] close: &str,
        #[case] most: usize,
    ) {
        let app = app().await;
        held(&app, 1_000, "selections", |count| {
            let names = "name ".repeat(most + count - 1_000);
            format!("{{ __schema {{ {open}{names}{close} }} }}")
        })
        .await;
    }

    #[tokio::test]
    async fn values_of_variables() {
        for most in [2_000, 1_999] {
            let app = with(|limits| limits.tokens = most).await;
            let ada = app.person("ada").await;
            let with = async |count: usize| {
                let variables =
                    json!({ "a": vec![1; count - 5], "c": [], "d": {}, "e": { "b": 1 } });
                app.gql_with(&ada, "{ __typename }", variables).await
            };

            assert!(with(most).await.data().is_object());
            assert_too_complex(&with(most + 1).await, "variables have too many values");
        }
    }

    #[tokio::test]
    async fn introspection_lists_inside_each_other() {
        at_most(
            |limits| &mut limits.introspection_lists,
            "introspection lists inside each other",
            |count| {
                let lists = ["fields", "type"].repeat(count - 1);
                let path = [&["__schema", "types"], lists.as_slice()].concat();
                nested(&path, 0, "", "fields { name }")
            },
        )
        .await;
    }

    #[tokio::test]
    async fn operations() {
        let document =
            |count| numbered(count, |number| format!("query Q{number} {{ __typename }} "));
        for most in [20, 21, 19] {
            let app = with(|limits| limits.operations = most).await;

            let taken = named(&app, &document(most), "Q0").await;
            let refused = named(&app, &document(most + 1), "Q0").await;

            assert_eq!(taken.data(), json!({ "__typename": "Query" }));
            assert_too_complex(&refused, "operations");
        }
    }

    /// As many as there are by default, and one more or less where the operator wants it so.
    async fn at_most(
        limit: fn(&mut Limits) -> &mut usize,
        what: &str,
        document: impl Fn(usize) -> String,
    ) {
        let usual = *limit(&mut Limits::default());
        for most in [usual, usual + 1, usual - 1] {
            let app = with(|limits| *limit(limits) = most).await;
            held(&app, most, what, &document).await;
        }
    }

    /// The same document, with one more of what is counted.
    async fn held(app: &TestApp, most: usize, what: &str, document: impl Fn(usize) -> String) {
        let taken = ask(app, &document(most)).await;
        let refused = ask(app, &document(most + 1)).await;

        assert!(taken.data().is_object());
        assert_too_complex(&refused, what);
        assert!(
            refused.text.contains(&format!("at most {most} ")),
            "{}",
            refused.text
        );
    }

    /// Whoever lowers a limit below what the REST face asks for means GraphQL's clients.
    #[tokio::test]
    async fn they_are_not_those_of_the_rest_face() {
        let app = with(|limits| {
            (limits.selections, limits.depth, limits.tokens) = (1, 1, 10);
        })
        .await;
        let ada = app.person("ada").await;

        let graphql = app.gql(&ada, "{ linkedInTargets { __typename } }").await;
        let rest = app.get("/api/linkedin/posting-targets", &ada).await;

        assert_too_complex(&graphql, "selections");
        assert_eq!(rest.status, 200);
    }

    /// As deep as an operator can allow it: what executes the documents must be able to follow.
    #[tokio::test]
    async fn the_greatest_depth_can_be_answered() {
        let app = with(|limits| limits.depth = 32).await;

        let fields = nested(&["__schema", "queryType"], 29, "ofType", "name");
        let fragments = nested(&[], 63, "...", "__typename");

        assert!(ask(&app, &fields).await.data().is_object());
        assert!(ask(&app, &fragments).await.data().is_object());
    }

    async fn with(change: impl FnOnce(&mut Limits)) -> TestApp {
        let app = TestApp::with(Backend::Sqlite, |settings| change(&mut settings.limits));
        app.await.unwrap()
    }

    #[rstest]
    #[case::lists('[', ']')]
    #[case::objects('{', '}')]
    #[tokio::test]
    async fn brackets_inside_each_other(#[case] open: char, #[case] close: char) {
        let app = app().await;
        let open = if open == '{' {
            "{a:".to_owned()
        } else {
            open.to_string()
        };
        let close = close.to_string();
        let document = |count| {
            format!(
                "{{ node(id: {}1{}) {{ id }} }}",
                open.repeat(count),
                close.repeat(count)
            )
        };

        let few = ask(&app, &document(50)).await;
        let many = ask(&app, &document(70)).await;
        let very_many = ask(&app, &document(400)).await;

        assert!(
            few.codes()
                .iter()
                .all(|code| code == "GRAPHQL_VALIDATION_FAILED"),
            "{}",
            few.text
        );
        assert_too_complex(&many, "levels of nesting");
        assert_too_complex(&very_many, "levels of nesting");
    }

    #[tokio::test]
    async fn fragments_that_double_are_counted_without_being_expanded() {
        let app = app().await;
        let mut document = "{ ...F0 } fragment F30 on Query { __typename }".to_owned();
        for (number, next) in (0..30).zip(1..) {
            write!(
                document,
                " fragment F{number} on Query {{ ...F{next} ...F{next} }}"
            )
            .unwrap();
        }

        let reply = ask(&app, &document).await;

        assert_eq!(reply.codes(), ["QUERY_TOO_COMPLEX"]);
    }

    /// Their number, if it were not held at the top, would come round to a small one.
    #[tokio::test]
    async fn numbers_too_large_to_count_are_too_large() {
        let app = app().await;
        let ten = |next: &str| format!("...{next} ").repeat(10);
        let mut document = "{ ...F0 } fragment F20 on Query { __typename }".to_owned();
        for (number, next) in (0..20).zip(1..) {
            write!(
                document,
                " fragment F{number} on Query {{ {} }}",
                ten(&format!("F{next}"))
            )
            .unwrap();
        }

        let reply = ask(&app, &document).await;

        assert_eq!(reply.codes(), ["QUERY_TOO_COMPLEX"]);
    }

    #[rstest]
    #[case::itself("{ ...A } fragment A on Query { ...A }")]
    #[case::each_other("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }")]
    #[case::deeper(
        "{ ...A } fragment A on Query { __schema { queryType { ...B } } } fragment B on __Type { ofType { ...B } }"
    )]
    #[case::unused("{ __typename } fragment A on Query { ...A }")]
    #[tokio::test]
    async fn fragments_that_spread_themselves_are_invalid(#[case] document: &str) {
        let app = app().await;

        let reply = ask(&app, document).await;

        assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    }

    #[tokio::test]
    async fn of_fragments_that_spread_each_other_the_first_is_always_named() {
        let app = app().await;
        let circle = numbered(30, |number| {
            let next = (number + 1) % 30;
            format!(" fragment F{number} on Query {{ ...F{next} }}")
        });

        let reply = ask(&app, &format!("{{ ...Nothing }}{circle}")).await;

        let message = &reply.json()["errors"][0]["message"];
        assert_eq!(message, "The fragment \"F0\" spreads itself.");
    }

    fn assert_too_complex(reply: &Reply, what: &str) {
        assert_eq!(reply.codes(), ["QUERY_TOO_COMPLEX"], "{}", reply.text);
        assert!(reply.text.contains(what), "{}", reply.text);
        assert!(reply.json().get("data").is_none());
    }

    fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
        (0..count).map(line).collect()
    }

    /// `{ first { second { between { between { last } } } } }`
    fn nested(path: &[&str], count: usize, between: &str, last: &str) -> String {
        let path = [path, vec![between; count].as_slice()].concat();
        let open: String = path.iter().map(|name| format!("{{ {name} ")).collect();
        format!("{open}{{ {last} }}{}", " }".repeat(path.len()))
    }
}

mod introspection {
    use super::*;

    /// As graphql-js asks with all of its options.
    const FULL: &str = include_str!("documents/introspection.graphql");

    #[tokio::test]
    async fn the_standard_query_is_answered_to_everybody() {
        let app = app().await;

        let reply = ask(&app, FULL).await;

        let schema = &reply.data()["__schema"];
        assert_eq!(schema["queryType"]["name"], "Query");
        let named = |name: &str| {
            let types = schema["types"].as_array().unwrap();
            types.iter().find(|it| it["name"] == name).unwrap().clone()
        };
        assert_eq!(named("LinkedInTargetInput")["isOneOf"], true);
        assert_eq!(
            named("SetLinkedInPostingPreferencesInput")["isOneOf"],
            false
        );
        assert_eq!(named("Query")["isOneOf"], Value::Null);
        let url = "https://url.spec.whatwg.org/";
        assert_eq!(named("URL")["specifiedByURL"], url);
    }

    #[rstest]
    #[case("{ __schema { queryType { name } } }")]
    #[case("{ __type(name: \"Query\") { name } }")]
    #[case("{ ...F } fragment F on Query { ... { s: __schema { queryType { name } } } }")]
    #[case(FULL)]
    #[tokio::test]
    async fn where_it_is_off_asking_is_an_error(#[case] document: &str) {
        let app = without_introspection().await;

        let reply = ask(&app, document).await;

        assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
        assert!(reply.json().get("data").is_none());
    }

    #[tokio::test]
    async fn where_it_is_off_everything_else_works_and_nothing_is_suggested() {
        let app = without_introspection().await;
        let ada = app.person("ada").await;

        let typename = app
            .gql(&ada, "{ __typename linkedInTargets { __typename } }")
            .await;
        let misspelt = app.gql(&ada, "{ linkedInTarget { __typename } }").await;

        assert_eq!(
            typename.data(),
            json!({ "__typename": "Query", "linkedInTargets": [] })
        );
        assert_eq!(misspelt.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
        assert!(
            !misspelt.text.contains("linkedInTargets"),
            "{}",
            misspelt.text
        );
    }

    async fn without_introspection() -> TestApp {
        let app = TestApp::with(Backend::Sqlite, |settings| settings.introspection = false);
        app.await.unwrap()
    }
}

mod validation {
    use super::*;

    #[rstest]
    #[case::unknown_field("{ nothing }", (1, 3))]
    #[case::unknown_field_further_down("{\n  linkedInTargets {\n    nothing\n  }\n}", (3, 5))]
    #[case::unknown_argument("{ node(id: \"x\", of: 1) { id } }", (1, 17))]
    #[case::missing_argument("{ node { id } }", (1, 3))]
    #[case::unknown_type("{ node(id: \"x\") { ... on Nothing { id } } }", (1, 26))]
    #[case::impossible_type("{ linkedInTargets { ... on Organization { id } } }", (1, 21))]
    #[case::unknown_fragment("{ ...Nothing }", (1, 3))]
    #[case::unused_fragment("{ __typename } fragment F on Query { __typename }", (1, 16))]
    #[case::selections_missing("{ linkedInTargets }", (1, 3))]
    #[case::selections_on_a_leaf("{ __typename { id } }", (1, 3))]
    #[case::unknown_directive("{ __typename @nothing }", (1, 14))]
    #[case::unused_variable("query($x: ID) { __typename }", (1, 7))]
    #[case::undeclared_variable("{ node(id: $x) { id } }", (1, 12))]
    #[case::variable_of_another_type("query($x: Int!) { node(id: $x) { id } }", (1, 24))]
    #[case::nullable_variable_in_a_non_null_place("query($x: ID) { node(id: $x) { id } }", (1, 22))]
    #[case::variable_of_an_output_type("query($x: Query) { node(id: $x) { id } }", (1, 7))]
    #[case::list_variable_in_the_place_of_one("query($x: [ID!]!) { node(id: $x) { id } }", (1, 26))]
    #[case::literal_of_another_type("{ node(id: 1.5) { id } }", (1, 12))]
    #[case::a_key_twice("mutation { setLinkedInPostingPreferences(input: { targets: [], targets: [] }) { __typename } }", (1, 73))]
    #[case::a_default_without_a_key("mutation($x: SetLinkedInPostingPreferencesInput! = { targets: [{}] }) { setLinkedInPostingPreferences(input: $x) { __typename } }", (1, 64))]
    #[case::null_in_a_non_null_place("{ node(id: null) { id } }", (1, 12))]
    #[case::one_name_for_two_fields("{ x: linkedInTargets { __typename } x: linkedInPostingPreferences { id } }", (1, 37))]
    #[case::one_name_for_two_arguments("{ node(id: \"a\") { id } node(id: \"b\") { id } }", (1, 24))]
    #[case::one_name_for_two_types("{ linkedInTargets { ... on OrgPage { x: id } ... on Personal { x: label } } }", (1, 64))]
    #[case::one_name_for_two_nullabilities("{ linkedInTargets { ... on OrgPage { x: label } ... on Personal { x: avatarUrl } } }", (1, 67))]
    #[tokio::test]
    async fn an_invalid_document_is_refused_with_the_place(
        #[case] document: &str,
        #[case] (line, column): (u32, u32),
    ) {
        let app = app().await;

        let reply = ask(&app, document).await;

        assert_eq!(
            reply.codes()[0],
            "GRAPHQL_VALIDATION_FAILED",
            "{}",
            reply.text
        );
        let json = reply.json();
        let errors = json["errors"].as_array().unwrap();
        let place = json!([{ "line": line, "column": column }]);
        assert!(
            errors.iter().any(|error| error["locations"] == place),
            "{json}"
        );
        assert!(reply.json().get("data").is_none());
    }

    #[rstest]
    #[case::nothing("")]
    #[case::a_comment("# nothing")]
    #[case::half("{ __typename")]
    #[case::empty_selections("{ }")]
    #[case::two_unnamed("{ __typename } }")]
    #[case::a_bare_word("hello")]
    #[case::an_open_string("{ node(id: \"x) { id } }")]
    #[tokio::test]
    async fn what_is_no_graphql_is_not_parsed(#[case] document: &str) {
        let app = app().await;

        let reply = ask(&app, document).await;

        let codes = reply.codes();
        assert!(!codes.is_empty());
        let refusals = ["GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT"];
        assert!(
            codes.iter().all(|code| refusals.contains(&code.as_str())),
            "{}",
            reply.text
        );
    }

    #[tokio::test]
    async fn a_syntax_error_says_where() {
        let app = app().await;

        let reply = ask(&app, "{\n  node(id: ) { id }\n}").await;

        let error = &reply.json()["errors"][0];
        assert_eq!(error["extensions"]["code"], "GRAPHQL_PARSE_FAILED");
        assert_eq!(error["locations"][0]["line"], 2);
    }

    #[rstest]
    #[case::two_of_one_name("query A { __typename } query A { __typename }")]
    #[case::a_name_beside_none("query A { __typename } { __typename }")]
    #[case::a_type("type A { a: Int }")]
    #[case::a_subscription("subscription { __typename }")]
    #[tokio::test]
    async fn a_document_of_other_definitions_is_invalid(#[case] document: &str) {
        let app = app().await;

        let reply = named(&app, document, "A").await;

        assert_eq!(
            reply.codes()[0],
            "GRAPHQL_VALIDATION_FAILED",
            "{}",
            reply.text
        );
    }

    #[rstest]
    #[case::usual(20)]
    #[case::lowered(3)]
    #[case::raised(25)]
    #[tokio::test]
    async fn so_many_errors_are_enough(#[case] most: usize) {
        let app = TestApp::with(Backend::Sqlite, |settings| settings.limits.errors = most);
        let app = app.await.unwrap();
        let unknown: String = (0..15).map(|number| format!("n{number} ")).collect();
        let names = ('a'..='z').map(|name| format!("${name}: ID! "));
        let uses = ('a'..='z').map(|name| format!("... {{ {name}: node(id: ${name}) {{ id }} }} "));
        let (names, uses): (String, String) = (names.collect(), uses.collect());
        let failing: String = ('a'..='t')
            .map(|name| format!("{name}: node(id: \"x\") {{ id }} "))
            .collect();

        let invalid = ask(&app, &format!("{{ {unknown} __schema {{ {unknown} }} }}")).await;
        let failed = ask(&app, &format!("{{ {failing} }}")).await;
        let unfit = TestApp::with(Backend::Sqlite, |settings| {
            settings.limits.errors = most;
            settings.limits.root_fields = 26;
        });
        let unfit = unfit.await.unwrap();
        let unfit = ask(&unfit, &format!("query({names}) {{ {uses} }}")).await;

        assert_eq!(invalid.codes(), vec!["GRAPHQL_VALIDATION_FAILED"; most]);
        assert_eq!(failed.codes(), vec!["UNAUTHENTICATED"; most.min(20)]);
        assert_eq!(unfit.codes(), vec!["BAD_USER_INPUT"; most]);
    }

    #[tokio::test]
    async fn a_default_makes_up_for_a_nullable_variable() {
        let app = app().await;
        let ada = app.person("ada").await;

        let reply = app
            .gql(&ada, "query($x: ID = \"a\") { node(id: $x) { id } }")
            .await;

        assert_eq!(reply.data(), json!({ "node": null }));
    }

    #[rstest]
    #[case::as_by_default(json!({}), json!({ "a": "Query" }))]
    #[case::said(json!({ "with": false, "without": false }), json!({ "b": "Query" }))]
    #[tokio::test]
    async fn conditions_go_by_defaults_too(#[case] variables: Value, #[case] data: Value) {
        let document = "query One { a: __typename }
            query Two($with: Boolean! = true, $without: Boolean! = true) {
                a: __typename @include(if: $with) b: __typename @skip(if: $without)
            }";
        let app = app().await;
        let body = json!({ "query": document, "operationName": "Two", "variables": variables });

        let reply = send(&app, &body).await;

        assert_eq!(reply.data(), data);
    }

    #[rstest]
    #[case::missing(json!({}))]
    #[case::null(json!({ "input": null }))]
    #[case::of_another_type(json!({ "input": "x" }))]
    #[case::without_a_required_key(json!({ "input": {} }))]
    #[case::with_an_unknown_key(json!({ "input": { "targets": [], "more": 1 } }))]
    #[case::null_in_a_list(json!({ "input": { "targets": [null] } }))]
    #[case::unknown_value_of_an_enum(json!({ "input": { "targets": [{ "personal": "SOMEBODY" }] } }))]
    #[case::one_of_none(json!({ "input": { "targets": [{}] } }))]
    #[case::one_of_two(json!({ "input": { "targets": [{ "personal": "VIEWER", "orgPageId": "x" }] } }))]
    #[case::one_of_two_one_of_them_null(json!({ "input": { "targets": [{ "personal": "VIEWER", "orgPageId": null }] } }))]
    #[case::one_of_null(json!({ "input": { "targets": [{ "orgPageId": null }] } }))]
    #[tokio::test]
    async fn values_that_do_not_fit_their_variable_are_refused(#[case] variables: Value) {
        let app = app().await;
        let ada = app.person("ada").await;
        app.connect_linkedin(&ada, "Ada").await;
        let document = "mutation M($input: SetLinkedInPostingPreferencesInput!) {
            setLinkedInPostingPreferences(input: $input) { __typename }
        }";

        let reply = app.gql_with(&ada, document, variables).await;

        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{}", reply.text);
        let location = json!({ "line": 1, "column": 12 });
        assert_eq!(reply.json()["errors"][0]["locations"], json!([location]));
        assert!(reply.json().get("data").is_none());
    }

    #[rstest]
    #[case::none("{}", "")]
    #[case::two(r#"{ personal: VIEWER, orgPageId: "x" }"#, "")]
    #[case::two_one_of_them_null("{ personal: VIEWER, orgPageId: null }", "")]
    #[case::null("{ orgPageId: null }", "")]
    #[case::nullable_variable("{ orgPageId: $id }", "($id: ID)")]
    #[case::nullable_variable_with_a_default("{ orgPageId: $id }", "($id: ID = \"x\")")]
    #[tokio::test]
    async fn one_of_several_keys_is_written_with_a_value(
        #[case] target: &str,
        #[case] variables: &str,
    ) {
        let app = app().await;
        let ada = app.person("ada").await;
        let document = format!("mutation M{variables} {{ {} }}", save(target));

        let reply = app.gql_with(&ada, &document, json!({ "id": "x" })).await;

        assert_eq!(
            reply.codes(),
            ["GRAPHQL_VALIDATION_FAILED"],
            "{}",
            reply.text
        );
        assert!(reply.json()["errors"][0]["locations"][0]["line"].is_u64());
    }

    #[rstest]
    #[case::literal("{ personal: VIEWER }", "", json!({}))]
    #[case::variable("{ personal: $who }", "($who: LinkedInPersonalSelector!)", json!({ "who": "VIEWER" }))]
    #[case::whole("$target", "($target: LinkedInTargetInput!)", json!({ "target": { "personal": "VIEWER" } }))]
    #[tokio::test]
    async fn one_of_several_keys_may_come_from_a_variable(
        #[case] target: &str,
        #[case] declared: &str,
        #[case] variables: Value,
    ) {
        let app = app().await;
        let ada = app.person("ada").await;
        app.connect_linkedin(&ada, "Ada").await;
        let document = format!("mutation M{declared} {{ {} }}", save(target));

        let reply = app.gql_with(&ada, &document, variables).await;

        let outcome = &reply.data()["setLinkedInPostingPreferences"];
        assert_eq!(
            outcome["__typename"],
            "SetLinkedInPostingPreferencesSuccess"
        );
    }

    fn save(target: &str) -> String {
        format!("setLinkedInPostingPreferences(input: {{ targets: [{target}] }}) {{ __typename }}")
    }
}

async fn app() -> TestApp {
    TestApp::new(Backend::Sqlite).await.unwrap()
}

/// Asked by nobody.
async fn ask(app: &TestApp, document: &str) -> Reply {
    send(app, &json!({ "query": document })).await
}

async fn named(app: &TestApp, document: &str, operation: &str) -> Reply {
    send(
        app,
        &json!({ "query": document, "operationName": operation }),
    )
    .await
}

async fn send(app: &TestApp, body: &Value) -> Reply {
    use crate::support::app::Ask;
    let request = app.request(reqwest::Method::POST, "/graphql");
    request.json(body).reply().await
}
