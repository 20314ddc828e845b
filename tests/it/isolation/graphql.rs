//! GraphQL's operations, made from the answer to the introspection query.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};

use super::{NOBODYS, Sender, World, texts};
use crate::support::{
    app::{Person, TestApp},
    events::Arriving,
};

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types {
        kind name
        fields { name args { name type { ...Ref } } type { ...Ref } }
        inputFields { name type { ...Ref } }
        enumValues { name }
        possibleTypes { name }
    }
} }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// How deep objects are read; deeper than they go.
const DEPTH: usize = 8;

struct Schema {
    types: BTreeMap<String, Value>,
    /// Operation type and root type.
    roots: Vec<(&'static str, String)>,
}

/// One root field, with everything that it answers and somebody's ids in its arguments.
struct Operation {
    field: String,
    document: String,
    variables: Value,
    /// Whether it can be asked by everybody, as it tells of nobody.
    is_public: bool,
}

impl Schema {
    async fn of(app: &TestApp) -> Self {
        let body = json!({ "query": INTROSPECTION });
        let request = app.request(Method::POST, "/graphql").json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let schema = &answer["data"]["__schema"];
        let types = schema["types"].as_array().unwrap();
        let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
        let root = |operation, key: &str| (operation, name(&schema[key]));
        Self {
            types: types.iter().map(|it| (name(it), it.clone())).collect(),
            roots: vec![
                root("query", "queryType"),
                root("mutation", "mutationType"),
                root("subscription", "subscriptionType"),
            ],
        }
    }

    /// Every root field, once for each of these ids where it takes one.
    fn operations(&self, ids: &[String]) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (operation, root) in &self.roots {
            for field in self.types[root]["fields"].as_array().unwrap() {
                let name = field["name"].as_str().unwrap();
                let selection = self.selection(named(&field["type"]), DEPTH);
                let arguments = field["args"].as_array().unwrap();
                let all: Vec<Value> = match arguments.as_slice() {
                    [] => vec![json!({})],
                    [argument] => {
                        let name = argument["name"].as_str().unwrap();
                        let values = self.values(&argument["type"], ids).into_iter();
                        values.map(|value| json!({ name: value })).collect()
                    }
                    _ => panic!("say here what `{name}` takes"),
                };
                let (declared, passed) = arguments.first().map_or_else(Default::default, |it| {
                    let argument = it["name"].as_str().unwrap();
                    let written = written(&it["type"]);
                    (
                        format!("(${argument}: {written})"),
                        format!("({argument}: ${argument})"),
                    )
                });
                operations.extend(all.into_iter().map(|variables| Operation {
                    field: name.to_owned(),
                    document: format!("{operation}{declared} {{ {name}{passed}{selection} }}"),
                    variables,
                    is_public: name == "_service",
                }));
            }
        }
        operations
    }

    /// Everything that an object of this type answers without being given something.
    fn selection(&self, type_name: &str, depth: usize) -> String {
        let definition = &self.types[type_name];
        let kind = definition["kind"].as_str().unwrap();
        if matches!(kind, "SCALAR" | "ENUM") {
            return String::new();
        }
        assert!(depth > 0, "{type_name} is deeper than {DEPTH}");
        let mut parts = vec!["__typename".to_owned()];
        if kind == "OBJECT" {
            for field in definition["fields"].as_array().unwrap() {
                let arguments = field["args"].as_array().unwrap();
                let name = field["name"].as_str().unwrap();
                assert!(arguments.is_empty(), "say here what `{name}` takes");
                parts.push(format!(
                    "{name}{}",
                    self.selection(named(&field["type"]), depth - 1)
                ));
            }
        } else {
            for possible in definition["possibleTypes"].as_array().unwrap() {
                let possible = possible["name"].as_str().unwrap();
                parts.push(format!(
                    "... on {possible}{}",
                    self.selection(possible, depth)
                ));
            }
        }
        format!(" {{ {} }}", parts.join(" "))
    }

    /// All values of a type that name one of these ids.
    fn values(&self, of: &Value, ids: &[String]) -> Vec<Value> {
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => return self.values(&of["ofType"], ids),
            "LIST" => {
                let items = self.values(&of["ofType"], ids);
                // A gateway asks for many at once.
                if named(of) == "_Any" {
                    return items.chunks(50).map(|items| json!(items)).collect();
                }
                return items.into_iter().map(|item| json!([item])).collect();
            }
            _ => {}
        }
        let name = of["name"].as_str().unwrap();
        let definition = &self.types[name];
        match (definition["kind"].as_str().unwrap(), name) {
            ("SCALAR", "ID") => ids.iter().map(|id| json!(id)).collect(),
            ("SCALAR", "_Any") => self.representations(ids),
            ("ENUM", _) => {
                let values = definition["enumValues"].as_array().unwrap();
                values.iter().map(|value| value["name"].clone()).collect()
            }
            // One field at a time: of a `@oneOf` there may be no more, and others have but one.
            ("INPUT_OBJECT", _) => {
                let fields = definition["inputFields"].as_array().unwrap();
                let values = fields.iter().flat_map(|field| {
                    let name = field["name"].as_str().unwrap();
                    let values = self.values(&field["type"], ids).into_iter();
                    values.map(move |value| json!({ name: value }))
                });
                values.collect()
            }
            _ => panic!("say here which values a {name} has"),
        }
    }

    /// Each entity by each of its keys, as a gateway would have it.
    fn representations(&self, ids: &[String]) -> Vec<Value> {
        let keys = ["id", "pageId", "personalPageId", "slug"];
        let entities = self.types["_Entity"]["possibleTypes"].as_array().unwrap();
        let mut representations = Vec::new();
        for entity in entities {
            let name = entity["name"].as_str().unwrap();
            let fields = self.types[name]["fields"].as_array().unwrap();
            let has = |key: &&str| fields.iter().any(|field| field["name"] == *key);
            for key in keys.iter().filter(|key| has(key)) {
                let of = |id: &String| json!({ "__typename": name, *key: id });
                representations.extend(ids.iter().map(of));
            }
        }
        representations
    }
}

