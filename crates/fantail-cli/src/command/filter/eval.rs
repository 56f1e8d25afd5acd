//! `fantail filter eval`: many cases at once, for other programs.

use std::io::{BufRead, Write};

use clap::Args;

use super::answer;
use crate::{
    dialect::Dialect,
    exit::{Failure, Findings},
};

/// Answer test cases: one a line on standard input, one answer a line.
///
/// A case is `<log type 0-5> TAB <filter> TAB <event>`, each argument
/// tab-escaped, the event as Dovecot's processes write it. The answer is
/// `OK TAB <canonical filter> TAB <1 if it matches, else 0>`, or
/// `ERR TAB <what is wrong>`.
///
/// The answers are those of libdovecot's event filter. In 2.3 `duration` is a
/// field like any other there: Dovecot's stats process adds it to an event
/// before it uses the filter.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  printf '1\\tevent=x AND n>5\\t0\\t0\\tnx\\tIn\\t7\\n' | fantail filter eval

The categories imap, pop3, lmtp, auth, storage, mailbox, mail, maildir,
service:imap, service:pop3, http-client, sql and mysql are registered.")]
pub(crate) struct Arguments {
    /// Whose rules apply.
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
