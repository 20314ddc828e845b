//! WebSockets, and what is said on them.

use futures_util::{SinkExt, StreamExt, future::join};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, handshake::client::Request},
};

use super::{Attack, Way, numbered};
use crate::support::{
    app::Person,
    process::Serving,
    socket::{PROTOCOL, Socket},
};

const SUBSCRIPTION: &str =
    "subscription{linkedInPostingPreferencesChanged{reason preferences{targets{id}}}}";

pub(super) fn attacks(round: usize) -> Vec<Attack> {
    let subscribe = |id: usize, query: &str| {
        let payload = json!({ "query": query });
        json!({ "type": "subscribe", "id": id.to_string(), "payload": payload }).to_string()
    };
    let many = |count: usize, message: &dyn Fn(usize) -> String| {
        (0..count).map(message).collect::<Vec<_>>()
    };
    let deep = format!("{}{}", "{a".repeat(900), "}".repeat(900));
    let unknown = format!("{{{}}}", numbered(20, |number| format!("a{number} ")));
    let subscription = subscribe(1, SUBSCRIPTION);
    let query = |id| subscribe(id, &format!("{{__typename}}#{round}x{id}"));
    let invalid = |id| subscribe(id, &format!("{unknown}#{round}x{id}"));
    let too_deep = |id| subscribe(id, &format!("{deep}#{round}x{id}"));
    let complete = |id: usize| json!({ "type": "complete", "id": id.to_string() }).to_string();
    let long = "a".repeat(60_000);
    let ping = json!({ "type": "ping", "payload": { "a": long } });
    let long_id = json!({ "type": "subscribe", "id": long, "payload": { "query": "{a}" } });
    let init = json!({ "type": "connection_init" }).to_string();
    vec![
        Attack::messages(
            "subscriptions",
            many(200, &|id| subscribe(id, SUBSCRIPTION)),
            "101 QUERY_TOO_COMPLEX",
        ),
        Attack::messages("queries", many(200, &query), "101 QUERY_TOO_COMPLEX"),
        Attack::messages(
            "invalid queries",
            many(100, &invalid),
            "101 GRAPHQL_VALIDATION_FAILED",
        ),
        Attack::messages("deep queries", many(20, &too_deep), "101 QUERY_TOO_COMPLEX"),
        Attack::messages(
            "subscriptions of one id",
            vec![subscription; 2],
            "101 closed 4409",
        ),
        Attack::messages("initialisations", vec![init; 500], "101 closed 4429"),
        Attack::messages(
            "pings",
            vec![json!({ "type": "ping" }).to_string(); 1_000],
            "101",
        ),
        Attack::messages("ends of what never began", many(1_000, &complete), "101"),
        Attack::messages("a long ping", vec![ping.to_string()], "101"),
        Attack::messages(
            "a long id",
            vec![long_id.to_string()],
            "101 GRAPHQL_VALIDATION_FAILED",
        ),
        Attack::messages(
            "a message of a megabyte",
            vec![" ".repeat(1024 * 1024)],
            "101 gone",
        ),
        Attack::messages(
            "JSON inside each other in a message",
            vec!["[".repeat(60_000)],
            "101 closed 4400",
        ),
        Attack::messages(
            "messages that are no JSON",
            vec!["x".to_owned(); 500],
            "101 closed 4400",
        ),
        Attack {
            name: "a WebSocket of another site",
            way: Way::Handshake("origin", "https://elsewhere.example"),
            answer: "403",
        },
    ]
}

fn request(server: &Serving, person: &Person) -> Request {
    let mut request = Socket::request(&server.address, PROTOCOL);
    let cookie = format!("session={}", person.session).parse().unwrap();
    request.headers_mut().insert("cookie", cookie);
    request
}

/// Says all of it, and tells what the server made of it.
pub(super) async fn send(server: &Serving, person: &Person, messages: Vec<String>) -> String {
    let (socket, response) = connect_async(request(server, person)).await.unwrap();
    let status = response.status().as_u16();
    let (mut says, mut hears) = socket.split();
    let init = json!({ "type": "connection_init" }).to_string();
    let last = json!({ "type": "ping", "payload": { "last": true } }).to_string();
    let saying = async {
        for message in [init].into_iter().chain(messages).chain([last]) {
            // The server may have closed it by now.
            if says.send(Message::text(message)).await.is_err() {
                return;
            }
        }
    };
    let hearing = async {
        let mut first_code = None;
        loop {
            match hears.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["payload"]["last"] == true {
                        return first_code;
                    }
                    let code = &message["payload"][0]["extensions"]["code"];
                    first_code = first_code.or_else(|| code.as_str().map(str::to_owned));
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Some(format!("closed {}", u16::from(frame.code)));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Some("gone".to_owned()),
            }
        }
    };
    let ((), told) = join(saying, hearing).await;
    told.map_or_else(|| status.to_string(), |told| format!("{status} {told}"))
}

/// The status of a WebSocket that is asked for with this header.
pub(super) async fn ask(
    server: &Serving,
    person: &Person,
    name: &'static str,
    value: &str,
) -> String {
    let mut request = request(server, person);
    request.headers_mut().insert(name, value.parse().unwrap());
    match connect_async(request).await {
        Ok((_, response)) => response.status().as_u16().to_string(),
        Err(Error::Http(response)) => response.status().as_u16().to_string(),
        Err(cause) => cause.to_string(),
    }
}
