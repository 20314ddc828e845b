//! The protocol `graphql-transport-ws`, as the npm package graphql-ws describes it.

use std::{borrow::Cow, pin::Pin, sync::Arc, time::Duration};

use apollo_compiler::ast::OperationType;
use async_graphql::{Response as Answer, ServerError};
use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::{HeaderMap, HeaderValue, header::AUTHORIZATION},
    response::Response,
};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_stream::StreamMap;

use super::request::Parameters;
use crate::{
    auth,
    graphql::{
        Api,
        error::{self, Code, RequestError},
    },
    metrics::Told,
    streams::Place,
};

const PROTOCOL: &str = "graphql-transport-ws";

/// The most operations that one WebSocket may have under way.
const MAX_OPERATIONS: usize = 100;

/// How long a client may take for `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a client is asked for a sign of life. One that gave none until it is asked again is gone.
const PING: Duration = Duration::from_secs(20);

/// How long a client may take to read a message before it is given up.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Little is read at once, and there may be many thousands of sockets.
const BUFFER: usize = 4 * 1024;

pub(super) fn answer(
    api: Arc<Api>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
    place: Place,
) -> Response {
    let most = api.app.settings.limits.body_bytes;
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * 1024 * 1024)
        .max_message_size(most)
        .max_frame_size(most)
        .on_upgrade(move |socket| Session::new(api, headers, socket).run(place))
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromClient {
    ConnectionInit { payload: Option<Map<String, Value>> },
    Ping { payload: Option<Map<String, Value>> },
    Pong,
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromServer<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Value>>,
    },
    Next {
        id: &'a str,
        payload: Box<Answer>,
    },
    Error {
        id: &'a str,
        payload: Vec<ServerError>,
    },
    Complete {
        id: &'a str,
    },
}

