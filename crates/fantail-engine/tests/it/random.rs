//! Made-up clients under made-up configurations.

use fantail_event::Dialect;
use fantail_wire::Limits;
use proptest::{collection::vec, prelude::*, sample::select};

use super::{check, settings};

/// What metrics may have but their filters and levels.
const BODIES: [&str; 6] = [
    "",
    "fields = n k duration",
    "fields = list t\n exporter = json\n exporter_include = name fields categories timestamps",
    "exporter = tab",
    "exporter = json",
    "fields = missing k\n exporter = tab\n exporter_include = fields",
];

const LEVELS: [&[&str]; 7] = [
    &[],
    &["k"],
    &["list", "k"],
    &["duration", "k"],
    &["n:linear:0:10:2"],
    &["k", "list", "duration:exponential:1:5:10"],
    &["missing", "n"],
];

const FILTERS: [&str; 24] = [
    "event=one",
    "event=*",
    "event=t* AND k=v",
    "NOT event=one",
    "category=mail",
    "category=imap OR n>3",
    "NOT category=error",
    "category=debug",
    "k=V*",
    "k=\"\"",
    "NOT k=*",
    "list=a",
    "list=*b AND NOT list=c",
    "duration>20",
    "duration<=40 AND event=two",
    "n=5 OR n=-7",
    "source_location=file.c",
    "source_location=file.c:3",
    "(event=one OR event=two) AND (k=v OR list=a OR n<0)",
    "t>1000",
    "k=v AND n=5 AND category=storage",
    "ip=\"192.0.2.0/24\"",
    "k=*v",
    "missing=5",
];

fn configuration(dialect: Dialect) -> impl Strategy<Value = String> {
    let metric = (
        select(&FILTERS[..]),
        select(&BODIES[..]),
        select(&LEVELS[..]),
    );
    let exemplars = select(&["", "k", "n", "ip", "list", "duration"][..]);
    // Enough of those that are counted together.
    let plain = vec(select(&FILTERS[..]), 0..10);
    (vec(metric, 1..12), plain, exemplars).prop_map(move |(metrics, plain, exemplars)| {
        let plain = plain.iter().enumerate();
        let plain = plain.map(|(at, filter)| format!("metric p{at} {{\n filter = {filter}\n}}\n"));
        let metrics = metrics
            .iter()
            .enumerate()
            .map(|(at, (filter, body, levels))| {
                let levels = written(levels, dialect);
                format!("metric m{at} {{\n filter = {filter}\n {body}\n{levels}}}\n")
            });
        let (transport, time) = match dialect {
            Dialect::V2_3 => ("transport = drop", "format_args = time-unix"),
            Dialect::V2_4 => ("driver = drop", "time_format = unix"),
        };
        let exporter = |name: &str, format: &str| {
            format!("event_exporter {name} {{\n {transport}\n format = {format}\n {time}\n}}\n")
        };
        let own = match exemplars {
            "" => String::new(),
            field => format!("fantail {{\n exemplars = {field}\n}}\n"),
        };
        let exporters = exporter("json", "json") + &exporter("tab", "tab-text");
        exporters + &metrics.chain(plain).collect::<String>() + &own
    })
}

/// The levels as each dialect writes them.
fn written(levels: &[&str], dialect: Dialect) -> String {
    if dialect == Dialect::V2_3 {
        return format!(" group_by = {}\n", levels.join(" "));
    }
    let levels = levels.iter().map(|level| {
        let mut parts = level.split(':');
        let key = parts.next().unwrap();
        let method = parts.next().map_or_else(String::new, |method| {
            let names = match method {
                "linear" => ["min", "max", "step"],
                _ => ["min_magnitude", "max_magnitude", "base"],
            };
            let settings = names.iter().zip(parts);
            let settings = settings.map(|(name, value)| format!("{name} = {value}\n"));
            format!("method {method} {{\n{}}}\n", settings.collect::<String>())
        });
        format!(" group_by {key} {{\n{method} }}\n")
    });
    levels.collect()
}

/// A name that is too long to be remembered.
const LONG_NAME: &str = "nt\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// A part of an event in its text form.
fn part() -> impl Strategy<Value = &'static str> {
    let parts: &[&str] = &[
        "none",
        "ntwo",
        "none",
        LONG_NAME,
        "ctwo",
        "cmail",
        "cimap",
        "cstorage",
        "sfile.c\t3",
        "sfile.c\t4",
        "l1700000000\t30",
        "l1700000000\t70",
        "l0\t5",
        "Sk\tv",
        "Sk\tV*",
        "Sk\t",
        "Sk\txv",
        "In\t5",
        "In\t-7",
        "In\t11",
        "Sn\ttext",
        "Llist\t2\ta\tb",
        "Llist\t1\tc",
        "Llist\t0",
        "Slist\ta",
        "Tt\t1001\t2",
        "It\t2000000000",
        "Pip\t192.0.2.7",
        "Sip\t192.0.2.9",
        "Iduration\t3",
        "Sduration\tlong",
        "Lduration\t1\tx",
        "Sother\tthing",
        "Sk\t\x01t\x01n",
        "S\x01tk\tv",
        "a",
        "",
        "X",
        "Lk\t1\tv",
        "Sk2\tv",
        "Imissing\t6",
    ];
    select(parts)
}

