//! `/api/v1/stream`: server-sent events, one stream for each page.

use std::{
    io,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{fan_out::Watch, read_json, refused_by_control};
use crate::http::{
    Context,
    access::{Door, Via},
};

/// The query of a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    /// The filter whose events are shown; without it, the stream has only the status.
    filter: Option<String>,
    /// Whether events are counted at each term of the filter instead.
    #[serde(default)]
    explain: bool,
}

/// The body of a request for more events.
#[derive(Debug, Deserialize)]
struct Ask {
    filter: String,
    #[serde(default)]
    explain: bool,
}

/// Opens a stream.
pub(super) async fn open(
    Extension(door): Extension<Door>,
    State(context): State<Context>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let watch = parameters.filter.map(|filter| Watch {
        filter: filter.into_bytes(),
        explain: parameters.explain,
    });
    let Some(pages) = &context.pages else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match pages.open(watch).await {
        Ok(messages) => {
            let content_type = [(header::CONTENT_TYPE, "text/event-stream")];
            let body = Messages {
                messages,
                visitor: Visitor::new(door, &headers),
            };
            (content_type, Body::new(body)).into_response()
        }
        Err(error) => refused_by_control(&error),
    }
}

/// Has Dovecot's processes asked for the events of a filter for some seconds.
pub(super) async fn ask(State(context): State<Context>, request: Request) -> Response {
    let wanted: Ask = match read_json(request).await {
        Ok(wanted) => wanted,
        Err(refused) => return refused,
    };
    let watch = Watch {
        filter: wanted.filter.into_bytes(),
        explain: wanted.explain,
    };
    let Some(pages) = &context.pages else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match pages.ask(watch).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused_by_control(&error),
    }
}

/// Who has a stream: it ends with the session or the token.
#[derive(Debug)]
struct Visitor {
    door: Door,
    /// The headers of the request that name the session or have the token.
    headers: HeaderMap,
}

impl Visitor {
    fn new(door: Door, request: &HeaderMap) -> Self {
        let mut headers = HeaderMap::new();
        for name in [header::AUTHORIZATION, header::COOKIE] {
            for value in request.get_all(&name) {
                headers.append(&name, value.clone());
            }
        }
        Self { door, headers }
    }

    fn may_read(&self) -> bool {
        self.door.via == Via::Socket || self.door.access.is_known(&self.headers)
    }
}

/// The body of a stream; it ends with the server or the session, or if the page does not
/// read.
#[derive(Debug)]
struct Messages {
    messages: mpsc::Receiver<Bytes>,
    visitor: Visitor,
}

impl hyper::body::Body for Messages {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let message = ready!(self.messages.poll_recv(context));
        // A status comes every few seconds.
        let message = message.filter(|_| self.visitor.may_read());
        Poll::Ready(message.map(|message| Ok(Frame::data(message))))
    }
}
