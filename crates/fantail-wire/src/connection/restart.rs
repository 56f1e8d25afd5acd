//! The lines that bring another server to the state of a connection.

use std::{collections::HashMap, ptr};

use fantail_event::{Ancestor, CategoryId, CategoryTree, Event, Level, LiveId, text};

use super::Connection;
use crate::{Command, Intake};

/// The address of a live event: an ended one has no id.
type Address = *const Event;

impl Connection {
    /// Appends the lines after which a connection to another server is in the state of
    /// this one: handshake, categories and live events. It appends nothing before the
    /// handshake.
    ///
    /// A live event begins without its name and gets it by an `UPDATE`: metrics do not
    /// count it a second time. Ended events with live children begin with ids that the
    /// client does not use.
    pub fn write_state(&self, intake: &Intake, out: &mut Vec<u8>) {
        if !self.greeted {
            return;
        }
        out.extend_from_slice(b"VERSION\tstats-client\t4\t0\n");
        for category in &self.categories {
            write_category(*category, &intake.categories, out);
        }
        let chain = |id: LiveId| intake.live.ancestors(Some(id));
        let mut ids: HashMap<Address, u64> = HashMap::with_capacity(self.live.len());
        for (id, live) in &self.live {
            ids.extend(chain(*live).next().map(|it| (ptr::from_ref(it.event), *id)));
        }
        let mut live: Vec<(u64, LiveId)> = self.live.iter().map(|(id, it)| (*id, *it)).collect();
        live.sort_unstable_by_key(|(id, _)| *id);
        let mut writer = StateWriter {
            ids,
            begun: HashMap::new(),
            unused: u64::MAX,
            out,
        };
        for (_, live) in live {
            let mut parent = 0;
            let chain: Vec<Ancestor<'_>> = chain(live).collect();
            for ancestor in chain.iter().rev() {
                parent = writer.begin(ancestor.event, parent);
            }
        }
    }
}

struct StateWriter<'a> {
    /// The ids of the live events of the client.
    ids: HashMap<Address, u64>,
    /// The ids of the events that were written.
    begun: HashMap<Address, u64>,
    /// The next id for an ended event.
    unused: u64,
    out: &'a mut Vec<u8>,
}

impl StateWriter<'_> {
    /// Writes an event unless it was written; returns its id.
    fn begin(&mut self, event: &Event, parent: u64) -> u64 {
        let address = ptr::from_ref(event);
        if let Some(id) = self.begun.get(&address) {
            return *id;
        }
        let id = self.ids.get(&address).copied().unwrap_or_else(|| {
            self.unused -= 1;
            self.unused
        });
        self.begun.insert(address, id);
        let event = event.as_event_ref();
        let mut whole = Vec::new();
        text::write(event, &mut whole);
        let unnamed = match event.name() {
            Some(_) => without_name(&whole),
            None => whole.clone(),
        };
        let begin = Command::Begin {
            id,
            parent,
            level: Level::Info,
            event: &unnamed,
        };
        begin.write(self.out);
        // Also for the duration, which is that of the first sending.
        let update = Command::Update {
            id,
            parent,
            event: &whole,
        };
        update.write(self.out);
        id
    }
}

/// The text of an event without its name. Nothing before the name begins with `n`,
/// and a TAB is in no argument.
fn without_name(whole: &[u8]) -> Vec<u8> {
    let Some(start) = memchr::memmem::find(whole, b"\tn") else {
        return whole.to_vec();
    };
    let (before, name) = whole.split_at(start);
    let length = memchr::memchr(b'\t', name.get(1..).unwrap_or_default());
    let after = length.and_then(|length| name.get(length + 1..));
    [before, after.unwrap_or_default()].concat()
}

fn write_category(id: CategoryId, tree: &CategoryTree, out: &mut Vec<u8>) {
    let mut chain = vec![id];
    while let Some(parent) = chain.last().and_then(|id| tree.parent(*id)) {
        chain.push(parent);
    }
    // A parent is registered before its children; a repeat has no effect.
    for id in chain.into_iter().rev() {
        let Some(name) = tree.name(id) else { continue };
        let parent = tree.parent(id).and_then(|parent| tree.name(parent));
        let category = Command::Category {
            name: name.into(),
            parent: parent.map(Into::into),
        };
        category.write(out);
    }
}
