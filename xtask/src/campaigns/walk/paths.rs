//! The paths: the documented one, and paths with mistakes.

use super::{
    Path,
    host::{BLOCK, Host},
};
use crate::error::Error;

/// All paths.
pub(super) const ALL: &[Path] = &[
    Path {
        name: "without-fantail",
        walk: without_fantail,
    },
    Path {
        name: "as-documented",
        walk: as_documented,
    },
    Path {
        name: "no-check",
        walk: no_check,
    },
    Path {
        name: "no-block",
        walk: no_block,
    },
    Path {
        name: "half-a-block",
        walk: half_a_block,
    },
    Path {
        name: "no-restart",
        walk: no_restart,
    },
    Path {
        name: "reload-for-restart",
        walk: reload_for_restart,
    },
    Path {
        name: "no-program",
        walk: no_program,
    },
    Path {
        name: "no-configuration",
        walk: no_configuration,
    },
    Path {
        name: "unit-before-block",
        walk: unit_before_block,
    },
    Path {
        name: "block-removed-while-served",
        walk: block_removed,
    },
    Path {
        name: "port-of-both",
        walk: port_of_both,
    },
    Path {
        name: "own-setting-in-dovecots-file",
        walk: own_setting,
    },
    Path {
        name: "killed",
        walk: killed,
    },
    Path {
        name: "back",
        walk: back,
    },
    Path {
        name: "back-in-wrong-order",
        walk: back_in_wrong_order,
    },
    Path {
        name: "back-without-removing-the-block",
        walk: back_with_block,
    },
];

/// Measures a restart without fantail.
fn without_fantail(host: &mut Host) -> Result<(), Error> {
    host.restart()?;
    host.reload()?;
    host.ask("doveadm stats dump")?;
    host.expect("metric_name")
}

fn as_documented(host: &mut Host) -> Result<(), Error> {
    host.install_program()?;
    host.ask("fantail check /etc/dovecot/dovecot.conf")?;
    host.expect("1 metric, 0 exporters, read as Dovecot 2.")?;
    host.paste(Some(BLOCK))?;
    host.install()?;
    host.enable(true)?;
    host.restart()?;
    is_counted(host)?;
    host.restart()?;
    is_counted(host)
}

/// Step 5: checks that the metric counts.
fn is_counted(host: &mut Host) -> Result<(), Error> {
    for command in ["doveadm stats dump", "fantail stats dump"] {
        host.ask(command)?;
        host.expect("commands")?;
        let dump = host.command(command)?;
        let row = dump.lines().find(|line| line.starts_with("commands"));
        let count = row.and_then(|row| row.split_whitespace().nth(2)?.parse::<u64>().ok());
        if count.is_none_or(|count| count == 0) {
            return Err(Error::new(format!("nothing is counted:\n{dump}")));
        }
    }
    Ok(())
}

/// Checks whether fantail runs or not, as expected.
fn is_served(host: &Host, expected: bool) -> Result<(), Error> {
    match host.is_served() == expected {
        true => Ok(()),
        false if expected => Err(Error::new("fantail did not start")),
        false => Err(Error::new("fantail started")),
    }
}

fn no_check(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.install()?;
    host.enable(true)?;
    host.restart()?;
    is_counted(host)
}

fn no_block(host: &mut Host) -> Result<(), Error> {
    host.install()?;
    host.ask("fantail check")?;
    host.expect("Dovecot binds `stats-writer`, `login/stats-writer` and `stats-reader`, too")?;
    host.enable(true)?;
    host.restart()?;
    is_served(host, false)?;
    host.expect("put this into Dovecot's configuration, and restart Dovecot")?;
    host.expect("unix_listener login/stats-writer {")?;
    host.ask("doveadm stats dump")?;
    host.expect("metric_name")
}

fn half_a_block(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(
        "service stats {\n  unix_listener stats-writer {\n    mode = 0\n  }\n}\n",
    ))?;
    host.install()?;
    host.enable(true)?;
    host.restart()?;
    is_served(host, false)?;
    host.expect("login/stats-writer, /run/dovecot/stats-reader")
}

