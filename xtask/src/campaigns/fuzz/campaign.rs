//! `cargo xtask fuzz --all`: each target for the same time, one after another,
//! and a table of the results, with a row when a target is done.

use std::{fs, process::Stdio};

use super::{Hunt, found_in, hunter};
use crate::{error::Error, workspace::Workspace};

/// The figures of a libFuzzer run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: u64,
    seconds: u64,
    coverage: u64,
}

/// Runs all targets; returns whether none has a find.
pub(super) fn run(workspace: &Workspace, targets: &[String], minutes: u32) -> Result<bool, Error> {
    let logs = workspace.logs().join("fuzz-logs");
    fs::create_dir_all(&logs).map_err(Error::at("make", &logs))?;
    println!("| target | executions | per second | coverage points | finds |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let mut all_hold = true;
    for target in targets {
        let hunt = Hunt {
            target,
            seconds: minutes.saturating_mul(60),
            with_address: false,
        };
        let path = logs.join(format!("{target}.log"));
        let log = fs::File::create(&path).map_err(Error::at("write", &path))?;
        let mut command = hunter(workspace, &hunt)?;
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let finds = found_in(workspace, target, command.stderr(log))?;
        let log = fs::read(&path).map_err(Error::at("read", &path))?;
        let figures = figures(&String::from_utf8_lossy(&log));
        let is_over = finds.has_ended && figures.executions > 0;
        if !is_over && finds.names.is_empty() {
            let path = path.display();
            return Err(Error::new(format!("{target} did not run; see {path}")));
        }
        all_hold &= finds.names.is_empty();
        println!("{}", row(target, &figures, finds.names.len()));
    }
    Ok(all_hold)
}

fn row(target: &str, figures: &Figures, finds: usize) -> String {
    let Figures {
        executions,
        seconds,
        coverage,
    } = figures;
    let rate = executions / (*seconds).max(1);
    format!("| `{target}` | {executions} | {rate} | {coverage} | {finds} |")
}

/// Parses the last status line, `#4096 pulse cov: 812 ft: …`, and the last
/// line, `Done 5000 runs in 61 second(s)`, which a run with a find does not
/// have.
fn figures(log: &str) -> Figures {
    let mut figures = Figures::default();
    for line in log.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Done", runs, "runs", "in", seconds, ..] => {
                figures.executions = runs.parse().unwrap_or(figures.executions);
                figures.seconds = seconds.parse().unwrap_or_default();
            }
            [number, _, "cov:", coverage, ..] if number.starts_with('#') => {
                let runs = number.trim_start_matches('#').parse();
                figures.executions = runs.unwrap_or(figures.executions);
                figures.coverage = coverage.parse().unwrap_or(figures.coverage);
            }
            _ => {}
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::{Figures, figures, row};

    fn check(log: &str, executions: u64, seconds: u64, coverage: u64) {
        let expected = Figures {
            executions,
            seconds,
            coverage,
        };
        assert_eq!(figures(log), expected);
    }

    #[test]
    fn the_last_figures_are_read() {
        let begin = "INFO: seed corpus: files: 7 min: 1b\n#8\tINITED cov: 700 ft: 900 corp: 7/2Kb\n\
                     #4096\tNEW    cov: 812 ft: 1001 corp: 9/3Kb lim: 90 exec/s: 2048\n";
        check(begin, 4096, 0, 812);
        let whole = format!("{begin}Done 5000 runs in 61 second(s)\n");
        check(&whole, 5000, 61, 812);
        check("error: could not compile", 0, 0, 0);
    }

    #[test]
    fn a_row_has_the_rate() {
        let row = row("tap", &figures("Done 600 runs in 60 second(s)"), 1);
        assert_eq!(row, "| `tap` | 600 | 10 | 0 | 1 |");
    }
}
