//! Where exported bytes go: log, file, drop.