fn no_restart(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.install()?;
    host.serve()?;
    is_served(host, false)?;
    host.expect("another process answers there; if it is Dovecot's stats process")?;
    host.restart()?;
    host.serve()?;
    is_served(host, true)?;
    host.restart()?;
    is_counted(host)
}

fn reload_for_restart(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.install()?;
    host.reload()?;
    host.serve()?;
    host.restart()?;
    if !host.is_served() {
        host.expect("another process answers there; if it is Dovecot's stats process")?;
        host.serve()?;
    }
    host.reload()?;
    is_counted(host)
}

fn no_program(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.restart()?;
    host.ask("doveadm stats dump")?;
    host.expect("stats-reader) failed: ")?;
    host.install()?;
    host.ask("fantail stats dump")?;
    host.expect("cannot connect to /run/dovecot/stats-reader")?;
    host.serve()?;
    is_served(host, true)?;
    host.restart()?;
    is_counted(host)
}

fn no_configuration(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.install_program()?;
    host.enable(true)?;
    host.restart()?;
    is_served(host, false)?;
    host.expect("/etc/fantail/fantail.conf")
}

fn unit_before_block(host: &mut Host) -> Result<(), Error> {
    host.install()?;
    host.enable(true)?;
    host.restart()?;
    is_served(host, false)?;
    host.paste(Some(BLOCK))?;
    host.restart()?;
    is_served(host, true)?;
    is_counted(host)
}

/// fantail runs by hand, so it is not restarted with Dovecot.
fn block_removed(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.install()?;
    host.restart()?;
    host.serve()?;
    host.restart()?;
    is_counted(host)?;
    host.paste(None)?;
    host.expect("sockets are left to Dovecot")?;
    host.restart()?;
    host.ask("doveadm stats dump")?;
    host.expect("metric_name")?;
    host.paste(Some(BLOCK))?;
    host.restart()?;
    host.expect("they are served again")?;
    host.restart()?;
    is_counted(host)
}

fn port_of_both(host: &mut Host) -> Result<(), Error> {
    let listener = "service stats {\n  inet_listener http {\n    port = 19900\n  }\n}\n";
    host.paste(Some(&format!("{BLOCK}{listener}")))?;
    host.install()?;
    host.enable(true)?;
    host.restart()?;
    is_served(host, false)?;
    host.expect("its configuration binds port 19900")?;
    host.expect("move `inet_listener http`")
}

/// `fantail check` reports the setting before a restart that would fail.
fn own_setting(host: &mut Host) -> Result<(), Error> {
    host.install()?;
    host.paste(Some(&format!(
        "{BLOCK}fantail {{\n  idle_series = 1h\n}}\n"
    )))?;
    host.ask("fantail check /etc/dovecot/dovecot.conf")?;
    host.expect("Dovecot does not know `fantail`: it refuses the file, and cannot start")?;
    host.paste(Some(BLOCK))?;
    host.restart()
}

fn killed(host: &mut Host) -> Result<(), Error> {
    host.paste(Some(BLOCK))?;
    host.install()?;
    host.enable(true)?;
    host.restart()?;
    host.end(true)?;
    host.ask("fantail stats dump")?;
    host.expect("cannot connect to /run/dovecot/stats-reader")?;
    // Starts fantail again, as the unit does after a failure.
    host.serve()?;
    is_served(host, true)?;
    host.restart()?;
    is_counted(host)
}

fn back(host: &mut Host) -> Result<(), Error> {
    as_documented(host)?;
    host.paste(None)?;
    host.enable(false)?;
    host.restart()?;
    host.ask("doveadm stats dump")?;
    host.expect("metric_name")
}

fn back_in_wrong_order(host: &mut Host) -> Result<(), Error> {
    as_documented(host)?;
    host.paste(None)?;
    host.restart()?;
    is_served(host, false)?;
    host.expect("put this into Dovecot's configuration")?;
    host.enable(false)?;
    host.ask("doveadm stats dump")?;
    host.expect("metric_name")
}

fn back_with_block(host: &mut Host) -> Result<(), Error> {
    as_documented(host)?;
    host.enable(false)?;
    host.restart()?;
    host.ask("doveadm stats dump")?;
    host.expect("stats-reader) failed: ")
}
