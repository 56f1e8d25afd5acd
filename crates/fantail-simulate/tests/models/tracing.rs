//! The client of the tracing layer, and a change of the layer's configuration.

use fantail_tracing::models;

use crate::check;

#[test]
fn lines_pass_the_buffer_of_a_client() {
    check(models::lines_pass_the_buffer_of_a_client);
}

#[test]
fn a_reload_under_load_loses_no_event() {
    check(models::a_reload_under_load_loses_no_event);
}
