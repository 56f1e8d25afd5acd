//! Changes of the configuration: metrics that are added and removed, and reloads that
//! fail, hang, or end after they were given up.
//!
//! The configuration is a set of numbers: a reload reads some, the others were added
//! at run time and stay.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use fantail_server::internal::{ChangeQueue, Start};

use crate::{
    broken::{Broken, holds},
    fault::Fault,
    world::{World, with},
};

/// Longest time of a preparation.
const PATIENCE: Duration = Duration::from_secs(10);

/// A wanted change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Add(u64),
    Remove(u64),
    /// Reads the configuration with this number.
    Reload(u64),
}

/// The configuration in force: the number of the last reload, and added metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Live {
    read: u64,
    added: BTreeSet<u64>,
}

/// A thread that prepares a change.
#[derive(Debug)]
struct Preparation {
    change: Change,
    ends: Option<Instant>,
    /// What was in force at its start.
    old: Live,
    fails: bool,
}

/// The control task.
#[derive(Debug)]
struct Control {
    queue: ChangeQueue<Change>,
    live: Live,
    current: Option<Preparation>,
    stuck: Vec<Preparation>,
    /// What should be in force: the accepted changes in the order of the orders.
    expected: Live,
    unanswered: VecDeque<Change>,
    next: u64,
}

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let mut control = Control {
        queue: ChangeQueue::new(PATIENCE),
        live: Live::default(),
        current: None,
        stuck: Vec::new(),
        expected: Live::default(),
        unanswered: VecDeque::new(),
        next: 0,
    };
    for _ in 0..with(|world| world.random.u32(..200)) {
        match with(|world| world.random.u32(..10)) {
            0..4 => control.order(),
            4..6 => with(|world| world.pass(Duration::from_millis(700))),
            _ => control.wait()?,
        }
        control.start()?;
        control.check()?;
    }
    // Each change has an answer after its time.
    while control.current.is_some() {
        control.wait()?;
        control.start()?;
        control.check()?;
    }
    let unanswered = &control.unanswered;
    holds(unanswered.is_empty(), || {
        format!("changes without an answer: {unanswered:?}")
    })
}

impl Control {
    fn order(&mut self) {
        self.next += 1;
        let number = self.next;
        let change = match with(|world| world.random.u32(..3)) {
            0 => Change::Add(number),
            1 => Change::Remove(with(|world| world.random.u64(..=number))),
            _ => Change::Reload(number),
        };
        with(|world| world.note(|| format!("{change:?} is wanted")));
        self.unanswered.push_back(change);
        let is_reload = matches!(change, Change::Reload(_));
        self.queue.push(change, is_reload);
    }

    /// Starts the preparation of the next change.
    fn start(&mut self) -> Result<(), Broken> {
        let now = with(|world| world.now());
        let late_count = with(|world| world.fault == Some(Fault::LateResultsCount));
        let (queue, live) = (&mut self.queue, &mut self.live);
        self.stuck.retain(|preparation| {
            let is_running = preparation.ends.is_none_or(|ends| ends > now);
            if !is_running {
                queue.stuck_ended();
                if late_count {
                    *live = apply(&preparation.old, preparation.change);
                }
            }
            is_running
        });
        while let Some(start) = self.queue.start(now) {
            match start {
                Start::Refuse(change) => self.answer(change, "refused")?,
                Start::Prepare(change) => self.prepare(change, now)?,
            }
        }
        Ok(())
    }

    fn prepare(&mut self, change: Change, now: Instant) -> Result<(), Broken> {
        holds(self.current.is_none(), || {
            "two changes are prepared at once".to_owned()
        })?;
        let is_reload = matches!(change, Change::Reload(_));
        holds(!is_reload || self.stuck.is_empty(), || {
            "a reload begins while another one runs".to_owned()
        })?;
        let (takes, fails) = with(|world| (draw_time(world), world.one_in(4)));
        with(|world| world.note(|| format!("{change:?} is prepared for {takes:?}")));
        self.current = Some(Preparation {
            change,
            ends: takes.map(|takes| now + takes),
            old: self.live.clone(),
            fails,
        });
        Ok(())
    }

    /// Waits until the current change is prepared, or is given up.
    fn wait(&mut self) -> Result<(), Broken> {
        let Some((current, deadline)) = self.current.take().zip(self.queue.deadline()) else {
            return Ok(());
        };
        let until = current.ends.map_or(deadline, |ends| ends.min(deadline));
        with(|world| {
            let left = until.saturating_duration_since(world.now());
            world.pass(left);
        });
        let change = current.change;
        if current.ends == Some(until) {
            self.queue.prepared();
            if current.fails {
                return self.answer(change, "failed");
            }
            self.live = apply(&current.old, change);
            return self.answer(change, "done");
        }
        if self.queue.give_up() {
            if with(|world| world.fault == Some(Fault::AbandonedReloadsAreForgotten)) {
                self.queue.stuck_ended();
            }
            self.stuck.push(current);
        }
        self.answer(change, "given up")
    }

    /// Answers a change, which has to be the first without an answer.
    fn answer(&mut self, change: Change, answer: &str) -> Result<(), Broken> {
        with(|world| world.note(|| format!("{change:?} is {answer}")));
        let first = self.unanswered.pop_front();
        holds(first == Some(change), || {
            format!("{change:?} is answered before {first:?}")
        })?;
        if answer == "done" {
            self.expected = apply(&self.expected, change);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Broken> {
        let (live, expected) = (&self.live, &self.expected);
        holds(live == expected, || {
            format!("in force is {live:?}, and {expected:?} was answered")
        })?;
        let is_waiting = !self.unanswered.is_empty();
        holds(!is_waiting || self.current.is_some(), || {
            "changes wait, and none is prepared".to_owned()
        })?;
        let mut waiting = self.unanswered.iter();
        let reloads = waiting.any(|change| matches!(change, Change::Reload(_)));
        holds(self.queue.is_reloading() == reloads, || {
            "a reload waits, and the queue says no, or the reverse".to_owned()
        })
    }
}

/// Draws the time of a preparation; `None`: it never ends.
fn draw_time(world: &mut World) -> Option<Duration> {
    match world.random.u32(..10) {
        0 => None,
        1..4 => Some(Duration::from_millis(world.random.u64(..60_000))),
        _ => Some(Duration::from_millis(world.random.u64(..500))),
    }
}

fn apply(old: &Live, change: Change) -> Live {
    let mut live = old.clone();
    match change {
        Change::Add(number) => _ = live.added.insert(number),
        Change::Remove(number) => _ = live.added.remove(&number),
        Change::Reload(number) => live.read = number,
    }
    live
}
