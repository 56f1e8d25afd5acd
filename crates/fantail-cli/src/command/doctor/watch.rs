//! `doctor --watch`: requests more events from a running fantail for a limited time.
//!
//! For each term of a filter, a tap counts the events that meet this term and those
//! before it. While the taps are open, Dovecot's processes send all events that the
//! taps match. The taps end with this program.

use std::{
    collections::BTreeMap,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use fantail::{
    lint::{self, Finding, Probe},
    wire::reader::{Reply, Request, TapLine, TapParts},
};

use super::gather::Gathered;
use crate::{
    command::stats::client::Client,
    exit::{Failure, say},
    io::interrupt::Interrupt,
};

/// The maximum number of taps: a server allows 16, and other users need some of them.
const MAX_TAPS: usize = 12;

/// The time limit for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The interval of checks for Ctrl-C.
const INTERRUPT_CHECK: Duration = Duration::from_millis(200);

/// The time to wait for the end of a tap after its time is over.
const END_GRACE: Duration = Duration::from_secs(30);

/// A tap and the events that it counts.
#[derive(Debug)]
struct Tap {
    filter: Vec<u8>,
    /// The number of terms before the last one of the filter.
    depth: usize,
}

/// Watches the metrics that have counted no events, and returns the findings.
pub(super) fn watch(gathered: &Gathered, seconds: u32) -> Result<Vec<Finding>, Failure> {
    let interrupt = Interrupt::watch();
    if gathered.facts.server.is_none() {
        return Err(Failure::new(
            "no `fantail serve` runs here: Dovecot's own stats process cannot be watched; \
             `fantail doctor` without --watch says what is wrong",
        ));
    }
    let Some(counts) = &gathered.facts.counts else {
        let reader = gathered.reader.display();
        return Err(Failure::new(format!(
            "metrics cannot be watched: {reader} does not answer, or only root may open it"
        )));
    };
    let zero = counts.iter().filter(|one| one.count == 0);
    let probes = zero.filter_map(|one| lint::probe(&gathered.loaded, &one.name));
    let (chosen, others) = choose(probes.collect());
    let taps = taps(&chosen);
    if taps.is_empty() {
        say(format_args!(
            "each metric has counted events: there is nothing to watch"
        ));
        return Ok(Vec::new());
    }
    say(format_args!(
        "Dovecot's processes are asked for more events for {seconds} s; Ctrl-C ends it"
    ));
    let counts = count(&gathered.reader, taps, seconds, &interrupt)?;
    let mut findings = Vec::new();
    for probe in &chosen {
        let filters = probe.filters.iter();
        let counts: Option<Vec<u64>> = filters.map(|one| counts.get(one).copied()).collect();
        match counts {
            Some(counts) => findings.extend(probe.judge(&counts, seconds.into())),
            None => findings.push(probe.unwatched("the server took not all of its terms")),
        }
    }
    let why = format!("at most {MAX_TAPS} terms are watched at one time");
    findings.extend(others.iter().map(|probe| probe.unwatched(&why)));
    Ok(findings)
}

/// Splits the probes into those that fit into [`MAX_TAPS`], in order, and the others.
fn choose(probes: Vec<Probe>) -> (Vec<Probe>, Vec<Probe>) {
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for probe in probes {
        chosen.push(probe);
        if taps(&chosen).len() > MAX_TAPS {
            others.extend(chosen.pop());
        }
    }
    (chosen, others)
}

/// Returns the taps for probes: one for each filter, the longest filter first.
///
/// A tap with more terms opens earlier and ends later than one with fewer terms, so
/// it sees every event that the shorter one sees. A term never seems to fail because
/// its tap missed events.
fn taps(probes: &[Probe]) -> Vec<Tap> {
    let mut taps: BTreeMap<&[u8], usize> = BTreeMap::new();
    for probe in probes {
        for (depth, filter) in probe.filters.iter().enumerate() {
            taps.insert(filter, depth);
        }
    }
    let taps = taps.into_iter().map(|(filter, depth)| Tap {
        filter: filter.to_vec(),
        depth,
    });
    let mut taps: Vec<Tap> = taps.collect();
    taps.sort_by_key(|tap| std::cmp::Reverse(tap.depth));
    taps
}

/// Opens all taps and counts events until the taps end. A filter that is too long, or
/// that the server refuses, has no count.
fn count(
    reader: &Path,
    taps: Vec<Tap>,
    seconds: u32,
    interrupt: &Interrupt,
) -> Result<BTreeMap<Vec<u8>, u64>, Failure> {
    let mut open = Vec::new();
    for tap in taps {
        let extra = u32::try_from(tap.depth).unwrap_or(u32::MAX);
        let seconds = seconds.saturating_add(extra);
        if let Some(client) = start(reader, &tap, seconds)? {
            open.push((tap, client, seconds));
        }
    }
    let counting = open.into_iter().map(|(tap, client, seconds)| {
        let interrupt = interrupt.clone();
        thread::spawn(move || {
            let count = finish(client, seconds, &interrupt);
            (tap.filter, count)
        })
    });
    let counting: Vec<_> = counting.collect();
    let counts = counting.into_iter().filter_map(|thread| {
        let (filter, count) = thread.join().ok()?;
        Some((filter, count?))
    });
    Ok(counts.collect())
}

/// Opens a tap; returns `None` if the server refuses it.
fn start(reader: &Path, tap: &Tap, seconds: u32) -> Result<Option<Client>, Failure> {
    let mut client = Client::connect_within(reader, PATIENCE)?;
    let request = Request::Tap(TapParts {
        filter: tap.filter.as_slice().into(),
        format: b"json"[..].into(),
        events: u32::MAX,
        seconds,
        rate: 1,
        ..TapParts::default()
    });
    if client.send_request(&request).is_err() {
        return Ok(None);
    }
    Ok(match client.reply()? {
        Reply::Done => Some(client),
        Reply::Refused(_) => None,
    })
}

/// Returns the number of events until a tap ends; `None` if the tap fails.
fn finish(mut client: Client, seconds: u32, interrupt: &Interrupt) -> Option<u64> {
    let patience = Duration::from_secs(seconds.into()) + END_GRACE;
    let begun = Instant::now();
    client.wait_at_most(INTERRUPT_CHECK).ok()?;
    let mut shown = 0_u64;
    while !interrupt.is_raised() && begun.elapsed() < patience {
        let Some(line) = client.next_line().ok()? else {
            continue;
        };
        match TapLine::parse(line)? {
            TapLine::Event(_) => shown = shown.saturating_add(1),
            TapLine::End { skipped } => return Some(shown.saturating_add(skipped)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use fantail::config::load_text;

    use super::*;

    fn probes(filters: &[&str]) -> Vec<Probe> {
        let metrics = filters.iter().enumerate();
        let text: String = metrics
            .map(|(number, filter)| format!("metric m{number} {{\n  filter = {filter}\n}}\n"))
            .collect();
        let loaded = load_text("x", text, &Default::default());
        let numbers = 0..filters.len();
        let probes = numbers.map(|number| lint::probe(&loaded, format!("m{number}").as_bytes()));
        probes.map(Option::unwrap).collect()
    }

    #[test]
    fn longer_filters_come_first_and_equal_ones_share_a_tap() {
        let probes = probes(&["event=a AND x=1", "event=a AND y=1 AND z=1"]);
        let taps = taps(&probes);
        let depths: Vec<usize> = taps.iter().map(|tap| tap.depth).collect();
        assert_eq!(depths, [2, 1, 1, 0]);
    }

    #[test]
    fn no_more_terms_are_watched_than_a_server_has_taps_for() {
        let long: Vec<String> = (0..5).map(|n| format!("x{n}=1 AND y=1 AND z=1")).collect();
        let filters: Vec<&str> = long.iter().map(String::as_str).collect();
        let (chosen, others) = choose(probes(&filters));
        assert_eq!((chosen.len(), others.len()), (4, 1));
    }
}