/// Why a socket is closed: a code of the protocol, and its words.
struct Close(u16, Cow<'static, str>);

impl Close {
    const INIT_TIMEOUT: Self = Self(4408, Cow::Borrowed("Connection initialisation timeout"));
    const INIT_TWICE: Self = Self(4429, Cow::Borrowed("Too many initialisation requests"));
    const NO_INIT: Self = Self(4401, Cow::Borrowed("Unauthorized"));
    const PROTOCOL: Self = Self(4406, Cow::Borrowed("Subprotocol not acceptable"));
    const STOPPING: Self = Self(close_code::AWAY, Cow::Borrowed("The server is stopping"));
    const SILENT: Self = Self(4408, Cow::Borrowed("No sign of life"));

    fn bad_message(message: &'static str) -> Self {
        Self(4400, Cow::Borrowed(message))
    }

    fn subscriber_exists(id: &str) -> Self {
        // A close frame has room for 123 bytes.
        let id: String = id.chars().take(20).collect();
        Self(4409, format!("Subscriber for {id} already exists").into())
    }
}

/// Why a session ends.
enum End {
    Closed(Close),
    /// The client has gone, or does not read what it is sent.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

/// One step of an operation: an answer, or its end.
enum Step {
    Answer(Box<Answer>),
    End,
}

type Steps = Pin<Box<dyn Stream<Item = Step> + Send>>;

struct Session {
    api: Arc<Api>,
    /// Of the request that asked for the WebSocket; the client may add its token later.
    headers: HeaderMap,
    socket: WebSocket,
    is_open: bool,
    operations: StreamMap<String, Steps>,
}

impl Session {
    fn new(api: Arc<Api>, headers: HeaderMap, socket: WebSocket) -> Self {
        Self {
            api,
            headers,
            socket,
            is_open: false,
            operations: StreamMap::new(),
        }
    }

    async fn run(mut self, place: Place) {
        let End::Closed(Close(code, reason)) = self.talk(&place).await else {
            return;
        };
        let frame = CloseFrame {
            code,
            reason: reason.as_ref().into(),
        };
        let _ = self.send_message(Message::Close(Some(frame))).await;
        // The client's own close frame ends it properly.
        let _ = timeout(SEND_TIMEOUT, async {
            while let Some(Ok(_)) = self.socket.recv().await {}
        })
        .await;
    }

    async fn talk(&mut self, place: &Place) -> End {
        if self.socket.protocol().is_none() {
            return Close::PROTOCOL.into();
        }
        let init_until = Instant::now() + INIT_TIMEOUT;
        let mut ping = interval_at(Instant::now() + PING, PING);
        let mut is_alive = true;
        loop {
            let step = tokio::select! {
                () = place.stopping() => Err(Close::STOPPING.into()),
                () = sleep_until(init_until), if !self.is_open => Err(Close::INIT_TIMEOUT.into()),
                _ = ping.tick() => {
                    if std::mem::replace(&mut is_alive, false) {
                        self.send_message(Message::Ping(Vec::new().into())).await
                    } else {
                        Err(Close::SILENT.into())
                    }
                }
                message = self.socket.recv() => {
                    is_alive = true;
                    self.hear(message).await
                }
                Some((id, step)) = self.operations.next() => self.tell(&id, step).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => {
                return Err(Close::bad_message("Send text, not binary data").into());
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
        };
        let message = serde_json::from_str(&text)
            .map_err(|_| Close::bad_message("Invalid message received"))?;
        match message {
            FromClient::ConnectionInit { .. } if self.is_open => Err(Close::INIT_TWICE.into()),
            FromClient::ConnectionInit { payload } => {
                self.is_open = true;
                self.add_token(payload.unwrap_or_default());
                self.send(&FromServer::ConnectionAck).await
            }
            FromClient::Ping { payload } => self.send(&FromServer::Pong { payload }).await,
            FromClient::Pong => Ok(()),
            FromClient::Subscribe { .. } if !self.is_open => Err(Close::NO_INIT.into()),
            FromClient::Subscribe { id, .. } if self.operations.contains_key(&id) => {
                Err(Close::subscriber_exists(&id).into())
            }
            FromClient::Subscribe { id, payload } => self.subscribe(id, payload).await,
            FromClient::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    /// Pages of browsers cannot set headers of a WebSocket.
    fn add_token(&mut self, mut payload: Map<String, Value>) {
        let token = ["authorization", "Authorization"]
            .iter()
            .find_map(|name| payload.remove(*name));
        if let Some(Value::String(token)) = token
            && let Ok(mut token) = HeaderValue::try_from(token)
        {
            token.set_sensitive(true);
            self.headers.insert(AUTHORIZATION, token);
        }
    }

    async fn subscribe(&mut self, id: String, payload: Value) -> Result<(), End> {
        let began = Instant::now();
        match self.start(payload) {
            Ok((field, steps)) => {
                let mut first = Some(self.counting(began, Some(field)));
                let steps = steps.inspect(move |step| {
                    if let Step::Answer(answer) = step
                        && let Some(count) = first.take()
                    {
                        count(&answer.errors);
                    }
                });
                self.operations.insert(id, Box::pin(steps));
                Ok(())
            }
            Err(errors) => {
                let payload: Vec<_> = errors.into_iter().map(ServerError::from).collect();
                self.counting(began, None)(&payload);
                self.send(&FromServer::Error { id: &id, payload }).await
            }
        }
    }

    /// Counts an operation as the others are counted, when its first answer is there.
    fn counting(
        &self,
        began: Instant,
        operation: Option<Arc<str>>,
    ) -> impl FnOnce(&[ServerError]) + Send + use<> {
        let metrics = self.api.app.metrics.clone();
        move |errors| {
            let outcome = error::outcome(errors);
            let told = Told { operation, outcome };
            metrics.answered("WEBSOCKET", "/graphql", told, began.elapsed());
        }
    }

    /// What is asked for, and its answers.
    fn start(&self, payload: Value) -> Result<(Arc<str>, Steps), Vec<RequestError>> {
        let api = self.api.clone();
        if self.operations.len() >= MAX_OPERATIONS {
            let message = format!("At most {MAX_OPERATIONS} operations may be under way.");
            return Err(vec![RequestError::new(Code::QueryTooComplex, message)]);
        }
        let prepared = api.prepare(Parameters::new(payload).map_err(|error| vec![error])?)?;
        let kind = prepared.operation.kind();
        let field = prepared.operation.field().clone();
        let syncs = prepared.operation.syncs();
        let request = api.request(prepared)?;
        let credentials = auth::credentials(&self.headers, &api.app.settings);
        let asked = api.limits.ask(credentials.each());
        let synced = syncs.then(|| api.ask_to_sync(&credentials)).flatten();
        if [asked, synced]
            .iter()
            .flatten()
            .any(|standing| standing.wait.is_some())
        {
            return Err(vec![super::too_often()]);
        }
        let caller = api.caller(credentials);
        let end = stream::iter([Step::End]);
        if kind == OperationType::Subscription {
            let place = api.app.streams.open().ok_or_else(|| vec![super::full()])?;
            let answers = api.follow(request, caller).map(move |answer| {
                // Held for as long as answers may come.
                let _ = &place;
                Step::Answer(Box::new(answer))
            });
            return Ok((field, Box::pin(answers.chain(end))));
        }
        let answer = async move {
            let deadline = api.app.settings.request_timeout;
            let answer = timeout(deadline, api.execute(request, caller)).await;
            Step::Answer(Box::new(answer.unwrap_or_else(|_| {
                let error = RequestError::new(Code::Timeout, super::TIMED_OUT);
                Answer::from_errors(vec![error.into()])
            })))
        };
        Ok((field, Box::pin(stream::once(answer).chain(end))))
    }

    async fn tell(&mut self, id: &str, step: Step) -> Result<(), End> {
        match step {
            Step::Answer(payload) => self.send(&FromServer::Next { id, payload }).await,
            Step::End => {
                self.operations.remove(id);
                self.send(&FromServer::Complete { id }).await
            }
        }
    }

    async fn send(&mut self, message: &FromServer<'_>) -> Result<(), End> {
        match serde_json::to_string(message) {
            Ok(text) => self.send_message(Message::Text(text.into())).await,
            Err(cause) => {
                tracing::error!(error = %cause, "an answer could not be written as JSON");
                Err(Close(close_code::ERROR, Cow::Borrowed("Internal error")).into())
            }
        }
    }

    async fn send_message(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
