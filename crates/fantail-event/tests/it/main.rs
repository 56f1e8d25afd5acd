//! The event model by what it promises: text forms both ways, look-ups,
//! inheritance.

mod inheritance;
mod text_form;
