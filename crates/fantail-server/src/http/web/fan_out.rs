//! The fan-out: one task that sends what happens to all pages.
//!
//! Pages with the same filter share an observer, whose events are taken a few times a
//! second, a bounded number each time, and formatted into one message for all of them.
//! So the cost for workers depends on the number of filters, not of pages. A page that
//! does not read loses messages, is told so, and is cut off after a while.

mod page;
mod source;

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use fantail_config::Settings;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval},
};

pub(super) use self::source::Watch;
use self::{
    page::Page,
    source::{Source, close},
};
use super::status::{Made, StatusMaker};
use crate::{ControlError, ControlErrorKind, Handle, Log, worker::census::Census};

/// Pages that may be open at one time.
pub(in crate::http) const MAX_PAGES: usize = 128;

/// How often events are sent.
const TICK: Duration = Duration::from_millis(200);

/// How often the connection of an idle page is checked.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// How long Dovecot's processes are asked for further events.
const ASK_DURATION: Duration = Duration::from_secs(10);

/// Requests to the task that may wait.
const MAX_REQUESTS: usize = 64;

/// A request to the task.
#[derive(Debug)]
enum Request {
    Open(Option<Watch>, Reply<mpsc::Receiver<Bytes>>),
    Ask(Watch, Reply<()>),
}

type Reply<T> = oneshot::Sender<Result<T, ControlError>>;

/// Requests to the fan-out; clones ask the same task.
#[derive(Debug, Clone)]
pub(in crate::http) struct FanOut(mpsc::Sender<Request>);

impl FanOut {
    /// Starts the task, within a runtime.
    pub(in crate::http) fn start(handle: Handle, log: Log) -> Self {
        let (requests, taken) = mpsc::channel(MAX_REQUESTS);
        let (status, made) = mpsc::channel(1);
        let census = Arc::new(Census::new(&handle.answers));
        let turns = Arc::clone(&handle.http_turns);
        let task = Task {
            status: StatusMaker::new(handle.clone(), Arc::clone(&census), status),
            census,
            handle,
            log,
            groups: Vec::new(),
            pinged: Instant::now(),
        };
        turns.spawn(task.run(taken, made));
        Self(requests)
    }

    /// Opens the stream of a page.
    pub(super) async fn open(
        &self,
        watch: Option<Watch>,
    ) -> Result<mpsc::Receiver<Bytes>, ControlError> {
        self.request(|reply| Request::Open(watch, reply)).await
    }

    /// Has Dovecot's processes asked for the events of a filter that a page watches.
    pub(super) async fn ask(&self, watch: Watch) -> Result<(), ControlError> {
        self.request(|reply| Request::Ask(watch, reply)).await
    }

    async fn request<T>(&self, make: impl FnOnce(Reply<T>) -> Request) -> Result<T, ControlError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send(make(reply)).await;
        sent.map_err(|_| ControlErrorKind::Ended)?;
        answer.await.map_err(|_| ControlErrorKind::Ended)?
    }
}

/// The pages that watch the same.
#[derive(Debug)]
struct Group {
    /// `None` for pages that only get the status.
    watch: Option<Watch>,
    source: Option<Source>,
    /// The time until which clients are asked for further events.
    asks_until: Option<Instant>,
    pages: Vec<Page>,
}

#[derive(Debug)]
struct Task {
    handle: Handle,
    log: Log,
    census: Arc<Census>,
    status: StatusMaker,
    groups: Vec<Group>,
    pinged: Instant,
}

