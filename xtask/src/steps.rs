//! Steps: each prints one line with its time, writes its output to a file, and
//! shows it only if the step fails.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

/// The end of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The step found no defects; contains further information (may be empty).
    Passed(String),
    /// The step failed; contains its output.
    Failed(String),
    /// The step needs a tool that CI has: contains the missing tool.
    Skipped(String),
    /// The step needs an optional tool: contains the missing tool.
    Optional(String),
}

/// All steps of one run.
#[derive(Debug)]
pub(crate) struct Steps {
    logs: PathBuf,
    no_skips: bool,
    begun: Instant,
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
    optional: Vec<String>,
}

impl Steps {
    /// Creates the steps of a run. `logs` is the folder for their output; with
    /// `no_skips`, a skipped step counts as failed.
    pub(crate) fn new(logs: PathBuf, no_skips: bool) -> Self {
        Self {
            logs,
            no_skips,
            begun: Instant::now(),
            passed: 0,
            failed: Vec::new(),
            skipped: Vec::new(),
            optional: Vec::new(),
        }
    }

    /// Runs a step and prints its line.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce(&Self) -> Outcome) {
        print!("{name:<10} ");
        // Shows the step while it runs; an error of the output appears at the
        // end of the line.
        io::stdout().flush().ok();
        let begun = Instant::now();
        let outcome = run(self);
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Outcome::Passed(detail) => {
                self.passed += 1;
                println!("ok      {seconds:6.1} s  {detail}");
            }
            Outcome::Failed(output) => {
                self.failed.push(name.to_owned());
                println!("FAILED  {seconds:6.1} s\n{}", output.trim_end());
            }
            Outcome::Skipped(missing) => {
                println!("skipped           {missing}");
                self.skipped.push(format!("{name}: {missing}"));
            }
            Outcome::Optional(missing) => {
                println!("left out          {missing}");
                self.optional.push(format!("{name}: {missing}"));
            }
        }
    }

    /// Adds a skipped part of a step.
    pub(crate) fn add_skip(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// Runs commands until one fails, with their output in the file
    /// `<name>.log`.
    pub(crate) fn run(&self, name: &str, commands: impl IntoIterator<Item = Command>) -> Outcome {
        let path = self.logs.join(format!("{name}.log"));
        match run_into(&path, commands) {
            Ok(true) => Outcome::Passed(String::new()),
            Ok(false) => Outcome::Failed(self.output(name)),
            Err(error) => Outcome::Failed(format!("{}\n{error}", self.output(name))),
        }
    }

    /// Returns the output of the commands of a step.
    pub(crate) fn output(&self, name: &str) -> String {
        let path = self.logs.join(format!("{name}.log"));
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Prints the summary; returns whether all steps passed.
    pub(crate) fn finish(self) -> bool {
        println!();
        for name in &self.failed {
            println!("failed: {name}");
        }
        for what in &self.skipped {
            println!("skipped: {what}");
        }
        for what in &self.optional {
            println!("left out (optional): {what}");
        }
        let well = self.failed.is_empty() && (!self.no_skips || self.skipped.is_empty());
        println!(
            "{}: {} passed, {} failed, {} skipped{}, in {:.0} s",
            if well { "ok" } else { "FAILED" },
            self.passed,
            self.failed.len(),
            self.skipped.len(),
            if self.no_skips { " (none may be)" } else { "" },
            self.begun.elapsed().as_secs_f64(),
        );
        well
    }
}

fn run_into(path: &PathBuf, commands: impl IntoIterator<Item = Command>) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let log = File::create(path)?;
    for mut command in commands {
        writeln!(&log, "$ {}", shown(&command))?;
        let status = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .status()?;
        if !status.success() {
            writeln!(&log, "{status}")?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the command as it would be typed, to run the step by hand.
fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={value:?}", key.display()));
        }
    }
    let program = std::path::Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str());
    words.push(name.display().to_string());
    words.extend(command.get_args().map(|word| word.display().to_string()));
    words.join(" ")
}
