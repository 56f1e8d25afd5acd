//! Random metrics and exporters.
//!
//! They leave out what ends a stats process of Dovecot, or differs by intent
//! (`docs/differences.md`).

use super::{
    super::{
        random::Random,
        version::Version,
        vocabulary::{self, Key, Kind},
    },
    case::{Block, Part},
};

/// The parts of an event that an exporter may include.
const INCLUDED: &[&str] = &["name", "hostname", "timestamps", "categories", "fields"];

/// The fields that a metric adds up: Dovecot adds negative values as huge ones.
const ADDED: &[&str] = &[
    "duration",
    "bytes_in",
    "status_code",
    "user",
    "remote_ip",
    "reason_code",
    "nosuch",
];

/// The formats of the exporters, by their numbers.
pub(super) type Formats = Vec<&'static str>;

/// Returns random exporters and metrics, and the formats of the exporters.
pub(super) fn random(random: &mut Random, version: Version) -> (Vec<Part>, Formats) {
    let mut parts = Vec::new();
    let mut formats = Vec::new();
    for number in 0..random.below(3) {
        let format = random.word(&["json", "json", "tab-text", "tab-text", "none"]);
        let time = random.word(&["rfc3339", "unix"]);
        let transport = random.word(&["log", "log", "log", "drop"]);
        let block = Block::Exporter(number);
        parts.push(setting(block, format!("format = {format}")));
        match version.is_2_3() {
            true => {
                parts.push(setting(block, format!("transport = {transport}")));
                parts.push(setting(block, format!("format_args = time-{time}")));
            }
            false => {
                parts.push(setting(block, format!("driver = {transport}")));
                parts.push(setting(block, format!("time_format = {time}")));
            }
        }
        formats.push(format);
    }
    for number in 0..1 + random.below(5) {
        parts.extend(metric(random, version, number, &formats));
    }
    (parts, formats)
}

fn metric(random: &mut Random, version: Version, number: usize, formats: &[&str]) -> Vec<Part> {
    let block = Block::Metric(number);
    let mut parts = Vec::new();
    let exporter = (!formats.is_empty() && random.chance(60)).then(|| random.below(formats.len()));
    let mut words = vec!["filter =".to_owned()];
    words.extend(filter(
        random,
        version,
        exporter.and_then(|it| formats.get(it)).copied(),
    ));
    parts.push(Part::Setting(block, words));
    if random.chance(60) {
        let mut fields = vec!["fields =".to_owned()];
        fields.extend(added(random));
        parts.push(Part::Setting(block, fields));
    }
    if random.chance(50) {
        parts.extend(groups(random, version, block));
    }
    if let Some(exporter) = exporter {
        parts.push(setting(block, format!("exporter = e{exporter}")));
        if random.chance(60) {
            let mut included = vec!["exporter_include =".to_owned()];
            included.extend(include(random));
            parts.push(Part::Setting(block, included));
        }
    }
    if random.chance(10) {
        parts.push(setting(block, "description = some words".to_owned()));
    }
    parts
}

fn setting(block: Block, text: String) -> Part {
    Part::Setting(block, vec![text])
}

/// Returns the words of a filter; most filters match many events.
pub(super) fn filter(random: &mut Random, version: Version, format: Option<&str>) -> Vec<String> {
    let mut words = Vec::new();
    // 2.4 dies of an unnamed event in this format.
    let needs_name = !version.is_2_3() && format == Some("tab-text");
    match random.below(4) {
        _ if needs_name => words.push("event=* AND".to_owned()),
        0 => words.push("event=* AND".to_owned()),
        1 => words.push("event=* OR".to_owned()),
        2 => words.push("event=mail* OR".to_owned()),
        _ => {}
    }
    words.push("(".to_owned());
    words.extend(vocabulary::filter(random, version, vocabulary::STREAMS, 2));
    words.push(")".to_owned());
    words
}

