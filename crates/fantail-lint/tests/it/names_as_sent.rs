//! Fields that Dovecot sends under another name than it documents. The names that
//! it sends stand in its programs.

use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_lint::{Catalogue, check};

#[track_caller]
fn check_filter(dialects: &[Dialect], filter: &str, expected: &[&str]) {
    for dialect in dialects.iter().copied() {
        let loaded = crate::read(dialect, format!("metric m {{\n  filter = {filter}\n}}\n"));
        assert!(!loaded.diagnostics.has_errors());
        let found = check(&loaded, &Catalogue::new(), &|_| false);
        let found: Vec<&str> = found.iter().map(|one| &*one.message).collect();
        assert_eq!(found, expected, "{filter}");
    }
}

#[test]
fn documented_names_that_are_not_sent() {
    check_filter(
        &[V2_3, V2_4],
        "event=auth_client_userdb_list_finished AND user_mask=x",
        &["`user_mask` is documented, but what is sent is ` user_mask`"],
    );
    check_filter(
        &[V2_3, V2_4],
        "event=auth_client_userdb_list_finished AND \" user_mask\"=x",
        &[],
    );
    check_filter(
        &[V2_4],
        "event=pop3_command_finished AND reply=OK",
        &["`reply` is documented, but what is sent is `reply_state`"],
    );
    check_filter(
        &[V2_4],
        "event=pop3_command_finished AND reply_state=OK",
        &[],
    );
    check_filter(
        &[V2_4],
        "event=fts_flatcurve_query AND maybe=yes",
        &["`maybe` is documented, but what is sent is `maybe_uids`"],
    );
}
