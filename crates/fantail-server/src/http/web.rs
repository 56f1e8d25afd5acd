//! The page for browsers: its files, sessions, and the stream of what happens.
//!
//! The page shows values of events only as text, and the headers of its files forbid
//! everything else: scripts and styles of other hosts, inline scripts, frames, and text
//! that becomes markup.

mod assets;
mod catalogue;
mod explanation;
mod fan_out;
mod filters;
mod findings;
mod sign_in;
mod status;
mod stream;
mod terms;

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

pub(super) use self::fan_out::{FanOut, MAX_PAGES};
use super::{Context, access::SESSION, answer};
use crate::{ControlError, ControlErrorKind};

/// What a browser may load and do on the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The largest body of a request.
const MAX_BODY_BYTES: usize = 64 << 10;

/// How long the body of a request may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The description of `/api/v1` in OpenAPI 3.1.
const OPENAPI: &str = include_str!("../../api/openapi.json");

/// The routes of the page.
pub(super) fn router() -> Router<Context> {
    Router::new()
        .route("/", get(assets::page))
        .route("/web/{release}/{name}", get(assets::file))
        .route(
            SESSION,
            get(sign_in::state)
                .post(sign_in::begin)
                .delete(sign_in::end),
        )
        .route("/api/v1/stream", get(stream::open))
        .route("/api/v1/ask", post(stream::ask))
        .route("/api/v1/filter", get(filters::check_filter))
        .route("/api/v1/explain", post(explanation::of_event))
        .route("/api/v1/explain/recent", get(terms::of_recent))
        .route("/api/v1/catalogue", get(catalogue::answer))
        .route("/api/v1/findings", get(findings::answer))
        .route("/api/v1/openapi.json", get(openapi))
        .layer(from_fn(with_headers))
}

/// Adds the headers that protect a page and its data.
async fn with_headers(request: Request, next: Next) -> Response {
    let is_data = request.uri().path().starts_with("/api/");
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let mut set = |name, value| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        set(header::HeaderName::from_static(name), "same-origin");
    }
    if is_data {
        set(header::CACHE_CONTROL, "no-store");
    }
    answer
}

async fn openapi() -> Response {
    answer("application/json", OPENAPI.into())
}

/// Reads a body in JSON. A form of another site cannot send this content type.
async fn read_json<T: DeserializeOwned>(request: Request) -> Result<T, Response> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|value| value.as_bytes() == b"application/json");
    if !is_json {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected Content-Type: application/json",
        ));
    }
    let body = read_body(request.into_body()).await?;
    serde_json::from_slice(&body).map_err(|error| {
        let why = format!("the body is not the expected JSON: {error}");
        refuse(StatusCode::BAD_REQUEST, &why)
    })
}

async fn read_body(body: Body) -> Result<Bytes, Response> {
    match timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body has more than 64 KiB, or was cut off",
        )),
        Err(_) => Err(refuse(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not come in time",
        )),
    }
}

/// The answer to a request that cannot be carried out.
fn refuse(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}

/// The answer to a request that the server did not carry out.
fn refused_by_control(error: &ControlError) -> Response {
    let status = match error.kind() {
        ControlErrorKind::TooManyTaps | ControlErrorKind::TooManyPages => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ControlErrorKind::NotWatched | ControlErrorKind::NothingKept => StatusCode::CONFLICT,
        ControlErrorKind::Ended | ControlErrorKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    refuse(status, &error.to_string())
}
