//! Dovecot configuration text to typed settings.
