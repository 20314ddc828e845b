use axum::http::{HeaderMap, HeaderValue, header::ACCEPT};
use mime::Mime;

use super::stream::StreamType;

/// What a GraphQL answer can be sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    GraphQlResponse,
    /// `application/json`: 200 for every well-formed request, as older clients expect.
    Json,
}

impl MediaType {
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// What a client takes, and what it wants most of that, by the weights of RFC 9110.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    /// For one answer.
    pub(super) whole: Option<MediaType>,
    /// For answers that go on.
    pub(super) stream: Option<StreamType>,
}

impl Accepted {
    pub(super) fn negotiate(headers: &HeaderMap) -> Self {
        let headers: Vec<_> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        if headers.iter().all(|header| header.trim().is_empty()) {
            return Self {
                whole: Some(MediaType::Json),
                stream: Some(StreamType::ServerSentEvents),
            };
        }
        let ranges: Vec<Mime> = headers
            .iter()
            .flat_map(|header| header.split(','))
            .filter_map(|range| match range.trim() {
                "*" => Some(mime::STAR_STAR),
                range => range.parse().ok(),
            })
            .collect();
        let json = Wish::new(&ranges, "application/json");
        let response = Wish::new(&ranges, "application/graphql-response+json");
        // Named rather than covered by a wildcard, the newer one wins a draw.
        let whole = match (json, response) {
            (json, response) if json.weight <= 0.0 && response.weight <= 0.0 => None,
            (json, response)
                if response.weight > json.weight
                    || (response.is_named && response.weight >= json.weight) =>
            {
                Some(MediaType::GraphQlResponse)
            }
            _ => Some(MediaType::Json),
        };
        let events = Wish::new(&ranges, "text/event-stream");
        // Other parts than those of subscriptions are not sent.
        let of_subscriptions: Vec<_> = ranges
            .into_iter()
            .filter(|range| range.get_param("subscriptionspec").is_some())
            .collect();
        let multipart = Wish::new(&of_subscriptions, "multipart/mixed");
        let stream = match (events, multipart) {
            (events, multipart) if events.weight <= 0.0 && multipart.weight <= 0.0 => None,
            (events, multipart)
                if multipart.weight > events.weight
                    || (!events.is_named && multipart.weight >= events.weight) =>
            {
                Some(StreamType::Multipart)
            }
            _ => Some(StreamType::ServerSentEvents),
        };
        Self { whole, stream }
    }
}

/// How much a media type is wanted.
struct Wish {
    /// Of the most specific range that covers it; 0 when none does.
    weight: f32,
    is_named: bool,
}

impl Wish {
    fn new(ranges: &[Mime], media_type: &str) -> Self {
        let covering = ranges
            .iter()
            .filter_map(|range| Some((specificity(range, media_type)?, range)));
        let best = covering.max_by_key(|(specificity, _)| *specificity);
        best.map_or(
            Self {
                weight: 0.0,
                is_named: false,
            },
            |(specificity, range)| Self {
                weight: range
                    .get_param("q")
                    .map_or(1.0, |weight| weight.as_str().parse().unwrap_or(1.0)),
                is_named: specificity == NAMED,
            },
        )
    }
}

const NAMED: u8 = 3;

fn specificity(range: &Mime, media_type: &str) -> Option<u8> {
    let (kind, _) = media_type.split_once('/')?;
    // `essence_str` holds the suffix, which `subtype` cuts off.
    match range.essence_str() {
        "*/*" => Some(1),
        essence if essence.strip_suffix("/*") == Some(kind) => Some(2),
        essence if essence == media_type => Some(NAMED),
        _ => None,
    }
}