/// Returns the fields that a metric adds up.
pub(super) fn added(random: &mut Random) -> Vec<String> {
    let mut fields = Vec::new();
    for _ in 0..1 + random.below(3) {
        let field = random.word(ADDED).to_owned();
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

/// Returns the parts of an event that an exporter includes.
pub(super) fn include(random: &mut Random) -> Vec<String> {
    let chosen = INCLUDED.iter().filter(|_| random.chance(60));
    chosen.map(|part| (*part).to_owned()).collect()
}

/// How a metric divides the values of a field.
enum Method {
    Discrete,
    Exponential { min: usize, max: usize, base: usize },
    Linear { min: usize, max: usize, step: usize },
}

fn group(random: &mut Random, version: Version) -> (&'static str, Method) {
    let key: &Key = random.pick(vocabulary::STREAMS);
    // 2.4 may count an event without the field in the series of an address or number:
    // it reads memory that it did not set.
    let is_undefined = |kind| !version.is_2_3() && kind == Kind::Address;
    let (name, kind) = match random.below(4) {
        0 => ("duration", Kind::Integer),
        _ if is_undefined(key.1) => ("user", Kind::Text),
        _ => *key,
    };
    let method = match random.below(3) {
        _ if kind != Kind::Integer && kind != Kind::Count => Method::Discrete,
        0 if version.is_2_3() || name == "duration" => Method::Discrete,
        0 | 1 => {
            let min = random.below(4);
            Method::Exponential {
                min,
                max: min + 1 + random.below(5),
                base: *random.pick(&[2, 10]),
            }
        }
        _ => {
            // The step divides the range, else Dovecot panics.
            let (min, step) = (random.below(50), 1 + random.below(100));
            Method::Linear {
                min,
                max: min + step * (1 + random.below(6)),
                step,
            }
        }
    };
    (name, method)
}

/// Returns the setting or settings of 1 to 3 groups.
fn groups(random: &mut Random, version: Version, block: Block) -> Vec<Part> {
    let groups: Vec<_> = (0..1 + random.below(3))
        .map(|_| group(random, version))
        .collect();
    if version.is_2_3() {
        let mut words = vec!["group_by =".to_owned()];
        words.extend(
            groups
                .iter()
                .map(|(name, method)| in_one_word(name, method)),
        );
        return vec![Part::Setting(block, words)];
    }
    let mut names = Vec::new();
    let mut parts = Vec::new();
    for (name, method) in groups {
        // Two blocks of one name are one block.
        if !names.contains(&name) {
            names.push(name);
            parts.push(setting(block, in_a_block(name, &method)));
        }
    }
    parts
}

/// Returns the words of `METRICS-ADD` for 1 or 2 groups.
pub(super) fn groups_in_a_line(random: &mut Random, version: Version) -> String {
    let groups: Vec<_> = (0..1 + random.below(2))
        .map(|_| group(random, version))
        .collect();
    let words: Vec<String> = groups
        .iter()
        .map(|(name, method)| in_one_word(name, method))
        .collect();
    words.join(" ")
}

fn in_one_word(name: &str, method: &Method) -> String {
    match method {
        Method::Discrete => name.to_owned(),
        Method::Exponential { min, max, base } => format!("{name}:exponential:{min}:{max}:{base}"),
        Method::Linear { min, max, step } => format!("{name}:linear:{min}:{max}:{step}"),
    }
}

fn in_a_block(name: &str, method: &Method) -> String {
    let inner = match method {
        Method::Discrete => String::new(),
        Method::Exponential { min, max, base } => format!(
            "    method exponential {{\n      min_magnitude = {min}\n      \
             max_magnitude = {max}\n      base = {base}\n    }}\n"
        ),
        Method::Linear { min, max, step } => format!(
            "    method linear {{\n      min = {min}\n      max = {max}\n      \
             step = {step}\n    }}\n"
        ),
    };
    format!("group_by {name} {{\n{inner}  }}")
}
