//! `/api/v1/session`: begins and ends the session of a browser.

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{read_json, refuse};
use crate::http::{
    Context,
    access::{Door, Via, sessions::SignInError},
    api::json_answer,
};

#[derive(Deserialize)]
struct SignIn {
    token: String,
}

/// Answers whether the browser has a session, and whether it needs one.
pub(super) async fn state(Extension(door): Extension<Door>, headers: HeaderMap) -> Response {
    let over_socket = door.via == Via::Socket;
    json_answer(&json!({
        "signed_in": over_socket || door.access.is_known(&headers),
        "needs_token": !over_socket,
        "has_token": door.access.has_sign_in(),
    }))
}

/// Exchanges the token for a session.
pub(super) async fn begin(
    Extension(door): Extension<Door>,
    State(context): State<Context>,
    request: Request,
) -> Response {
    let given: SignIn = match read_json(request).await {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    match door.access.sign_in(given.token.trim().as_bytes()) {
        Ok(cookie) => {
            context.log.say(format_args!("page: a browser signed in"));
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        Err(SignInError::Token) => {
            context
                .log
                .say(format_args!("page: a browser gave a wrong token"));
            refuse(StatusCode::UNAUTHORIZED, "this is not the token")
        }
        Err(SignInError::TooMany(left)) => {
            let seconds = left.as_secs() + 1;
            let why = format!("too many wrong tokens; try again in {seconds} seconds\n");
            let retry = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, retry, why).into_response()
        }
        Err(SignInError::Random) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "the system has no random numbers",
        ),
    }
}

/// Ends the session.
pub(super) async fn end(Extension(door): Extension<Door>, headers: HeaderMap) -> Response {
    let cookie = door.access.sign_out(&headers);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}