fn event() -> impl Strategy<Value = String> {
    vec(part(), 0..10).prop_map(|parts| {
        let start = ["1700000000\t10"];
        let parts: Vec<&str> = start.into_iter().chain(parts).collect();
        parts.join("\t")
    })
}

fn line() -> impl Strategy<Value = String> {
    let id = || 0..6_u8;
    let level = || 0..6_u8;
    prop_oneof![
        6 => (id(), id(), level(), event())
            .prop_map(|(global, parent, level, event)| format!("EVENT\t{global}\t{parent}\t{level}\t{event}")),
        3 => (1..6_u8, id(), level(), event())
            .prop_map(|(id, parent, level, event)| format!("BEGIN\t{id}\t{parent}\t{level}\t{event}")),
        2 => (1..6_u8, id(), event())
            .prop_map(|(id, parent, event)| format!("UPDATE\t{id}\t{parent}\t{event}")),
        1 => (1..6_u8).prop_map(|id| format!("END\t{id}")),
    ]
}

/// Returns lines that are rarely refused: most lines about an event that is not
/// live are omitted.
fn accepted(lines: &[String]) -> Vec<&str> {
    let mut parents = std::collections::HashMap::new();
    let mut kept = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let arguments: Vec<&str> = line.split('\t').collect();
        let lives = |id: &str| id == "0" || parents.contains_key(id);
        let fits = match arguments[0] {
            "EVENT" => lives(arguments[1]) && lives(arguments[2]),
            "BEGIN" => !lives(arguments[1]) && lives(arguments[2]) && arguments[1] != arguments[2],
            "UPDATE" => parents
                .get(arguments[1])
                .is_some_and(|parent| *parent == arguments[2]),
            _ => lives(arguments[1]),
        };
        if !fits && at % 31 != 30 {
            continue;
        }
        match arguments[0] {
            "BEGIN" => _ = parents.insert(arguments[1].to_owned(), arguments[2].to_owned()),
            "END" => _ = parents.remove(arguments[1]),
            _ => {}
        }
        kept.push(line.as_str());
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn both_arms_give_the_same(
        (dialect, configuration) in select(&[Dialect::V2_3, Dialect::V2_4][..])
            .prop_flat_map(|dialect| (Just(dialect), configuration(dialect))),
        clients in vec(vec(line(), 1..60), 1..3),
        live_bytes in select(&[64 << 20, 6_000][..]),
    ) {
        let settings = settings(configuration.as_bytes(), dialect);
        let start = [
            "VERSION\tstats-client\t4\t0",
            "CATEGORY\tstorage",
            "CATEGORY\tmail\tstorage",
            "CATEGORY\timap",
            "CATEGORY\ttwo",
        ];
        let clients: Vec<Vec<&[u8]>> = clients
            .iter()
            .map(|lines| {
                let lines = start.into_iter().chain(accepted(lines));
                lines.map(str::as_bytes).collect()
            })
            .collect();
        let limits = Limits { live_bytes, ..Limits::default() };
        check(&settings, &clients, &limits);
    }
}

/// Of events whose class is not remembered nothing is, not even which metrics
/// count them together.
#[test]
fn classes_that_are_not_remembered() {
    let metric = |at: usize| {
        let category = ["mail", "imap"][at % 2];
        format!("metric m{at} {{\n filter = event=t* AND category={category}\n}}\n")
    };
    let configuration: String = (0..12).map(metric).collect();
    let settings = settings(configuration.as_bytes(), Dialect::V2_4);
    let start = [
        "VERSION\tstats-client\t4\t0",
        "CATEGORY\tmail",
        "CATEGORY\timap",
    ];
    let event = |at: usize| {
        let category = ["mail", "imap"][at / 3 % 2];
        format!("EVENT\t0\t0\t1\t1700000000\t10\t{LONG_NAME}\tc{category}")
    };
    let events: Vec<String> = (0..20).map(event).collect();
    let lines = start.into_iter().chain(events.iter().map(String::as_str));
    let client = lines.map(str::as_bytes).collect();
    check(&settings, &[client], &Limits::default());
}
