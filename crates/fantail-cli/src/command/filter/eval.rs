//! `fantail filter eval`: evaluates a list of cases, for other programs.

use std::io::{BufRead, Write};

use clap::Args;

use super::answer;
use crate::{
    dialect::Dialect,
    exit::{Failure, Findings},
};

/// Evaluate test cases from standard input, one per line.
///
/// A case is `<log type 0-5> TAB <filter> TAB <event>`. Each argument is tab-escaped,
/// and the event has the format of Dovecot's processes. The answer is one line:
/// `OK TAB <canonical filter> TAB <1 if it matches, else 0>`, or `ERR TAB <error>`.
///
/// The answers are those of libdovecot's event filter. For 2.3, this filter treats
/// `duration` like any other field: Dovecot's stats process adds the field to an event
/// before it evaluates the filter.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  printf '1\\tevent=x AND n>5\\t0\\t0\\tnx\\tIn\\t7\\n' | fantail filter eval

The categories imap, pop3, lmtp, auth, storage, mailbox, mail, maildir,
service:imap, service:pop3, http-client, sql and mysql are registered.")]
pub(crate) struct Arguments {
    /// Dovecot series whose rules apply.
    #[arg(long, value_enum, default_value = "2.4")]
    dialect: Dialect,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let answerer = answer::Answerer::new(arguments.dialect.into());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::file("read", "-".as_ref(), &error))? == 0 {
            break;
        }
        let mut answer = answerer.answer(line.strip_suffix(b"\n").unwrap_or(&line));
        answer.push(b'\n');
        let written = output.write_all(&answer);
        written.map_err(|error| Failure::file("write to", "-".as_ref(), &error))?;
    }
    output
        .flush()
        .map_err(|error| Failure::file("write to", "-".as_ref(), &error))?;
    Ok(Findings::None)
}
