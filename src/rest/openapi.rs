//! The REST face described as OpenAPI has it, from the handlers and the types that answer.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{
        Components, Content, Header, HeaderBuilder, Object, ObjectBuilder, PathItem, Ref, RefOr,
        Response, ResponseBuilder, Schema,
        example::ExampleBuilder,
        path::Operation,
        schema::Discriminator,
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use super::{
    body,
    refusal::{Body, Code, Refusal},
};
use crate::domain::preference::Reason;

/// What stands above the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "LinkedIn targets over REST",
        description = "Where a person can post on LinkedIn, and which of these places they tick by default. Everything \
            is about the caller, who is told by a session cookie or a bearer token.\n\n\
            Answers are JSON, unless a browser is meant, and no cache keeps them. `HEAD` works where `GET` does. What \
            no operation describes is among the components: another method is refused with 405 (`MethodNotAllowed`), \
            another path under `/api/` with 404 (`NotFound`), and a trailing slash leads to the path without it, with \
            308 (`PermanentRedirect`)."
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "Targets", description = "Where the caller can post, and what they prefer"),
        (name = "Linking", description = "A browser's way to LinkedIn's consent page and back")
    ),
    components(schemas(Body, Code))
)]
pub(super) struct Head;

/// The refusals of requests that only read.
pub(super) struct ReadRefusals;

/// The refusals of a save.
pub(super) struct SaveRefusals;

/// The refusals of a sync.
pub(super) struct SyncRefusals;

/// Any request may meet these.
const ALWAYS: [Refusal; 4] = [
    Refusal::Unauthorized,
    Refusal::TooManyRequests,
    Refusal::Internal,
    Refusal::ServiceUnavailable,
];

type Document = utoipa::openapi::OpenApi;
type Responses = BTreeMap<String, RefOr<Response>>;

impl IntoResponses for ReadRefusals {
    fn responses() -> Responses {
        shared(&ALWAYS).collect()
    }
}

impl IntoResponses for SaveRefusals {
    fn responses() -> Responses {
        let unfit = [body::NOT_JSON, body::NO_LIST, body::BAD_ENTRY].map(Refusal::Invalid);
        let sentence = |reason: Reason| Refusal::Unavailable(reason.message().to_owned());
        let unavailable = Reason::ALL.map(sentence);
        let own = [Refusal::CrossSite, Refusal::BodyTooLarge];
        shared(&ALWAYS)
            .chain(shared(&own))
            .chain([bad_request(&[unfit, unavailable].concat())])
            .collect()
    }
}

impl IntoResponses for SyncRefusals {
    fn responses() -> Responses {
        let own = [Refusal::CrossSite, Refusal::SyncFailed];
        shared(&ALWAYS)
            .chain(shared(&own))
            .chain([bad_request(&[Refusal::NotLinked, Refusal::OrgScopeMissing])])
            .collect()
    }
}

/// Responses that are the same for every operation.
fn shared(refusals: &[Refusal]) -> impl Iterator<Item = (String, RefOr<Response>)> {
    let response = |refusal: &Refusal| {
        let status = refusal.status();
        let response = Ref::from_response_name(response_name(status));
        (status.as_str().to_owned(), response.into())
    };
    refusals.iter().map(response)
}

fn bad_request(refusals: &[Refusal]) -> (String, RefOr<Response>) {
    let status = StatusCode::BAD_REQUEST;
    (
        status.as_str().to_owned(),
        response(status, refusals).into(),
    )
}

fn response_name(status: StatusCode) -> String {
    status
        .canonical_reason()
        .unwrap_or_default()
        .replace(' ', "")
}

/// One response, with every sentence as an example.
fn response(status: StatusCode, refusals: &[Refusal]) -> Response {
    let mut content = Content::new(Some(Ref::from_schema_name("Error")));
    for refusal in refusals {
        let body = refusal.body();
        let example = ExampleBuilder::new().value(serde_json::to_value(&body).ok());
        content
            .examples
            .insert(example_name(body.error), example.into());
    }
    let mut response = ResponseBuilder::new()
        .description(meaning(status))
        .content("application/json", content)
        .build();
    if let Some((name, meaning)) = own_header(status) {
        response
            .headers
            .insert(name.to_owned(), header(meaning).into());
    }
    response
}

/// The sentence's first words.
fn example_name(sentence: &str) -> String {
    let words = sentence.split(|character: char| !character.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).take(8);
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PERMANENT_REDIRECT => "The path has a slash too many at its end.",
        StatusCode::BAD_REQUEST => "The request asks for what cannot be done. Nothing has changed.",
        StatusCode::UNAUTHORIZED => {
            "There is no live session and no valid token. This is found out before anything else."
        }
        StatusCode::FORBIDDEN => {
            "A page of another site sent the request, with its visitor's cookie. Requests with a bearer token are exempt."
        }
        StatusCode::NOT_FOUND => "There is nothing at this path.",
        StatusCode::METHOD_NOT_ALLOWED => "The path is there, but not for this method.",
        StatusCode::PAYLOAD_TOO_LARGE => "The body has more than 1 MiB.",
        StatusCode::BAD_GATEWAY => "LinkedIn failed. Nothing has changed.",
        StatusCode::SERVICE_UNAVAILABLE => {
            "The database cannot be reached, the request took too long, or the server has too much to do. Try again after \
             `Retry-After`."
        }
        StatusCode::TOO_MANY_REQUESTS => {
            "The caller, or their address, asks too often. Try again after `Retry-After`; `RateLimit` tells how many \
             requests are left."
        }
        _ => "A fault of the server. Report the answer's `X-Request-Id`.",
    }
}

