//! What doveadm, unchanged, prints of a stats server.

use fantail_testkit::dovecot::{Site, Version};

/// Metrics added and removed on the way.
const ADD: [&[&str]; 6] = [
    &["stats", "add", "fresh", "event=imap_command_finished"],
    // The name is taken.
    &["stats", "add", "fresh", "event=pop3_command_finished"],
    // No filter.
    &["stats", "add", "broken", "event=("],
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

fn text(site: &Site, arguments: &[&str]) -> (String, String) {
    let output = site.doveadm_output(arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let status = output.status.code();
    (arguments.join(" "), format!("{said}\nstatus {status:?}\n"))
}
