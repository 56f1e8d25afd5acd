//! `cargo xtask`: every development task of this workspace, one file each.
//!
//! It depends on no crate of fantail, so that it still runs when one of them
//! does not build. It changes no file of the repository, except for `codegen`,
//! `readme`, `pictures`, `fuzz`, which writes what it finds to `testdata/fuzz`, and listings that
//! `UPDATE_EXPECT` asks for.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people: what it prints is its result"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the ban keeps file access out of the libraries; reading the sources is the task here"
)]

mod campaigns;
mod error;
mod load;
mod measure;
mod packages;
mod skips;
mod steps;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    campaigns::{attack, diff, fuzz, models, mutants, simulate, soak, walk},
    measure::bench,
    packages::{codegen, dist, pictures, readme},
    workspace::Workspace,
};

/// Development tasks of fantail.
///
/// Start with `cargo xtask test`: it does all that CI does, as far as the
/// tools are there, and names at its end what it had to leave out.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 90)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Test(test::Options),
    /// Checks the rules that only this repository has.
    ///
    /// The order of the crates, `docs/architecture.md` against the folders,
    /// file sizes, module documentation, names, leftovers, licences, pages of
    /// error codes, tests named in `docs/testing.md`. Warnings fail nothing.
    Tidy,
    Fuzz(fuzz::Options),
    Bench(bench::Options),
    Attack(attack::Options),
    Diff(diff::Options),
    Soak(soak::Options),
    Mutants(mutants::Options),
    Walk(walk::Options),
    Simulate(simulate::Options),
    Models(models::Options),
    Codegen(codegen::Options),
    Readme(readme::Options),
    Pictures(pictures::Options),
    Dist(dist::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = Workspace::find().and_then(|workspace| match &cli.task {
        Task::Test(options) => test::run(&workspace, options),
        Task::Tidy => tidy::run(&workspace),
        Task::Fuzz(options) => fuzz::run(&workspace, options),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::Attack(options) => attack::run(&workspace, options),
        Task::Diff(options) => diff::run(&workspace, options),
        Task::Soak(options) => soak::run(&workspace, options),
        Task::Mutants(options) => mutants::run(&workspace, options),
        Task::Walk(options) => walk::run(&workspace, options),
        Task::Simulate(options) => simulate::run(&workspace, options),
        Task::Models(options) => models::run(&workspace, options),
        Task::Codegen(options) => codegen::run(&workspace, options),
        Task::Readme(_) => readme::run(&workspace),
        Task::Pictures(_) => pictures::run(&workspace),
        Task::Dist(options) => dist::run(&workspace, options),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
