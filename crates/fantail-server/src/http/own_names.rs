//! The names of this host that a request may have in its `Host` header.

use std::net::IpAddr;

use super::reread::read_file;

/// The file that maps names to the addresses of this host.
const HOSTS: &str = "/etc/hosts";

/// The maximum size of the hosts file.
const MAX_HOSTS_BYTES: u64 = 1 << 20;

/// Returns the host name and its aliases in `/etc/hosts`, in lower case. The host
/// name is often unqualified, while scrapers use the qualified name.
pub(super) fn own_names(hostname: &str) -> Vec<String> {
    // Without the file, only the host name is known.
    let text = read_file(HOSTS.as_ref(), MAX_HOSTS_BYTES).unwrap_or_default();
    names_of(hostname, &String::from_utf8_lossy(&text))
}

/// Returns whether the host is an IP address and not a name.
pub(super) fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

fn names_of(hostname: &str, hosts: &str) -> Vec<String> {
    let mut all = vec![hostname.to_ascii_lowercase()];
    for line in hosts.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let names = line.split_whitespace().skip(1);
        if names
            .clone()
            .any(|name| name.eq_ignore_ascii_case(hostname))
        {
            all.extend(names.map(str::to_ascii_lowercase));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::names_of;

    #[test]
    fn the_names_beside_the_host_name_are_own_names() {
        let hosts = "127.0.0.1 localhost\n# 10.0.0.9 Mail1 old.example\n\
            127.0.1.1\tmail1.example.com Mail1 # mail2\n10.0.0.2 mail2.example.com mail2\n";
        assert_eq!(
            names_of("MAIL1", hosts),
            ["mail1", "mail1.example.com", "mail1"]
        );
        assert_eq!(names_of("mail3", hosts), ["mail3"]);
    }
}
