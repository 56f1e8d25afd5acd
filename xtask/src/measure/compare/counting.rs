//! A load in which most events match several metrics with fields: commands of
//! 5,000 users under eight names, and filters of five shapes.

use std::fmt::Write as _;

const USERS: u64 = 5_000;
const MAILBOXES: u64 = 25;
const NETWORKS: u64 = 8;
const NAMES: [&str; 8] = [
    "imap_command_finished",
    "pop3_command_finished",
    "smtp_server_command_finished",
    "mail_delivery_finished",
    "auth_request_finished",
    "mail_opened",
    "mail_expunged",
    "http_request_finished",
];
const COMMANDS: [&str; 8] = [
    "SELECT", "FETCH", "STORE", "APPEND", "SEARCH", "IDLE", "NOOP", "LOGOUT",
];
const STATUS_CODES: [u64; 4] = [200, 250, 450, 550];

/// Returns this many `metric` blocks, each with two fields; each shape of filter
/// is a fifth of them. Of 1,000, an event matches about 7.5.
pub(crate) fn metrics(count: u64) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = writeln!(
            text,
            "metric m{number} {{\n  filter = {}\n  fields = bytes_in bytes_out\n}}",
            filter(number)
        );
    }
    text
}

fn filter(number: u64) -> String {
    let (shape, number) = (number % 5, number / 5);
    let name = choice(&NAMES, number);
    let number = number / NAMES.len() as u64;
    let terms = match shape {
        0 => format!("mailbox=\"box{}\"", number % MAILBOXES),
        1 => format!("user=\"user{}@example.com\"", number * 199 % USERS),
        2 => {
            // Each range has three of fourteen doublings.
            let least = (100 << (number % 10)) + number;
            let most = least * 8;
            format!("tagged_reply_state=OK AND bytes_out > {least} AND bytes_out < {most}")
        }
        3 => format!(
            "(cmd_name={} OR cmd_name={}) AND status_code={}",
            choice(&COMMANDS, number),
            choice(&COMMANDS, number + 3),
            choice(&STATUS_CODES, number / 8),
        ),
        _ => format!(
            "user=user{}* AND remote_ip=10.{}.*",
            1 + number % 4,
            number / 4 % NETWORKS
        ),
    };
    format!("event={name} AND {terms}")
}

/// Returns the lines of this many events after those of their categories, the
/// same ones each time.
pub(crate) fn lines(events: u64) -> String {
    let mut text = String::from("CATEGORY\tmail\nCATEGORY\timap\tmail\n");
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for event in 0..events {
        let (seconds, micros) = (1_795_328_118 + event / 1_000, dice.below(400_000));
        let taken = dice.magnitude(50, 13);
        let user = dice.below(USERS);
        let state = if dice.below(5) > 0 { "OK" } else { "NO" };
        let _ = writeln!(
            text,
            "EVENT\t0\t0\t1\t{seconds}\t{micros}\tsclient.c\t1016\tl{seconds}\t{}\tn{}\tcimap\tcmail\
             \tSsession\tabcdefgh{user}\tSuser\tuser{user}@example.com\tSservice\timap\
             \tSmailbox\tbox{}\tScmd_name\t{}\tStagged_reply_state\t{state}\tIstatus_code\t{}\
             \tSremote_ip\t10.{}.{}.7\tSlocal_ip\t192.168.0.1\tIremote_port\t{}\
             \tIbytes_in\t{}\tIbytes_out\t{}\tIrunning_usecs\t{}",
            micros + taken,
            choice(&NAMES, dice.below(8)),
            dice.below(MAILBOXES),
            choice(&COMMANDS, dice.below(8)),
            choice(&STATUS_CODES, dice.below(4)),
            dice.below(NETWORKS),
            dice.below(250),
            1_024 + dice.below(60_000),
            dice.magnitude(10, 12),
            dice.magnitude(100, 14),
            taken / 3,
        );
    }
    text
}

fn choice<T: Copy>(choices: &[T], number: u64) -> T {
    choices[usize::try_from(number).unwrap_or(0) % choices.len()]
}

/// Numbers that are the same each time (xorshift64*).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    /// A number from `least` on, each of its doublings as likely as another.
    fn magnitude(&mut self, least: u64, doublings: u64) -> u64 {
        let base = least << self.below(doublings);
        base + self.below(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_of_five_shapes_and_all_differ() {
        let mut filters: Vec<String> = (0..1_000).map(filter).collect();
        assert_eq!(
            filters[..5],
            [
                "event=imap_command_finished AND mailbox=\"box0\"",
                "event=imap_command_finished AND user=\"user0@example.com\"",
                "event=imap_command_finished AND tagged_reply_state=OK AND bytes_out > 100 AND \
                 bytes_out < 800",
                "event=imap_command_finished AND (cmd_name=SELECT OR cmd_name=APPEND) AND \
                 status_code=200",
                "event=imap_command_finished AND user=user1* AND remote_ip=10.0.*",
            ]
        );
        filters.sort_unstable();
        filters.dedup();
        assert_eq!(filters.len(), 1_000);
    }

    #[test]
    fn lines_repeat() {
        let text = lines(100);
        assert_eq!(text, lines(100));
        let events = text.lines().filter(|line| line.starts_with("EVENT\t"));
        assert_eq!(events.count(), 100);
    }
}
