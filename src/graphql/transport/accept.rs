use axum::http::{HeaderMap, HeaderValue, header::ACCEPT};
use mime::Mime;

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

    fn subtype(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "graphql-response+json",
            Self::Json => "json",
        }
    }

    /// What the client wants most, by the weights of RFC 9110; `None` when it takes neither.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let headers: Vec<_> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        if headers.iter().all(|header| header.trim().is_empty()) {
            return Some(Self::Json);
        }
        let ranges: Vec<Mime> = headers
            .iter()
            .flat_map(|header| header.split(','))
            .filter_map(|range| match range.trim() {
                "*" => Some(mime::STAR_STAR),
                range => range.parse().ok(),
            })
            .collect();
        let (json, response) = (
            Self::Json.weight(&ranges),
            Self::GraphQlResponse.weight(&ranges),
        );
        match (json, response) {
            (json, response) if json <= 0.0 && response <= 0.0 => None,
            // Named rather than covered by a wildcard, the newer one wins a draw.
            (json, response)
                if response > json
                    || (response >= json && Self::GraphQlResponse.is_named(&ranges)) =>
            {
                Some(Self::GraphQlResponse)
            }
            _ => Some(Self::Json),
        }
    }

    fn is_named(self, ranges: &[Mime]) -> bool {
        ranges
            .iter()
            .any(|range| self.specificity(range) == Some(3))
    }

    /// The weight of the most specific range that covers this type; 0 when none does.
    fn weight(self, ranges: &[Mime]) -> f32 {
        let covering = ranges
            .iter()
            .filter_map(|range| Some((self.specificity(range)?, range)));
        let best = covering.max_by_key(|(specificity, _)| *specificity);
        best.map_or(0.0, |(_, range)| {
            range
                .get_param("q")
                .map_or(1.0, |weight| weight.as_str().parse().unwrap_or(1.0))
        })
    }

    fn specificity(self, range: &Mime) -> Option<u8> {
        // `essence_str` holds the suffix, which `subtype` cuts off.
        match range.essence_str() {
            "*/*" => Some(1),
            "application/*" => Some(2),
            essence if essence.strip_prefix("application/") == Some(self.subtype()) => Some(3),
            _ => None,
        }
    }
}
