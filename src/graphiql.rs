//! What people explore the API in, GraphiQL and Swagger UI: built by `build.rs`, and kept in the program as Brotli.

use axum::{
    Router,
    body::Body,
    extract::{Path, Request},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, VARY,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use maud::html;
use rust_embed::Embed;
use tower::ServiceExt;
use tower_http::{decompression::Decompression, set_header::SetResponseHeaderLayer};

use crate::pages;

/// What Vite made of `graphiql/`: every file compressed under its own name; none when it could not be built.
#[derive(Embed)]
#[folder = "$OUT_DIR/graphiql"]
struct Files;

/// What was in the way when the server was built.
const MISSING: Option<&str> = option_env!("GRAPHIQL_MISSING");

/// A page, and what it may do.
struct Explorer {
    name: &'static str,
    path: &'static str,
    page: &'static str,
    policy: &'static str,
}

/// Monaco, the editor, places its text by inline styles.
const GRAPHIQL: Explorer = Explorer {
    name: "GraphiQL",
    path: "/graphiql/",
    page: "index.html",
    policy: "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; \
        font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
        frame-ancestors 'none'",
};

const SWAGGER_UI: Explorer = Explorer {
    name: "Swagger UI",
    path: "/openapi/",
    page: "openapi.html",
    policy: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .merge(explorer(&GRAPHIQL))
        .merge(explorer(&SWAGGER_UI))
        .layer(middleware::from_fn(decompress_when_needed))
}

fn explorer<S: Clone + Send + Sync + 'static>(explorer: &'static Explorer) -> Router<S> {
    let path = explorer.path;
    let policy = HeaderValue::from_static(explorer.policy);
    Router::new()
        .route(
            path.trim_end_matches('/'),
            get(async || Redirect::permanent(path)),
        )
        .route(path, get(async || page(explorer)))
        .route(&format!("{path}assets/{{name}}"), get(asset))
        .layer(SetResponseHeaderLayer::if_not_present(
            CONTENT_SECURITY_POLICY,
            policy,
        ))
}

fn page(explorer: &Explorer) -> Response {
    file(explorer.page, "no-store").unwrap_or_else(|| {
        let text = html! {
            p { (explorer.name) " is not in this server: " (MISSING.unwrap_or("it was not built")) "." }
            p {
                "Building it takes Node.js 20.19 or later, from " a href="https://nodejs.org/" { "nodejs.org" }
                " or from your system's packages, and, once, the network. Then build the server again:"
            }
            pre { "cargo clean -p linkedin-targets\ncargo build" }
            p { "Everything else works without it." }
        };
        (StatusCode::NOT_FOUND, pages::page(explorer.name, text)).into_response()
    })
}

/// Vite puts a hash of the content into the name.
async fn asset(Path(name): Path<String>) -> Response {
    file(
        &format!("assets/{name}"),
        "public, max-age=31536000, immutable",
    )
    .unwrap_or_else(pages::not_found)
}

fn file(path: &str, cache_control: &'static str) -> Option<Response> {
    let file = Files::get(path)?;
    let headers = [
        (CONTENT_TYPE, file.metadata.mimetype()),
        (CONTENT_ENCODING, "br"),
        (VARY, "accept-encoding"),
        (CACHE_CONTROL, cache_control),
    ];
    Some((headers, file.data).into_response())
}

async fn decompress_when_needed(request: Request, next: Next) -> Response {
    if accepts_brotli(request.headers()) {
        next.run(request).await
    } else {
        let Ok(response) = Decompression::new(next).oneshot(request).await;
        response.map(Body::new)
    }
}

/// Whether Brotli is named, with a weight above 0.
fn accepts_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().trim_start_matches(['q', 'Q', '=']).parse();
        name.trim().eq_ignore_ascii_case("br") && weight.is_ok_and(|weight: f32| weight > 0.0)
    })
}
