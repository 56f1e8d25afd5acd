//! Messages to a worker, and the descriptor that wakes it.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Duration,
};

use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::eventfd::{EfdFlags, EventFd},
};
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::worker::Message;

/// The sender of messages to a worker. The worker ends with the last sender.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    sender: mpsc::UnboundedSender<Message>,
    // Dropped after the sender, so that the worker finds the sender gone.
    waker: Waker,
}

/// Wakes the worker, also when it is dropped.
#[derive(Debug, Clone)]
struct Waker(Arc<EventFd>);

/// The receiver of messages.
#[derive(Debug)]
pub(crate) struct Messages {
    receiver: mpsc::UnboundedReceiver<Message>,
    wakes: Arc<EventFd>,
    has_ended: bool,
}

/// Creates the two ends of the messages to one worker.
///
/// # Errors
/// The system has no descriptor left.
pub(crate) fn channel() -> io::Result<(Inbox, Messages)> {
    let wakes = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let wakes = Arc::new(wakes);
    let (sender, receiver) = mpsc::unbounded_channel();
    let waker = Waker(Arc::clone(&wakes));
    let messages = Messages {
        receiver,
        wakes,
        has_ended: false,
    };
    Ok((Inbox { sender, waker }, messages))
}

impl Inbox {
    /// Sends a message. It is dropped if the worker has ended, which the main loop
    /// notices.
    pub(crate) fn send(&self, message: Message) {
        if self.sender.send(message).is_ok() {
            self.waker.wake();
        }
    }
}

impl Waker {
    fn wake(&self) {
        // Fails only if the counter is full, and then the worker is woken anyway.
        let _ = self.0.write(1);
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.wake();
    }
}

impl Messages {
    /// Returns the next message, without waiting.
    pub(crate) fn next(&mut self) -> Option<Message> {
        match self.receiver.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.has_ended = true;
                None
            }
        }
    }

    /// Returns whether no message waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// Returns whether there are neither messages nor senders.
    pub(crate) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Sleeps for a time, or until a message comes; returns whether one may have come.
    pub(crate) fn comes_within(&self, time: Duration) -> bool {
        let mut wakes = [PollFd::new(self.wakes.as_fd(), PollFlags::POLLIN)];
        let is_woken = ppoll(&mut wakes, Some(time.into()), None) != Ok(0);
        if is_woken {
            self.acknowledge();
        }
        is_woken
    }

    /// Resets the descriptor; called before messages are received.
    pub(crate) fn acknowledge(&self) {
        let _ = self.wakes.read();
    }
}

impl AsFd for Messages {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wakes.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use tokio::sync::oneshot;

    use super::{Inbox, channel};
    use crate::worker::Message;

    /// Longer than any test waits.
    const LONG: Duration = Duration::from_secs(3_600);

    fn ping(inbox: &Inbox) {
        inbox.send(Message::Ping(oneshot::channel().0));
    }

    #[test]
    fn a_message_ends_the_pause() {
        let (inbox, mut messages) = channel().unwrap();
        let before = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| ping(&inbox));
            assert!(messages.comes_within(LONG));
        });
        assert!(before.elapsed() < LONG && !messages.comes_within(Duration::ZERO));
        assert!(messages.next().is_some() && messages.next().is_none());
        assert!(!messages.has_ended());
    }

    #[test]
    fn the_worker_is_woken_when_the_last_sender_is_gone() {
        let (inbox, mut messages) = channel().unwrap();
        ping(&inbox);
        drop(inbox.clone());
        messages.acknowledge();
        assert!(!messages.has_ended() && !messages.comes_within(Duration::ZERO));
        drop(inbox);
        assert!(messages.comes_within(Duration::ZERO));
        assert!(messages.next().is_some() && !messages.has_ended());
        assert!(messages.next().is_none() && messages.has_ended());
    }
}
