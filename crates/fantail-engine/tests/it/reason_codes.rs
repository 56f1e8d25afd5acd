//! Reason codes and names of commands that no rule of Dovecot's allows: they are
//! data. A POP3 command with a colon in it killed Dovecot's own process, whose
//! function for reason codes accepts no colon in a name.

use fantail_event::Dialect;
use fantail_wire::Limits;

use super::{check, settings};

const CONFIG: &str = "\
metric codes {
  filter = reason_code=*
  group_by = reason_code
}
metric prefixed {
  filter = reason_code=pop3:*
}
metric commands {
  filter = event=pop3_command_finished
  group_by = cmd_name
  exporter = log
}
event_exporter log {
  format = tab-text
  format_args = time-unix
  transport = log
}
";

#[test]
fn odd_reason_codes_and_commands_are_data() {
    let settings = settings(CONFIG.as_bytes(), Dialect::V2_3);
    let lines: Vec<&[u8]> = vec![
        b"VERSION\tstats-client\t4\t0",
        b"EVENT\t0\t0\t1\t5\t5\tnpop3_command_finished\tScmd_name\ta:b:c\tLreason_code\t4\tpop3:a:b\t:\tpop3:\t\x01t x",
        b"EVENT\t0\t0\t1\t5\t5\tnpop3_command_finished\tScmd_name\t:\tLreason_code\t1\t::",
        b"EVENT\t0\t0\t1\t5\t5\tnpop3_command_finished\tScmd_name\t\tLreason_code\t0",
    ];
    let outcome = check(&settings, &[lines], &Limits::default());
    assert!(outcome.lines.iter().all(Result::is_ok), "{outcome:?}");
    let counts = |name: &str| -> Vec<String> {
        let rows = outcome.dump.lines().map(|row| row.split('\t'));
        let rows = rows.filter_map(|mut row| {
            let (metric, field, count) = (row.next()?, row.next()?, row.next()?);
            (metric.starts_with(name) && field == "duration").then(|| format!("{metric} {count}"))
        });
        rows.collect()
    };
    assert_eq!(counts("prefixed"), ["prefixed 1"]);
    // Dovecot writes a control character as U+FFFD, and a blank as `_`.
    let codes = ["pop3:a:b", ":", "pop3:", "\u{fffd} x", "::"]
        .map(|code| format!("codes_{} 1", code.replace(' ', "_")));
    let counted = counts("codes");
    for code in codes {
        assert!(counted.contains(&code), "{code} is not in {counted:?}");
    }
    assert_eq!(outcome.recorded.exports.len(), 3);
    let first = outcome.recorded.exports[0].1.escape_ascii().to_string();
    assert!(first.contains("field:cmd_name=a:b:c"), "{first}");
}
