//! The queue of the log, and the buffer of a recording.

use fantail_server::models;

use crate::check;

#[test]
fn lines_pass_the_queue_of_the_log() {
    check(models::lines_pass_the_queue_of_the_log);
}

#[test]
fn lines_pass_the_buffer_of_a_recording() {
    check(models::lines_pass_the_buffer_of_a_recording);
}
