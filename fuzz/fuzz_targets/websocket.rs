//! Whatever a client says on a WebSocket, a line of the input each time: it is answered in the protocol's words, and
//! the socket either goes on or is closed with one of the protocol's codes.
#![no_main]

use std::{cell::Cell, collections::HashSet, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use libfuzzer_sys::fuzz_target;
use linkedin_targets_fuzz::Server;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// What the client asks for at last, to hear whether the server still listens.
const PING: &str = r#"{"type":"ping","payload":{"at":"last"}}"#;
const PONG: &str = r#"{"type":"pong","payload":{"at":"last"}}"#;

const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    static ADDRESS: Cell<Option<SocketAddr>> = const { Cell::new(None) };
}

fuzz_target!(|text: &str| Server::with(|server| {
    let address = ADDRESS
        .get()
        .unwrap_or_else(|| server.block_on(server.listen()));
    ADDRESS.set(Some(address));
    let talk = async { timeout(PATIENCE, talk(address, &server.cookie, text)).await };
    server.block_on(talk).expect("the server falls silent");
}));

async fn talk(address: SocketAddr, cookie: &str, text: &str) {
    let mut request = format!("ws://{address}/graphql")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    headers.insert("cookie", cookie.parse().unwrap());
    let (socket, _) = connect_async(request).await.unwrap();
    let (mut to_server, mut from_server) = socket.split();
    let lines = text.split('\n').take(30).chain([PING]);
    for line in lines {
        let message = match line.strip_prefix('\0') {
            Some(bytes) => Message::binary(bytes.to_owned()),
            None => Message::text(line),
        };
        // It may be closed by then.
        if to_server.send(message).await.is_err() {
            break;
        }
    }
    let asked = ids(text);
    while let Some(Ok(message)) = from_server.next().await {
        match message {
            Message::Text(text) if *text == *PONG => return,
            Message::Text(text) => assert_in_the_protocol(&text, &asked),
            Message::Close(frame) => {
                let code = frame.map(|frame| u16::from(frame.code));
                let codes = [4400, 4401, 4408, 4409, 4429].map(Some);
                assert!(codes.contains(&code), "{code:?}");
                return;
            }
            _ => {}
        }
    }
    panic!("the connection is lost");
}

/// The ids of all operations.
fn ids(text: &str) -> HashSet<String> {
    let messages = text
        .split('\n')
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter_map(|message| Some(message["id"].as_str()?.to_owned()))
        .collect()
}

fn assert_in_the_protocol(text: &str, asked: &HashSet<String>) {
    let message: Value = serde_json::from_str(text).unwrap();
    match message["type"].as_str().unwrap() {
        "connection_ack" | "pong" => {}
        "next" | "error" | "complete" => {
            assert!(asked.contains(message["id"].as_str().unwrap()), "{text}");
            assert!(!text.contains("INTERNAL_SERVER_ERROR"), "{text}");
        }
        other => panic!("{other}"),
    }
}