/// The header that a status brings with it.
fn own_header(status: StatusCode) -> Option<(&'static str, &'static str)> {
    match status {
        StatusCode::PERMANENT_REDIRECT => {
            Some(("Location", "The path without the slash, with the query."))
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Some(("Allow", "The methods that the path is there for."))
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Some(("Retry-After", "Seconds to wait."))
        }
        _ => None,
    }
}

fn header(description: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
    HeaderBuilder::new()
        .schema(Some(text))
        .description(Some(description))
        .build()
}

/// Completes what the handlers say: with what is the same everywhere, and with the names of the session cookies.
pub(super) fn complete(mut document: Document, session_cookies: &[String]) -> Document {
    let components = document.components.get_or_insert_default();
    name_variants(components);
    components.responses = elsewhere().collect();
    for (name, meaning) in ON_EVERY_ANSWER {
        components
            .headers
            .insert(name.to_owned(), header(meaning).into());
    }
    let operations = document.paths.paths.values_mut().flat_map(operations);
    let described = operations.flat_map(|operation| operation.responses.responses.values_mut());
    for response in described.chain(components.responses.values_mut()) {
        if let RefOr::T(response) = response {
            add_headers(response);
        }
    }
    secure(&mut document, session_cookies);
    document
}

const ON_EVERY_ANSWER: [(&str, &str); 2] = [
    (
        "Cache-Control",
        "`no-store`: answers are about one person at one moment.",
    ),
    (
        "X-Request-Id",
        "The id under which the server logged the request: the client's own, when it sent one that fits.",
    ),
];

fn add_headers(response: &mut Response) {
    for (name, _) in ON_EVERY_ANSWER {
        let shared = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(shared));
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post]
        .into_iter()
        .flatten()
}

/// Responses that are not one operation's.
fn elsewhere() -> impl Iterator<Item = (String, RefOr<Response>)> {
    let refusals = [
        Refusal::CrossSite,
        Refusal::BodyTooLarge,
        Refusal::SyncFailed,
        Refusal::NotFound,
        Refusal::MethodNotAllowed,
    ];
    let refused = ALWAYS.into_iter().chain(refusals).map(|refusal| {
        let status = refusal.status();
        (status, response(status, &[refusal]))
    });
    let moved = StatusCode::PERMANENT_REDIRECT;
    let mut redirect = response(moved, &[]);
    redirect.content.clear();
    refused
        .chain([(moved, redirect)])
        .map(|(status, response)| (response_name(status), response.into()))
}

/// Makes each titled variant of a union a schema of that name, and `kind` the key that tells them apart: generators
/// of clients then make a type for each.
fn name_variants(components: &mut Components) {
    let mut named = Vec::new();
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::OneOf(union)) = schema else {
            continue;
        };
        let mut kinds = Vec::new();
        for variant in &mut union.items {
            let RefOr::T(Schema::Object(object)) = variant else {
                continue;
            };
            let (Some(name), Some(kind)) = (object.title.take(), kind(object)) else {
                continue;
            };
            let reference = Ref::from_schema_name(&name);
            kinds.push((kind, reference.ref_location.clone()));
            let object = std::mem::replace(variant, reference.into());
            named.push((name, object));
        }
        union.discriminator = Some(Discriminator::with_mapping("kind", kinds));
    }
    components.schemas.extend(named);
}

/// What `kind` is in this variant; it becomes the first property, as it is in answers.
fn kind(variant: &mut Object) -> Option<String> {
    let place = variant.properties.get_index_of("kind")?;
    variant.properties.move_index(place, 0);
    let (_, RefOr::T(Schema::Object(kind))) = variant.properties.get_index(0)? else {
        return None;
    };
    let only = kind.enum_values.as_deref()?.first()?.as_str()?;
    Some(only.to_owned())
}

/// A bearer token, or one of the session cookies.
fn secure(document: &mut Document, session_cookies: &[String]) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of a native client. A valid one wins over a cookie.",
        ))
        .build();
    let cookies = session_cookies.iter().enumerate().map(|(place, name)| {
        let id = match place {
            0 => "session".to_owned(),
            _ => format!("session{}", place + 1),
        };
        let description =
            "The session that InterlinedList's sign-in sets; browsers send it by themselves.";
        let cookie = ApiKeyValue::with_description(name.as_str(), description);
        (id, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
    });
    let schemes: Vec<_> = [("bearer".to_owned(), SecurityScheme::Http(bearer))]
        .into_iter()
        .chain(cookies)
        .collect();
    let requirement = |(id, _): &(String, _)| SecurityRequirement::new(id, [""; 0]);
    document.security = Some(schemes.iter().map(requirement).collect());
    let components = document.components.get_or_insert_default();
    for (id, scheme) in schemes {
        components.security_schemes.insert(id, scheme.into());
    }
}
