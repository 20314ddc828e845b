//! A client of `graphql-transport-ws` that says exactly what it is told to.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::{Request, Response},
        protocol::CloseFrame,
    },
};

use super::app::{Person, TestApp};

pub(crate) const PROTOCOL: &str = "graphql-transport-ws";

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) response: Response,
}

impl Socket {
    /// A request to open one, with this subprotocol, that carries nothing else.
    pub(crate) fn request(address: &str, protocol: &str) -> Request {
        let url = format!("ws://{address}/graphql");
        let mut request = url.into_client_request().unwrap();
        let protocol = protocol.parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        request
    }

    pub(crate) async fn open(request: Request) -> Result<Self, tungstenite::Error> {
        let (stream, response) = connect_async(request).await?;
        Ok(Self { stream, response })
    }

    /// One with the person's cookie, on which nothing was said yet.
    pub(crate) async fn of(app: &TestApp, person: &Person) -> Self {
        let mut request = Self::request(&app.address().to_string(), PROTOCOL);
        let cookie = format!("session={}", person.session).parse().unwrap();
        request.headers_mut().insert("cookie", cookie);
        Self::open(request).await.unwrap()
    }

    /// One that is ready for operations.
    pub(crate) async fn ready(app: &TestApp, person: &Person) -> Self {
        let mut socket = Self::of(app, person).await;
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(
            socket.hear().await.unwrap(),
            json!({ "type": "connection_ack" })
        );
        socket
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// The next message, or how the server closed the socket.
    pub(crate) async fn hear(&mut self) -> Result<Value, (u16, String)> {
        loop {
            let message = timeout(PATIENCE, self.stream.next())
                .await
                .expect("the server says something");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return Err((code.into(), reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err((0, "gone".to_owned())),
            }
        }
    }

    /// The payload of the next message, which must be of this type and for this operation.
    pub(crate) async fn payload(&mut self, message_type: &str, id: &str) -> Value {
        let mut message = self.hear().await.unwrap();
        assert_eq!(message["type"], message_type, "{message}");
        assert_eq!(message["id"], id, "{message}");
        message["payload"].take()
    }
}
