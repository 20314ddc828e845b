//! A collector of traces, which understands what it is sent.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Span, status::StatusCode},
};
use prost::Message;

pub(crate) struct Collector {
    pub(crate) address: String,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        let keep = async move |body: Bytes| {
            kept.lock().unwrap().extend_from_slice(&body);
            ([("content-type", "application/x-protobuf")], "")
        };
        let routes = Router::new().route("/v1/traces", post(keep));
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { address, received }
    }

    /// Whether this text is in what was sent: in protobuf it stands as it is.
    pub(crate) fn has(&self, text: &str) -> bool {
        let received = self.received.lock().unwrap();
        let mut windows = received.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    }

    /// All spans, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<Span> {
        // One message after the other is a message with the lists of both.
        let received = self.received.lock().unwrap();
        let request = ExportTraceServiceRequest::decode(&**received).unwrap();
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        let mut spans: Vec<_> = scopes.flat_map(|scope| scope.spans).collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }
}

/// The value of an attribute that is a text.
pub(crate) fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let attribute = span.attributes.iter().find(|pair| pair.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

pub(crate) fn has_failed(span: &Span) -> bool {
    let status = span.status.as_ref();
    status.is_some_and(|status| status.code() == StatusCode::Error)
}
