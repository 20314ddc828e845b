//! The schema as a contract: what is committed is what is served, and it explains itself.

use std::{fs, path::Path};

use apollo_compiler::{ExecutableDocument, Schema, schema::ExtendedType, validation::Valid};
use reqwest::Method;
use serde_json::json;

use crate::support::{
    app::{Ask, TestApp},
    database::Backend,
    description::DESCRIPTION,
};

#[test]
fn the_committed_schema_is_the_one_served() {
    let committed = fs::read_to_string("schema.graphql").unwrap();

    let served = linkedin_targets::sdl();

    assert!(
        committed == served,
        "schema.graphql is out of date: run `cargo run -- schema > schema.graphql`"
    );
}

#[tokio::test]
async fn the_schema_can_be_fetched() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();

    let reply = app.request(Method::GET, "/schema.graphql").reply().await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.text, linkedin_targets::sdl());
}

#[test]
fn the_committed_description_of_the_rest_face_is_the_one_served() {
    let committed = fs::read_to_string("openapi.json").unwrap();

    let served = linkedin_targets::openapi(&["session".to_owned()]);

    assert!(
        committed == served,
        "openapi.json is out of date: run `cargo run -- openapi > openapi.json`"
    );
}

#[tokio::test]
async fn the_description_of_the_rest_face_can_be_fetched_and_names_the_cookies() {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.session_cookies = vec!["session".to_owned(), "interlinedlist-session".to_owned()];
    });
    let app = app.await.unwrap();

    let reply = app.request(Method::GET, "/openapi.json").reply().await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let description = reply.json();
    let cookies = ["session", "session2"].map(|id| {
        let scheme = &description["components"]["securitySchemes"][id];
        assert_eq!(scheme["in"], "cookie");
        scheme["name"].clone()
    });
    assert_eq!(cookies, ["session", "interlinedlist-session"]);
    let security = json!([{ "bearer": [] }, { "session": [] }, { "session2": [] }]);
    assert_eq!(description["security"], security);
    assert_eq!(description["paths"], DESCRIPTION["paths"]);
}

#[tokio::test]
async fn no_schema_can_be_fetched_where_introspection_is_off() {
    let app = TestApp::with(Backend::Sqlite, |settings| settings.introspection = false);
    let app = app.await.unwrap();

    for path in ["/schema.graphql", "/openapi.json"] {
        let reply = app.request(Method::GET, path).reply().await;

        assert_eq!(reply.status, 404, "{path}");
    }
}

#[test]
fn everything_in_it_has_a_description() {
    let schema = schema();

    let mut bare = Vec::new();
    let own = schema
        .types
        .values()
        .filter(|definition| !definition.is_built_in());
    for definition in own {
        undescribed(definition, &mut bare);
    }

    assert_eq!(bare, [""; 0]);
}

/// What is selected of an interface or a union is written out for each of its types before it is executed. That grows no
/// further than by that number, as long as what all of them have has no selections itself.
#[test]
fn fields_of_interfaces_are_leaves() {
    let schema = schema();
    let interfaces = schema.types.values().filter_map(ExtendedType::as_interface);

    let fields = interfaces.flat_map(|interface| interface.fields.values());

    let types = fields.map(|field| &schema.types[field.ty.inner_named_type()]);
    let composite: Vec<_> = types
        .filter(|ty| !ty.is_leaf())
        .map(ExtendedType::name)
        .collect();
    assert!(composite.is_empty(), "{composite:?}");
}

#[test]
fn every_document_that_comes_with_the_server_is_valid() {
    let schema = schema();
    let documents = ["src/rest/documents", "graphiql/src/operations"].map(documents);

    for (path, text) in documents.into_iter().flatten() {
        let checked = ExecutableDocument::parse_and_validate(&schema, text, &path);

        assert!(checked.is_ok(), "{}", checked.unwrap_err().errors);
    }
}

fn schema() -> Valid<Schema> {
    Schema::parse_and_validate(linkedin_targets::sdl(), "schema.graphql").unwrap()
}

/// Adds everything of a type that nobody described.
fn undescribed(definition: &ExtendedType, bare: &mut Vec<String>) {
    let name = definition.name();
    let mut check = |what: String, is_described: bool| {
        if !is_described {
            bare.push(what);
        }
    };
    check(name.to_string(), definition.description().is_some());
    let fields = match definition {
        ExtendedType::Object(it) => it.fields.values().collect(),
        ExtendedType::Interface(it) => it.fields.values().collect(),
        ExtendedType::InputObject(it) => {
            for field in it.fields.values() {
                check(
                    format!("{name}.{}", field.name),
                    field.description.is_some(),
                );
            }
            Vec::new()
        }
        ExtendedType::Enum(it) => {
            for value in it.values.values() {
                check(
                    format!("{name}.{}", value.value),
                    value.description.is_some(),
                );
            }
            Vec::new()
        }
        ExtendedType::Scalar(_) | ExtendedType::Union(_) => Vec::new(),
    };
    for field in fields {
        check(
            format!("{name}.{}", field.name),
            field.description.is_some(),
        );
        for argument in &field.arguments {
            let is_described = argument.description.is_some();
            check(
                format!("{name}.{}({}:)", field.name, argument.name),
                is_described,
            );
        }
    }
}

/// The GraphQL files of a folder, with their text.
fn documents(folder: &str) -> Vec<(std::path::PathBuf, String)> {
    let files = fs::read_dir(Path::new(folder)).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let documents: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "graphql"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(!documents.is_empty(), "{folder}");
    documents
}