/// The name of the type inside lists and exclamation marks.
fn named(of: &Value) -> &str {
    match of["name"].as_str() {
        Some(name) => name,
        None => named(&of["ofType"]),
    }
}

/// A type as documents have it.
fn written(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().unwrap().to_owned(),
    }
}

/// The first answer.
async fn ask(app: &TestApp, sender: &Sender, operation: &Operation) -> Value {
    let request = app.request(Method::POST, "/graphql");
    let request = sender
        .sign(request)
        .header(ACCEPT, "text/event-stream")
        .json(&json!({ "query": operation.document, "variables": operation.variables }));
    let mut answer = Arriving::new(request.send().await.unwrap());
    answer.event().await.unwrap().1
}

/// The ids of all objects that the person sees.
pub(super) async fn object_ids(app: &TestApp, person: &Person) -> Vec<String> {
    fn collect(value: &Value, ids: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(id) if name == "id" || name == "slug" => {
                            ids.insert(id.clone());
                        }
                        member => collect(member, ids),
                    }
                }
            }
            _ => {}
        }
    }
    let sender = Sender::Session(person.session.clone());
    let mut ids = BTreeSet::new();
    for operation in Schema::of(app).await.operations(&[]) {
        if operation.document.starts_with("query") {
            collect(&ask(app, &sender, &operation).await, &mut ids);
        }
    }
    ids.into_iter().collect()
}

/// Asks for everything, as somebody who proves nothing.
pub(super) async fn refuse(world: &World, who: &str, sender: &Sender) {
    for operation in Schema::of(&world.app).await.operations(&world.ada.ids) {
        let answer = ask(&world.app, sender, &operation).await;

        if operation.is_public {
            continue;
        }
        let what = format!("{} as {who}: {answer}", operation.field);
        let errors = answer["errors"].as_array().expect(&what);
        let is_refused = |error: &Value| error["extensions"]["code"] == "UNAUTHENTICATED";
        assert!(errors.iter().all(is_refused), "{what}");
        let mut told = BTreeSet::new();
        texts(&answer["data"], &mut told);
        assert!(told.is_empty(), "{what}");
    }
}

/// Asks for everything with Ada's ids, as Bob. The answers tell him nothing of hers, and are the same as for ids that
/// nobody has.
pub(super) async fn look_through(world: &World) {
    let World { app, ada, bob, .. } = world;
    let schema = Schema::of(app).await;
    let mut secrets = BTreeSet::new();
    let mut own = BTreeSet::new();
    for operation in schema.operations(&[]) {
        if operation.document.starts_with("query") {
            texts(&ask(app, &ada.sender, &operation).await, &mut secrets);
            texts(&ask(app, &bob.sender, &operation).await, &mut own);
        }
    }
    secrets.retain(|secret| !own.contains(secret));
    assert!(secrets.len() > 10, "Ada has something to hide: {secrets:?}");

    let with_hers = schema.operations(&ada.ids);
    let made_up: Vec<_> = ada.ids.iter().map(|id| nobodys(id)).collect();
    let with_nobodys = schema.operations(&made_up);
    for (hers, nobodys) in with_hers.iter().zip(&with_nobodys) {
        let answer = ask(app, &bob.sender, hers).await;

        let what = format!("{} with {}: {answer}", hers.field, hers.variables);
        let mut told = BTreeSet::new();
        texts(&answer, &mut told);
        assert_eq!(told.intersection(&secrets).next(), None, "{what}");
        let as_if = ask(app, &bob.sender, nobodys).await;
        assert_eq!(answer["data"], as_if["data"], "{what}");
        assert_eq!(answer["errors"], as_if["errors"], "{what}");
    }
}

/// An id of the same form that nobody has.
fn nobodys(id: &str) -> String {
    let decoded = URL_SAFE_NO_PAD.decode(id).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once(':')) {
        Some((type_name, keys)) => {
            let keys = keys.split(':').map(|key| match key {
                "Personal" | "OrgPage" | "PersonalPage" => key,
                _ => NOBODYS,
            });
            let keys: Vec<_> = keys.collect();
            URL_SAFE_NO_PAD.encode(format!("{type_name}:{}", keys.join(":")))
        }
        None => NOBODYS.to_owned(),
    }
}
