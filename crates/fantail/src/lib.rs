//! Dovecot's event system as a library: filters, metrics, exporters.
