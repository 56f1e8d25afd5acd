//! `fantail serve` in the place of the stats process of a real Dovecot, with
//! mail clients at work.

mod bans;
mod doctor;
mod doveadm;
mod faults;
mod routes;
mod same;
mod serve;
mod sessions;
