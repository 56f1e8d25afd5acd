//! What doveadm, unchanged, prints of a stats server.

use fantail_testkit::dovecot::{Site, Version};

/// Metrics added and removed on the way.
const ADD: [&[&str]; 5] = [
    &["stats", "add", "fresh", "event=imap_command_finished"],
    // The name is taken.
    &["stats", "add", "fresh", "event=pop3_command_finished"],
    &[
        "stats",
        "add",
        "--fields",
        "bytes_in user",
        "--group-by",
        "cmd_name",
        "--description",
        "some words",
        "grouped",
        "event=imap_command_finished",
    ],
    &["stats", "remove", "fresh"],
    // It is gone.
    &["stats", "remove", "fresh"],
];

/// Runs commands one after another; each with all that it said.
pub(super) fn texts(site: &Site) -> Vec<(String, String)> {
    let mut commands: Vec<&[&str]> = vec![
        &["stats", "dump"],
        &["stats", "dump", "-f", "sum count max %90"],
    ];
    commands.extend(ADD);
    commands.push(&["stats", "dump", "-f", "count"]);
    if site.installation().version() == Version::V2_4 {
        commands.push(&["stats", "reopen"]);
    }
    commands.push(&["stats", "dump", "-r"]);
    commands.push(&["stats", "dump"]);
    commands
        .iter()
        .map(|arguments| text(site, arguments))
        .collect()
}

/// Adds what cannot be added. Only ours is asked: what is wrong with a filter
/// everybody says with words of their own, and 2.4.1's process answers not at
/// all.
#[track_caller]
pub(super) fn check_refusals(site: &Site) {
    let adds = [
        (["broken", "event=("], "expected a value"),
        (["broken", "duration>"], "expected a value"),
    ];
    for ([name, filter], reason) in adds {
        let (_, said) = text(site, &["stats", "add", name, filter]);
        let why = said.split_once("METRICS-ADD: ").map(|(_, why)| why);
        assert!(why.is_some_and(|why| why.contains(reason)), "{said}");
    }
    let missing = ["stats", "add", "--exporter", "nobody", "lost", "event=x"];
    let (_, said) = text(site, &missing);
    assert!(
        said.contains("METRICS-ADD: ") && said.contains("nobody"),
        "{said}"
    );
}

fn text(site: &Site, arguments: &[&str]) -> (String, String) {
    let output = site.doveadm_output(arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let status = output.status.code();
    (arguments.join(" "), format!("{said}\nstatus {status:?}\n"))
}
