//! `cargo xtask test`: all that must be right before a change goes in.

mod builds;

use std::{num::NonZero, process::Command, thread};

use clap::ValueEnum;

use crate::{
    campaigns::{fuzz, models, simulate},
    error::Error,
    load::Load,
    measure::instructions,
    packages::{api, codegen, outside},
    skips::{self, SkipLog},
    steps::{Outcome, Steps},
    tidy, tools,
    workspace::Workspace,
};

/// Does everything that CI does.
///
/// A Rust toolchain and a C compiler are enough. What needs more is left out
/// where the tool is missing, and named at the end. Each step keeps its
/// output in `target/xtask/<step>.log`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these steps; all if none is named.
    #[arg(value_enum)]
    steps: Vec<Step>,

    /// Fail if anything is skipped, as CI does.
    #[arg(long)]
    no_skips: bool,

    /// Fail at once if there is no Dovecot 2.4 to test with.
    ///
    /// Tests look for it in the folder that DOVECOT_2_4_ROOT names.
    #[arg(long)]
    dovecot24: bool,

    /// Do it all this many times, until something fails.
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,

    /// Keep all cores busy meanwhile: tests must not depend on the speed of the machine.
    #[arg(long)]
    busy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The sources are formatted.
    Format,
    /// The rules that only this repository has: see `cargo xtask tidy`.
    Tidy,
    /// The generated lexer and parser are those that their sources give.
    Codegen,
    /// Clippy has nothing to say.
    Clippy,
    /// The unit and integration tests, and the replay of all that fuzzing found.
    Tests,
    /// Queues, spools and files keep their promises on a simulated system.
    Simulate,
    /// Threads in many orders: queues, spools and the state file.
    Models,
    /// Fixed workloads take as many instructions as before; needs valgrind.
    Instructions,
    /// The examples in the documentation.
    Doctests,
    /// The documentation builds without warnings.
    Docs,
    /// The book in `docs/` builds, by mdBook.
    Book,
    /// The public items of each library are those listed in `docs/api/`.
    Api,
    /// The fuzz targets build.
    Fuzz,
    /// Each feature of a library builds alone, and the library without any.
    Features,
    /// The crates that promise it build without a standard library.
    NoStd,
    /// Each library builds with the oldest Rust that its manifest names below the
    /// workspace's (optional).
    OldRust,
    /// The published packages are complete.
    Package,
    /// The filters build for WebAssembly (optional).
    Wasm,
    /// A program of the lines in a README builds and runs in a folder of its own.
    ReadmeProgram,
    /// Licences, sources and bans of all dependencies, by cargo-deny (optional).
    Deny,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    if options.dovecot24 && !tools::has_dovecot_2_4() {
        let message = "no Dovecot 2.4: DOVECOT_2_4_ROOT names no folder that has one";
        return Err(Error::new(message.to_owned()));
    }
    let _load = options.busy.then(Load::start);
    for run in 1..=options.repeat {
        if options.repeat > 1 {
            println!("== run {run} of {}", options.repeat);
        }
        if !run_once(workspace, options)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn run_once(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let mut steps = Steps::new(workspace.logs(), options.no_skips);
    let skip_log = SkipLog::create(&workspace.logs())?;
    for step in Step::value_variants() {
        if !options.steps.is_empty() && !options.steps.contains(step) {
            continue;
        }
        let name = step.name();
        steps.step(&name, |steps| {
            perform(*step, &name, workspace, steps, &skip_log)
        });
    }
    for reason in skip_log.reasons()? {
        steps.add_skip(reason);
    }
    Ok(steps.finish())
}

fn perform(
    step: Step,
    name: &str,
    workspace: &Workspace,
    steps: &Steps,
    skip_log: &SkipLog,
) -> Outcome {
    let with_skip_log = |mut command: Command| {
        command.env(skips::VARIABLE, skip_log.path());
        command
    };
    match step {
        Step::Format => format(workspace, steps),
        Step::Tidy => tidy::step(workspace),
        Step::Codegen => codegen::step(workspace, steps),
        Step::Clippy => clippy(workspace, steps),
        Step::Tests => {
            let command = with_skip_log(tests(workspace));
            counted(steps.run(name, [command]), &steps.output(name))
        }
        Step::Simulate => simulate::step(workspace, steps),
        Step::Models => models::step(workspace, steps),
        Step::Instructions => instructions::step(workspace, steps),
        Step::Doctests => {
            let command = with_skip_log(workspace.cargo(["test", "--workspace", "--doc"]));
            counted(steps.run(name, [command]), &steps.output(name))
        }
        Step::Docs => docs(workspace, steps),
        Step::Book => book(workspace, steps),
        Step::Api => api::step(workspace, steps),
        Step::Fuzz => fuzz::build(workspace, steps, None),
        Step::Features => builds::features(workspace, steps),
        Step::NoStd => builds::no_std(workspace, steps),
        Step::OldRust => builds::old_rust(workspace, steps),
        Step::Package => outside::package(workspace, steps),
        Step::Wasm => outside::wasm(workspace, steps),
        Step::ReadmeProgram => outside::readme_program(workspace, steps),
        Step::Deny => deny(workspace, steps),
    }
}

fn book(workspace: &Workspace, steps: &Steps) -> Outcome {
    if !tools::has_program(workspace, "mdbook") {
        return Outcome::Skipped("mdbook is not installed".to_owned());
    }
    let mut command = workspace.command("mdbook");
    command.arg("build");
    steps.run("book", [command])
}

fn format(workspace: &Workspace, steps: &Steps) -> Outcome {
    if !tools::has_cargo_command(workspace, "fmt") {
        return Outcome::Skipped("rustfmt is not installed".to_owned());
    }
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--", "--check"];
    steps.run(
        "format",
        [
            workspace.cargo(["fmt", "--all", "--", "--check"]),
            workspace.cargo(fuzz),
        ],
    )
}

fn clippy(workspace: &Workspace, steps: &Steps) -> Outcome {
    if !tools::has_cargo_command(workspace, "clippy") {
        return Outcome::Skipped("clippy is not installed".to_owned());
    }
    let deny = ["--", "-D", "warnings"];
    let all = ["clippy", "--workspace", "--all-targets"];
    // Without its default feature: that one needs a C++ compiler, for nothing
    // that clippy could see.
    let fuzz = ["clippy", "--manifest-path", "fuzz/Cargo.toml"];
    let mut fuzz = workspace.cargo(fuzz);
    fuzz.args(["--no-default-features"]).args(deny);
    fuzz.env("CARGO_TARGET_DIR", workspace.target());
    let mut all = workspace.cargo(all);
    all.args(FEATURES).args(deny);
    steps.run("clippy", [all, fuzz])
}

/// The program with counts over a broker.
const FEATURES: [&str; 2] = ["--features", "fantail-cli/nats"];

fn tests(workspace: &Workspace) -> Command {
    let mut command = if tools::has_cargo_command(workspace, "nextest") {
        let mut command = workspace.cargo(["nextest", "run"]);
        // Many tests wait for other programs.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        command.args(["--test-threads", &(2 * cores).to_string()]);
        command
    } else {
        workspace.cargo(["test", "--lib", "--bins", "--tests"])
    };
    command
        .args(["--workspace", "--no-fail-fast"])
        .args(FEATURES);
    command
}

fn docs(workspace: &Workspace, steps: &Steps) -> Outcome {
    // Libraries only: the program and the facade have one name, and what the
    // program does is told by its help.
    let mut command = workspace.cargo(["doc", "--workspace", "--no-deps", "--lib"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    steps.run("docs", [command])
}

fn deny(workspace: &Workspace, steps: &Steps) -> Outcome {
    if !tools::has_cargo_command(workspace, "deny") {
        return Outcome::Optional("cargo-deny is not installed".to_owned());
    }
    let command = workspace.cargo(["deny", "--offline", "check", "bans", "licenses", "sources"]);
    steps.run("deny", [command])
}

/// Says how many tests there were, from what the test runner printed.
fn counted(outcome: Outcome, output: &str) -> Outcome {
    match outcome {
        Outcome::Passed(_) => Outcome::Passed(format!("{} tests", count_passed(output))),
        outcome => outcome,
    }
}

/// The sum of the `<number> passed` in nextest's summary or in each of
/// libtest's results.
fn count_passed(output: &str) -> usize {
    output
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with("Summary ") || line.starts_with("test result: "))
        .filter_map(|line| line.split_once(" passed"))
        .filter_map(|(before, _)| before.rsplit(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::count_passed;

    fn check(output: &str, expected: usize) {
        assert_eq!(count_passed(output), expected, "{output}");
    }

    #[test]
    fn passed_tests_are_counted() {
        check("", 0);
        check("test result: ok. 3 passed; 0 failed; 0 ignored", 3);
        check(
            "test result: ok. 3 passed; 0 failed\n\ntest result: ok. 40 passed; 0 failed",
            43,
        );
        check(
            "     Summary [   0.030s] 12 tests run: 12 passed, 0 skipped",
            12,
        );
        check("        PASS [   0.003s] a::b 7 passed", 0);
    }
}
