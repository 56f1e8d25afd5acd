//! Events in, metrics updated, exporters fed.
