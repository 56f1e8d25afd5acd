//! Configuration text, before it is known which settings there are: lines,
//! statements, one file as a tree, and all files as one list of settings.

pub(crate) mod limits;
pub(crate) mod line;
pub(crate) mod raw;
pub(crate) mod statement;
pub(crate) mod text;
pub(crate) mod tree;
pub(crate) mod variable;
