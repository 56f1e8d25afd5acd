//! Delivery agents that Postfix runs, and the users that they run as.

use std::path::Path;

use fantail::lint::{DeliveryAgent, SocketAccess, SocketRole};

use super::{Gathered, files::head, programs};

/// Postfix's list of the programs that it runs, with their users.
const MASTER: &str = "/etc/postfix/master.cf";

/// The maximum number of bytes to read from the file.
const LIMIT: u64 = 1 << 20;

/// Dovecot's delivery agents.
const PROGRAMS: [&str; 2] = ["dovecot-lda", "dovecot/deliver"];

/// Finds delivery agents in the named `master.cf`, or in that of the Postfix package.
pub(super) fn gather(gathered: &mut Gathered, named: Option<&Path>) {
    let path = named.unwrap_or(Path::new(MASTER));
    let mut sockets = gathered.facts.sockets.iter();
    let writer = sockets.find(|socket| socket.role == SocketRole::Writer);
    let Some(access) = writer.and_then(|writer| writer.access.clone()) else {
        return;
    };
    let text = match head(path, LIMIT) {
        Ok(text) => text,
        Err(error) => {
            if named.is_some() || error.kind() != std::io::ErrorKind::NotFound {
                gathered.unseen(path.display().to_string(), error);
            }
            return;
        }
    };
    for (line, user) in agents(&String::from_utf8_lossy(&text)) {
        let groups = programs::run("id", &["-G", &user]);
        let own = programs::run("id", &["-u", &user]);
        let (Ok(groups), Ok(own)) = (groups, own) else {
            continue;
        };
        let groups = groups.out.split_whitespace();
        let groups: Vec<u32> = groups.filter_map(|text| text.parse().ok()).collect();
        let own = own.out.trim().parse().ok();
        gathered.facts.agents.push(DeliveryAgent {
            place: format!("{}:{line}", path.display()),
            may_open: may_open(&access, own, &groups),
            user,
        });
    }
}

/// Returns the number of each line that runs a delivery agent, and the agent's user.
fn agents(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut service = (0, String::new());
    let mut finish = |(line, words): &(usize, String)| {
        if PROGRAMS.iter().any(|program| words.contains(program)) {
            let user = words
                .split_whitespace()
                .find_map(|word| word.strip_prefix("user="));
            let user = user.and_then(|user| user.split(':').next());
            found.extend(user.map(|user| (*line, user.to_owned())));
        }
    };
    let lines = text.lines().enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.starts_with('#')) {
        // A line that begins with a blank continues the line before.
        if line.starts_with([' ', '\t']) {
            service.1.push(' ');
            service.1.push_str(line);
        } else {
            finish(&service);
            service = (number + 1, line.to_owned());
        }
    }
    finish(&service);
    found
}

/// Returns whether a user may connect to a socket.
fn may_open(access: &SocketAccess, user: Option<u32>, groups: &[u32]) -> bool {
    let SocketAccess { mode, .. } = access;
    if user == Some(0) {
        return true;
    }
    if user == Some(access.user) {
        return mode & 0o200 != 0;
    }
    if groups.contains(&access.group) {
        return mode & 0o020 != 0;
    }
    mode & 0o002 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_stand_in_lines_that_go_on() {
        let text = "smtp inet n - y - - smtpd\n\
            dovecot unix - n n - - pipe\n  flags=DRhu user=vmail:vmail\n\
            # a comment\n  argv=/usr/lib/dovecot/dovecot-lda -f ${sender}\n\
            other unix - n n - - pipe user=other argv=/bin/cat\n\
            old unix - n n - - pipe user=mail argv=/usr/libexec/dovecot/deliver\n";
        let expected = [(2, "vmail".to_owned()), (7, "mail".to_owned())];
        assert_eq!(agents(text), expected);
    }

    #[test]
    fn the_first_of_owner_group_and_others_decides() {
        let access = |mode| SocketAccess {
            mode,
            user: 5,
            group: 6,
            needed: None,
            needed_name: String::new(),
        };
        let check = |mode, user, groups: &[u32], expected| {
            assert_eq!(may_open(&access(mode), Some(user), groups), expected);
        };
        check(0o600, 5, &[], true);
        check(0o600, 0, &[], true);
        check(0o660, 9, &[6], true);
        check(0o660, 9, &[7], false);
        check(0o666, 9, &[7], true);
        check(0o606, 9, &[6], false);
    }
}
