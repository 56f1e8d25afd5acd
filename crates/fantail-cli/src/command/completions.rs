//! `fantail completions`: writes shell completion scripts.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use clap::{
    Arg, Args, Command,
    builder::{PossibleValue, PossibleValuesParser},
};
use clap_complete::{Shell, generate};
use fantail::lint::Catalogue;

use crate::{
    command::explain,
    exit::{Failure, Findings},
    io::output::Output,
};

/// Print a shell completion script for commands, flags, events and fields.
#[derive(Debug, Args)]
#[command(after_help = "\
Names of events and fields come from the catalogue of Dovecot's events. To
complete a filter, begin it with a quote: fantail tap 'event=imap_

Examples:
  fantail completions bash >/usr/share/bash-completion/completions/fantail
  fantail completions zsh >/usr/share/zsh/vendor-completions/_fantail
  fantail completions fish >/usr/share/fish/vendor_completions.d/fantail.fish")]
pub(crate) struct Arguments {
    /// Shell to complete in.
    shell: Shell,
}

/// Runs the command; `program` is the whole command line.
pub(crate) fn run(arguments: &Arguments, program: Command) -> Result<Findings, Failure> {
    let mut program = with_names(program, &Names::new());
    let mut script = Vec::new();
    generate(arguments.shell, &mut program, "fantail", &mut script);
    if arguments.shell == Shell::Fish {
        script.extend_from_slice(fish_positionals(&program).as_bytes());
    }
    Output::open(Path::new("-"))?.write_whole(&script)?;
    Ok(Findings::None)
}

/// The values that complete arguments.
struct Names {
    events: Vec<PossibleValue>,
    fields: Vec<PossibleValue>,
    filters: Vec<PossibleValue>,
    codes: Vec<PossibleValue>,
}

impl Names {
    fn new() -> Self {
        let catalogue = Catalogue::new();
        let event = |prefix: &str| {
            let events = catalogue.events().iter();
            let named = events.map(|event| {
                PossibleValue::new(format!("{prefix}{}", event.name)).help(event.description)
            });
            named.collect()
        };
        // The unit of a field comes from the first event that has the field.
        let mut fields = BTreeMap::new();
        for field in catalogue.events().iter().flat_map(|event| &event.fields) {
            // Names such as `id_param_<param>` are patterns, not names.
            if !field.name.contains('<') {
                fields.entry(field.name).or_insert(field.unit);
            }
        }
        let fields = fields.into_iter().map(|(name, unit)| {
            let value = PossibleValue::new(name);
            match unit {
                Some(unit) => value.help(format!("in {unit}")),
                None => value,
            }
        });
        Self {
            events: event(""),
            fields: fields.collect(),
            filters: event("event="),
            codes: explain::codes().map(PossibleValue::new).collect(),
        }
    }

    /// Returns the values that complete an argument, by the argument's ID.
    fn of(&self, argument: &Arg) -> Option<&[PossibleValue]> {
        match argument.get_id().as_str() {
            "pattern" => Some(&self.events),
            "field" | "fields" | "group_by" | "session_sums" => Some(&self.fields),
            "filter" => Some(&self.filters),
            "code" => Some(&self.codes),
            _ => None,
        }
    }
}

/// Adds the values that complete each argument to a command and its subcommands.
fn with_names(command: Command, names: &Names) -> Command {
    let command = command.mut_args(|argument| match names.of(&argument) {
        // A default such as a list of fields is not one of the possible values.
        Some(values) => argument
            .value_parser(PossibleValuesParser::new(values.iter().cloned()))
            .default_values(None::<&str>),
        None => argument,
    });
    command.mut_subcommands(|command| with_names(command, names))
}

/// Returns fish completions for positional arguments, which `clap_complete` leaves out
/// of its fish script.
fn fish_positionals(program: &Command) -> String {
    let mut script = String::new();
    for command in program.get_subcommands() {
        let condition = format!("__fish_fantail_using_subcommand {}", command.get_name());
        let below: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        if below.is_empty() {
            fish_values(&mut script, command, &condition);
        }
        for inner in command.get_subcommands() {
            let name = inner.get_name();
            let condition = format!("{condition}; and __fish_seen_subcommand_from {name}");
            fish_values(&mut script, inner, &condition);
        }
    }
    script
}

fn fish_values(script: &mut String, command: &Command, condition: &str) {
    for argument in command.get_positionals() {
        let values = argument.get_possible_values();
        if values.is_empty() {
            continue;
        }
        let values = values.iter().map(|value| {
            let help = value.get_help().map(ToString::to_string);
            let help = help.unwrap_or_default().replace('\'', "\\'");
            format!("{}\\t'{help}'", value.get_name())
        });
        let values = values.collect::<Vec<_>>().join("\n");
        let values = values.replace('"', "\\\"").replace('$', "\\$");
        let _ = writeln!(
            script,
            "complete -c fantail -n \"{condition}\" -a \"{values}\""
        );
    }
}
