//! A configuration, what clients send under it, and what is asked of the server.

use std::collections::{BTreeMap, BTreeSet};

use super::super::version::Version;

/// A case, in parts that can be removed.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The workers of `fantail serve`.
    pub(super) workers: usize,
    pub(super) parts: Vec<Part>,
}

/// A part of a case; its text is in pieces that can be removed, too.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// A setting of a block, in words.
    Setting(Block, Vec<String>),
    /// A line of a client, in arguments.
    Line(Vec<String>),
    /// The end of a client; the next line is that of another one.
    Close,
    /// A request to the stats-reader socket.
    Ask(String),
}

/// A block of the configuration, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Block {
    Exporter(usize),
    Metric(usize),
}

/// What is done to a server, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A client sends lines and ends.
    Send(Vec<u8>),
    Ask(String),
}

/// The first line of a client.
const HANDSHAKE: &str = "VERSION\tstats-client\t4\t0\n";

impl Part {
    /// Returns the pieces of its text.
    pub(super) fn pieces(&self) -> Option<&Vec<String>> {
        match self {
            Self::Setting(_, pieces) | Self::Line(pieces) => Some(pieces),
            Self::Close | Self::Ask(_) => None,
        }
    }

    /// Returns the part with these pieces only.
    pub(super) fn with(&self, pieces: Vec<String>) -> Self {
        match self {
            Self::Setting(block, _) => Self::Setting(*block, pieces),
            Self::Line(_) => Self::Line(pieces),
            Self::Close => Self::Close,
            Self::Ask(request) => Self::Ask(request.clone()),
        }
    }
}

impl Case {
    /// Returns the blocks of the configuration.
    pub(super) fn blocks(&self) -> String {
        let mut blocks: BTreeMap<Block, String> = BTreeMap::new();
        for part in &self.parts {
            if let Part::Setting(block, words) = part {
                let text = blocks.entry(*block).or_default();
                *text += &format!("  {}\n", words.join(" "));
            }
        }
        let mut text = String::new();
        for (block, settings) in blocks {
            let heading = match block {
                Block::Exporter(number) => format!("event_exporter e{number}"),
                Block::Metric(number) => format!("metric m{number}"),
            };
            text += &format!("{heading} {{\n{settings}}}\n");
        }
        text
    }

    /// Returns the number of exporters.
    pub(super) fn exporters(&self) -> usize {
        let blocks = self.parts.iter().filter_map(|part| match part {
            Part::Setting(Block::Exporter(number), _) => Some(*number),
            _ => None,
        });
        blocks.collect::<BTreeSet<usize>>().len()
    }

    /// Returns what is done to the servers.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut lines = Vec::new();
        let close = |lines: &mut Vec<u8>, steps: &mut Vec<Step>| {
            if !lines.is_empty() {
                steps.push(Step::Send([HANDSHAKE.as_bytes(), lines].concat()));
                lines.clear();
            }
        };
        for part in &self.parts {
            match part {
                Part::Setting(..) => {}
                Part::Line(arguments) => {
                    lines.extend_from_slice(arguments.join("\t").as_bytes());
                    lines.push(b'\n');
                }
                Part::Close => close(&mut lines, &mut steps),
                Part::Ask(request) => {
                    close(&mut lines, &mut steps);
                    steps.push(Step::Ask(request.clone()));
                }
            }
        }
        close(&mut lines, &mut steps);
        steps
    }

    /// Returns the whole case as text.
    pub(super) fn to_text(&self, version: Version) -> String {
        let mut text = format!(
            "series {}, {} workers\n{}",
            version.series(),
            self.workers,
            self.blocks()
        );
        for step in self.steps() {
            match step {
                Step::Ask(request) => text += &format!("> {}\n", request.escape_debug()),
                Step::Send(lines) => {
                    for line in lines.split_inclusive(|byte| *byte == b'\n') {
                        let line = line.strip_suffix(b"\n").unwrap_or(line);
                        text += &format!("< {}\n", line.escape_ascii());
                    }
                }
            }
        }
        text
    }
}
