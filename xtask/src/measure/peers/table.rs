//! The result as a table of Markdown.

use std::{fmt::Write as _, time::Duration};

use crate::measure::peers::pipeline::{Pipeline, Taken};

/// A pipeline with its figures of each round.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) pipeline: Pipeline,
    pub(super) taken: Vec<Taken>,
}

/// Renders all rows with ratios to the first.
pub(super) fn render(rows: &[Row], events: u64) -> String {
    let mut text = String::from(
        "| pipeline | CPU, µs an event | of these, Dovecot | memory | \
         times `fantail serve` (median, range) |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
    );
    let Some(first) = rows.first() else {
        return text;
    };
    for row in rows {
        let micros = |time: fn(&Taken) -> Duration| {
            let mut times: Vec<f64> = row
                .taken
                .iter()
                .map(|taken| time(taken).as_secs_f64())
                .collect();
            median(&mut times) * 1e6 / events as f64
        };
        let memory = row.taken.iter().map(|taken| taken.memory).max();
        let memory = match memory {
            None | Some(0) => String::new(),
            Some(bytes) => format!("{:.0} MB", bytes as f64 / 1e6),
        };
        let pairs = row.taken.iter().zip(&first.taken);
        let mut ratios: Vec<f64> = pairs
            .map(|(theirs, ours)| theirs.cpu.as_secs_f64() / ours.cpu.as_secs_f64())
            .collect();
        let middle = median(&mut ratios);
        let range = match *ratios.as_slice() {
            _ if row.pipeline == first.pipeline => "1".to_owned(),
            [least, .., most] => format!("{middle:.1} ({least:.1}–{most:.1})"),
            _ => format!("{middle:.1}"),
        };
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.3} | {memory} | {range} |",
            row.pipeline,
            micros(|taken| taken.cpu),
            micros(|taken| taken.dovecot),
        );
    }
    text
}

/// Sorts values and returns their median.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values {
        [] => f64::NAN,
        _ if values.len() % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pipeline: Pipeline, milliseconds: [u64; 3]) -> Row {
        let taken = milliseconds.map(|cpu| Taken {
            counted: Default::default(),
            cpu: Duration::from_millis(cpu),
            dovecot: Duration::from_millis(cpu / 2),
            memory: 7_000_000,
        });
        Row {
            pipeline,
            taken: taken.into(),
        }
    }

    #[test]
    fn ratios_are_those_of_the_rounds() {
        let rows = [
            row(Pipeline::Serve, [10, 20, 10]),
            row(Pipeline::Dovecot, [30, 30, 40]),
        ];
        let text = render(&rows, 10_000);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| `fantail serve` | 1.000 | 0.500 | 7 MB | 1 |",
                "| Dovecot's own metrics | 3.000 | 1.500 | 7 MB | 3.0 (1.5–4.0) |",
            ]
        );
    }
}
