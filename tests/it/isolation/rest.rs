//! REST's operations, as the server describes them.

use reqwest::{Method, StatusCode, header::LOCATION};
use serde_json::{Value, json};

use super::{NOBODYS, Sender, World};
use crate::support::app::{Ask, Reply};

/// One request, with somebody's id in it where there is a place for one.
struct Operation {
    method: Method,
    path: String,
    body: Option<Value>,
    form: Option<String>,
    access: Access,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// 401 to strangers.
    OfUsers,
    /// Strangers are sent elsewhere: to sign in, or back because there is no attempt of theirs.
    InABrowser,
    /// Tells of nobody.
    Public,
}

/// Every described operation, once for each of these ids where it takes one.
fn operations(ids: &[String]) -> Vec<Operation> {
    let described: Value = serde_json::from_str(&linkedin_targets::openapi(&[])).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let with =
                |path: String, body: Option<Value>, form: Option<String>, access| Operation {
                    method: method.clone(),
                    path,
                    body,
                    form,
                    access,
                };
            let plain = |access| vec![with(path.clone(), None, None, access)];
            operations.extend(match (method.as_str(), path.as_str()) {
                ("GET", "/api/linkedin/targets" | "/api/linkedin/posting-targets")
                | ("POST", "/api/linkedin/sync-pages") => plain(Access::OfUsers),
                ("PUT", "/api/linkedin/posting-targets") => {
                    let targets = ids.iter().flat_map(|id| {
                        [
                            json!({ "kind": "orgPage", "pageId": id }),
                            json!({ "kind": "personalPage", "personalPageId": id }),
                        ]
                    });
                    let body = |target: Value| Some(json!({ "targets": [target] }));
                    targets
                        .map(|target| with(path.clone(), body(target), None, Access::OfUsers))
                        .collect()
                }
                ("GET", "/api/auth/linkedin/status") => plain(Access::Public),
                ("GET", "/api/auth/linkedin/authorize") => {
                    let path = format!("{path}?link=true");
                    vec![with(path, None, None, Access::InABrowser)]
                }
                ("GET", "/api/auth/linkedin/callback") => {
                    let with_state = |id: &String| format!("{path}?state={id}&code={id}");
                    let paths = ids.iter().map(with_state);
                    paths
                        .map(|path| with(path, None, None, Access::InABrowser))
                        .collect()
                }
                ("GET", "/api/auth/linkedin/confirm") => plain(Access::InABrowser),
                ("POST", "/api/auth/linkedin/confirm") => {
                    let form = Some("decision=replace".to_owned());
                    vec![with(path.clone(), None, form, Access::InABrowser)]
                }
                _ => panic!("say here what {method} {path} takes"),
            });
        }
    }
    operations
}

async fn ask(world: &World, sender: &Sender, operation: &Operation) -> Reply {
    let request = world.app.request(operation.method.clone(), &operation.path);
    let request = sender.sign(request);
    let request = match (&operation.body, &operation.form) {
        (Some(body), _) => request.json(body),
        (None, Some(form)) => request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone()),
        (None, None) => request,
    };
    request.reply().await
}

pub(super) async fn refuse(world: &World, who: &str, sender: &Sender) {
    for operation in operations(&world.ada.ids) {
        let reply = ask(world, sender, &operation).await;

        let what = format!(
            "{} {} as {who}: {reply:?}",
            operation.method, operation.path
        );
        match operation.access {
            Access::OfUsers => {
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
                assert_eq!(reply.text, r#"{"error":"Unauthorized"}"#, "{what}");
            }
            Access::InABrowser => {
                assert_eq!(reply.status, StatusCode::SEE_OTHER, "{what}");
                let to = reply.header(LOCATION.as_str()).unwrap();
                assert!(to.starts_with("https://interlinedlist.example/"), "{what}");
                assert!(!to.contains("linked=linkedin"), "{what}");
            }
            Access::Public => assert_eq!(reply.status, StatusCode::OK, "{what}"),
        }
        for id in &world.ada.ids {
            assert!(!reply.text.contains(id.as_str()), "{what}");
        }
    }
}

pub(super) async fn look_through(world: &World) {
    let made_up = vec![NOBODYS.to_owned(); world.ada.ids.len()];
    let with_hers = operations(&world.ada.ids);
    let with_nobodys = operations(&made_up);
    for (hers, nobodys) in with_hers.iter().zip(&with_nobodys) {
        let reply = ask(world, &world.bob.sender, hers).await;

        let what = format!("{} {}: {reply:?}", hers.method, hers.path);
        for id in &world.ada.ids {
            assert!(!reply.text.contains(id.as_str()), "{what}");
        }
        assert!(!reply.text.contains("adas "), "{what}");
        let as_if = ask(world, &world.bob.sender, nobodys).await;
        assert_eq!(reply.status, as_if.status, "{what}");
        assert_eq!(reply.text, as_if.text, "{what}");
    }
}
