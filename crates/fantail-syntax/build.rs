//! Generates the parser from `src/parse/grammar.lalrpop` into the build's own folder.

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    lalrpop::Configuration::new()
        .set_in_dir("src")
        .set_out_dir(env::var("OUT_DIR")?)
        .process()
}
