//! Dovecot's stats protocols and capture files, without I/O.
