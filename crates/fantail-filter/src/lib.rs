//! Event filters: checked, compiled and matched against events.
