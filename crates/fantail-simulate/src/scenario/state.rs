//! The state file, through several processes and losses of power.
//!
//! Each save has a number. A start finds the last save that was reported, or a later
//! one that was not.

use fantail_event::Dialect;
use fantail_metrics::{MetricSettings, Registry, state};
use fantail_server::{StateFile, StateFileErrorKind};

use crate::{
    broken::{Broken, holds},
    system::SIMULATED,
    world::{Troubles, World, with},
};

/// Path of the state file.
const PATH: &str = "/state";

/// The saves of a run.
#[derive(Debug, Default)]
struct Saves {
    /// The last save that was reported; 0 before the first.
    reported: u64,
    /// The last save that was begun.
    begun: u64,
}

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let troubles = with(draw_troubles);
    let mut saves = Saves::default();
    for _ in 0..with(|world| world.random.u32(1..8)) {
        let loses_power = with(|world| {
            world.troubles = troubles;
            let calls = world.random.u64(..60);
            world.calls_left = world.random.bool().then_some(calls);
            world.random.bool()
        });
        live(&mut saves)?;
        with(|world| {
            world.disk.capacity = u64::MAX;
            world.restart(loses_power);
        });
    }
    with(|world| world.troubles = Troubles::default());
    let file = StateFile::on(&SIMULATED, PATH);
    start(&file, &saves)?;
    let names = with(|world| world.disk.list("/".as_ref()));
    let others = names.map(|names| names.iter().filter(|name| *name != "state").count());
    holds(others.is_ok_and(|others| others == 0), || {
        "files of former saves stay".to_owned()
    })
}

fn draw_troubles(world: &mut World) -> Troubles {
    match world.random.bool() {
        true => Troubles::default(),
        false => Troubles {
            // A state that cannot be read is put aside.
            reads: 0,
            writes: 10,
            syncs: 5,
            short: 5,
        },
    }
}

/// One process: it reads the state and saves a few times.
fn live(saves: &mut Saves) -> Result<(), Broken> {
    let file = StateFile::on(&SIMULATED, PATH);
    start(&file, saves)?;
    for _ in 0..with(|world| world.random.u32(..6)) {
        if with(|world| world.is_stopped) {
            return Ok(());
        }
        if with(|world| world.one_in(8)) {
            with(|world| world.disk.capacity = world.disk.used() + world.random.u64(..1_000));
        }
        saves.begun += 1;
        let number = saves.begun;
        let written = file.write(&bytes(number)?);
        with(|world| world.note(|| format!("save {number}: {written:?}")));
        if written.is_ok() {
            saves.reported = number;
        }
    }
    Ok(())
}

/// Reads the state as a start does, and checks which save it is.
fn start(file: &StateFile, saves: &Saves) -> Result<(), Broken> {
    let read = file.read();
    if with(|world| world.is_stopped) {
        return Ok(());
    }
    let found = match read {
        Ok(state) => state.map_or(Ok(0), |state| number(&state))?,
        // The disk reported an error.
        Err(error) if error.kind() == StateFileErrorKind::Read => return Ok(()),
        Err(error) => return Err(Broken::new(format!("a start finds no state: {error}"))),
    };
    with(|world| world.note(|| format!("found {found}")));
    let (reported, begun) = (saves.reported, saves.begun);
    holds((reported..=begun).contains(&found), || {
        format!("found save {found}, and {reported} was reported")
    })?;
    _ = file.remove_left_overs().and_then(|_| file.check_writable());
    Ok(())
}

/// Returns a state of several sectors that has the number.
fn bytes(number: u64) -> Result<Vec<u8>, Broken> {
    let mut registry = Registry::new(Dialect::V2_4);
    for metric in 0..1 + number % 60 {
        let added = registry.add(MetricSettings {
            name: format!("{number}-{metric}").into_bytes(),
            ..MetricSettings::default()
        });
        added.map_err(|error| Broken::new(error.to_string()))?;
    }
    Ok(state::write(&registry.snapshot(), |_| Vec::new()))
}

/// Returns the number of a state.
fn number(state: &state::State) -> Result<u64, Broken> {
    let mut numbers = state.metrics().map(|(metric, _)| {
        let name = String::from_utf8_lossy(&metric.settings().name).into_owned();
        name.split('-')
            .next()
            .and_then(|number| number.parse().ok())
    });
    let number = numbers.next().flatten();
    number.ok_or_else(|| Broken::new("a state without a number"))
}
