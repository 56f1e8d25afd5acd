//! Rejected log-ins of a real Dovecot, and whom the real fail2ban bans for them.

use std::ffi::OsStr;

use fantail_testkit::{dovecot::Version, program};

use super::serve::{Serve, site};
use crate::{
    contrib,
    program::{contents, repository},
};

/// Names with any characters reach the password database.
const ANY_NAME: &str = "auth_username_chars =\n";

fn check(version: Version) {
    let needed = ["setpriv", "fail2ban-regex", "fail2ban-server"];
    if needed.iter().any(|name| program(name).is_none()) {
        return;
    }
    let Some(mut site) = site(version, ANY_NAME) else {
        return;
    };
    let recipe = repository().join(format!("contrib/bans/{}.conf", version.series()));
    let recipe = String::from_utf8(contents(recipe)).unwrap();
    let folder = site.path("bans");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    let _serve = Serve::start_with(&site, &recipe.replace("/var/log/fantail", folder), &[]);
    site.start();
    let arguments = [
        site.imap_address().to_string(),
        site.pop3_address().to_string(),
        format!("{folder}/login-rejections.log"),
    ];
    contrib::check("bans.py", &arguments.each_ref().map(OsStr::new));
}

#[test]
fn rejected_logins_of_2_3_ban_only_the_client() {
    check(Version::V2_3);
}

#[test]
fn rejected_logins_of_2_4_ban_only_the_client() {
    check(Version::V2_4);
}
