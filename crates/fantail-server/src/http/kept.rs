//! Keeps the seat of a client until its answer is sent.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use hyper::body::{Bytes, Frame, SizeHint};

use crate::socket::seats::{Kept, Seat};

/// Keeps the client's seat from the head of the request to the end of the answer, so
/// that new clients cannot displace it.
pub(super) async fn keep_seat(
    State(seat): State<Arc<Seat>>,
    request: Request,
    next: Next,
) -> Response {
    let kept = seat.keep();
    let answer = next.run(request).await;
    answer.map(|body| Body::new(Keeping { body, _kept: kept }))
}

/// A response body that keeps the seat of its client.
#[derive(Debug)]
struct Keeping {
    body: Body,
    _kept: Kept,
}

impl hyper::body::Body for Keeping {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
