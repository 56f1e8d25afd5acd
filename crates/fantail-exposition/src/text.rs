//! Output text: buffers, rows and numbers.

pub(crate) mod chunked_writer;
pub(crate) mod decimal;
pub(crate) mod numbers;
pub(crate) mod rows;
