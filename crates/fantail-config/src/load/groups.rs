//! The built-in groups of metrics of Dovecot 2.4: `@metric_defaults = backend`
//! and `= proxy`.
//!
//! They are read like a file after the main one.

use fantail_event::Dialect;

use crate::{
    settings::release::Release,
    syntax::raw::{RawConfig, RawEntry},
};

/// The name of the groups in messages.
pub(crate) const NAME: &[u8] = b"(built-in groups)";

/// The groups of Dovecot 2.4.0 and 2.4.1, without the last brace.
const TEXT: &[u8] = br"
group @metric_defaults backend {
  metric auth_successes {
    filter = event=auth_request_finished AND success=yes
  }
  metric auth_failures {
    filter = event=auth_request_finished AND NOT success=yes
  }
  metric imap_commands {
    filter = event=imap_command_finished
    group_by tagged_reply_state {
    }
  }
  metric mail_deliveries {
    filter = event=mail_delivery_finished
  }
  metric mail_submissions {
    filter = event=smtp_submit_finished
  }
  metric mail_user_session_finished {
    filter = event=mail_user_session_finished
    fields = rss utime
  }
}
group @metric_defaults proxy {
  metric auth_successes {
    filter = event=auth_request_finished AND success=yes
  }
  metric auth_failures {
    filter = event=auth_request_finished AND NOT success=yes
  }
  metric login_aborted {
    filter = event=login_aborted
    group_by reason {
    }
  }
";

/// The addition to `proxy` since 2.4.2.
const SINCE_2_4_2: &[u8] = br"  metric proxy_session_established {
    filter = event=proxy_session_established
  }
";

/// Returns the groups of a release; those of the newest known one if it is not
/// stated.
pub(crate) fn text(release: Option<Release>) -> Vec<u8> {
    let is_newer = release.is_none_or(|release| release.patch >= 2);
    let newer = if is_newer { SINCE_2_4_2 } else { b"" };
    [TEXT, newer, b"}\n"].concat()
}

/// Returns whether a configuration refers to the groups.
pub(crate) fn are_used(raw: &RawConfig, dialect: Dialect) -> bool {
    dialect == Dialect::V2_4
        && raw.top().any(|entry| {
            matches!(entry, RawEntry::Setting(setting) if setting.key.bytes() == b"@metric_defaults")
        })
}