impl Task {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut made: mpsc::Receiver<Made>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut live = self.handle.live.clone();
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Open(watch, reply)) => self.open(watch, reply).await,
                    Some(Request::Ask(watch, reply)) => {
                        let _ = reply.send(self.ask(&watch).await);
                    }
                    None => return,
                },
                Some(made) = made.recv() => {
                    if let Some(status) = self.status.take(made) {
                        self.send_to_all(&status);
                    }
                }
                _ = ticks.tick(), if !self.groups.is_empty() => {
                    // A reload may have changed which fields may be shown.
                    if live.has_changed().unwrap_or(false) {
                        let settings = live.borrow_and_update().settings.clone();
                        self.follow(&settings).await;
                    }
                    self.tick().await;
                }
            }
        }
    }

    async fn open(&mut self, watch: Option<Watch>, reply: Reply<mpsc::Receiver<Bytes>>) {
        self.remove_closed();
        let pages: usize = self.groups.iter().map(|group| group.pages.len()).sum();
        if pages >= MAX_PAGES {
            let _ = reply.send(Err(ControlErrorKind::TooManyPages.into()));
            return;
        }
        if pages == 0 {
            self.handle.take_census(Some(Arc::clone(&self.census)));
        }
        let opened = self.add(watch).await;
        if opened.is_err() && pages == 0 {
            self.handle.take_census(None);
        }
        // A client that is gone is noticed with the next message.
        let _ = reply.send(opened);
    }

    async fn add(&mut self, watch: Option<Watch>) -> Result<mpsc::Receiver<Bytes>, ControlError> {
        let (mut page, messages) = Page::new();
        if let Some(status) = self.status.last() {
            page.send(status, 0);
        }
        self.status.make_soon();
        if let Some(group) = self.groups.iter_mut().find(|group| group.watch == watch) {
            group.pages.push(page);
            return Ok(messages);
        }
        let source = match &watch {
            Some(watch) => Some(Source::open(watch, &self.handle, false).await?),
            None => None,
        };
        if let Some(watch) = &watch {
            self.log.say(format_args!("page: shows {watch}"));
        }
        self.groups.push(Group {
            watch,
            source,
            asks_until: None,
            pages: vec![page],
        });
        Ok(messages)
    }

    async fn ask(&mut self, watch: &Watch) -> Result<(), ControlError> {
        let mut groups = self.groups.iter_mut();
        let group = groups.find(|group| group.watch.as_ref() == Some(watch));
        let group = group.ok_or(ControlErrorKind::NotWatched)?;
        if group.asks_until.is_none() {
            let log = &self.log;
            log.say(format_args!(
                "page: asks Dovecot's processes for {ASK_DURATION:?} for {watch}"
            ));
            group.reopen(&self.handle, true).await?;
        }
        group.asks_until = Some(Instant::now() + ASK_DURATION);
        Ok(())
    }

    /// Opens the observers again after a change of the configuration.
    async fn follow(&mut self, settings: &Settings) {
        for group in &mut self.groups {
            let is_stale = group
                .source
                .as_ref()
                .is_some_and(|source| !source.follows(settings));
            if is_stale {
                let asks = group.asks_until.is_some();
                if let Err(error) = group.reopen(&self.handle, asks).await {
                    let log = &self.log;
                    log.say(format_args!("page: an observer ends: {error}"));
                }
            }
        }
    }

    async fn tick(&mut self) {
        let watched = self.groups.iter().filter(|group| group.source.is_some());
        let share = watched.count().max(1);
        let answers = self.handle.answers.clone();
        for group in &mut self.groups {
            let is_over = group
                .asks_until
                .is_some_and(|until| until <= Instant::now());
            if is_over {
                group.asks_until = None;
                if group.reopen(&self.handle, false).await.is_err() {
                    continue;
                }
                group.send(&Bytes::from_static(b"event: asked\ndata: {}\n\n"), 0);
            }
            let message = group.source.as_mut();
            if let Some((message, events)) = message.and_then(|it| it.next(share, &answers)) {
                group.send(&message, events);
            }
        }
        if self.pinged.elapsed() >= PING_INTERVAL {
            self.pinged = Instant::now();
            self.send_to_all(&Bytes::from_static(b"event: ping\ndata: {}\n\n"));
        }
        self.status.tick();
        self.remove_closed();
    }

    fn send_to_all(&mut self, message: &Bytes) {
        for group in &mut self.groups {
            group.send(message, 0);
        }
    }

    /// Removes pages that are gone, and observers that no page needs.
    fn remove_closed(&mut self) {
        if self.groups.is_empty() {
            return;
        }
        for group in &mut self.groups {
            group.pages.retain(|page| !page.is_gone());
            if group.pages.is_empty()
                && let Some(source) = group.source.take()
            {
                close(&source, &self.handle);
            }
        }
        self.groups.retain(|group| !group.pages.is_empty());
        if self.groups.is_empty() {
            self.handle.take_census(None);
        }
    }
}

impl Group {
    fn send(&mut self, message: &Bytes, events: u64) {
        for page in &mut self.pages {
            page.send(message, events);
        }
    }

    /// Opens the observer anew, with or without asking clients for its events.
    async fn reopen(&mut self, handle: &Handle, asks: bool) -> Result<(), ControlError> {
        let Some(watch) = &self.watch else {
            return Ok(());
        };
        let opened = Source::open(watch, handle, asks).await?;
        if let Some(before) = self.source.replace(opened) {
            close(&before, handle);
        }
        Ok(())
    }
}
