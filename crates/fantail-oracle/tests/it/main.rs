//! Both routes of fantail against the oracle.

mod recorded;
mod streams;
