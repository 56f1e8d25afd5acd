//! The stream of one page.

use std::time::Duration;

use axum::body::Bytes;
use tokio::{sync::mpsc, time::Instant};

/// Messages that may wait for a page.
const MAX_MESSAGES: usize = 8;

/// How long a page may read nothing.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The end of a stream that the task writes to.
#[derive(Debug)]
pub(super) struct Page {
    out: mpsc::Sender<Bytes>,
    /// Events in messages that the page did not get.
    lost: u64,
    /// The time since which the page takes no message.
    stalled_since: Option<Instant>,
}

impl Page {
    pub(super) fn new() -> (Self, mpsc::Receiver<Bytes>) {
        let (out, messages) = mpsc::channel(MAX_MESSAGES);
        let page = Self {
            out,
            lost: 0,
            stalled_since: None,
        };
        // The browser knows that the stream is open, and how soon to open it again.
        page.try_send(Bytes::from_static(b"retry: 2000\n\n"));
        (page, messages)
    }

    /// Sends a message with this many events, or counts the events as lost.
    pub(super) fn send(&mut self, message: &Bytes, events: u64) {
        if self.lost > 0 {
            let told = format!("event: lost\ndata: {{\"events\":{}}}\n\n", self.lost);
            if self.try_send(told.into()) {
                self.lost = 0;
            }
        }
        if self.lost == 0 && self.try_send(message.clone()) {
            self.stalled_since = None;
        } else {
            self.lost += events;
            self.stalled_since.get_or_insert_with(Instant::now);
        }
    }

    fn try_send(&self, message: Bytes) -> bool {
        self.out.try_send(message).is_ok()
    }

    /// Whether the browser has closed the stream, or does not read it.
    pub(super) fn is_gone(&self) -> bool {
        let stalled = self.stalled_since.map(|since| since.elapsed());
        self.out.is_closed() || stalled.is_some_and(|time| time > STALL_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::{MAX_MESSAGES, Page};

    #[test]
    fn a_page_is_told_what_it_lost() {
        let (mut page, mut messages) = Page::new();
        let sent = Bytes::from_static(b"data: 1\n\n");
        for _ in 1..MAX_MESSAGES {
            page.send(&sent, 3);
        }
        page.send(&sent, 3);
        page.send(&sent, 4);
        assert!(!page.is_gone());
        assert_eq!(messages.blocking_recv().unwrap(), "retry: 2000\n\n");
        for _ in 1..MAX_MESSAGES {
            assert_eq!(messages.blocking_recv().unwrap(), sent);
        }
        page.send(&sent, 3);
        let told = messages.blocking_recv().unwrap();
        assert_eq!(told, "event: lost\ndata: {\"events\":7}\n\n");
        assert_eq!(messages.blocking_recv().unwrap(), sent);
        drop(messages);
        assert!(page.is_gone());
    }
}
