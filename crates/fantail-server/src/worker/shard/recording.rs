//! What clients of a shard send, recorded.

use fantail_wire::Intake;

use super::{Client, Shard, State};
use crate::{
    process::clock,
    process::record::{Recorder, Tape},
};

/// Live events of a client whose state is recorded: writing them takes milliseconds.
const MAX_RECORDED_STATE_BYTES: usize = 1 << 20;

impl Shard {
    /// Records what clients send from now on.
    pub(crate) fn use_recorder(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// Records bytes that were read from a client.
    #[cold]
    pub(super) fn record(&mut self, client: &mut Client, read: &[u8]) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let number = recorder.number();
        if client.tape.as_ref().is_none_or(|(of, _)| *of != number) {
            client.tape = Some((number, client.begin_tape(recorder, &self.intake)));
        }
        if let Some((_, Some(tape))) = &mut client.tape {
            tape.read(read, clock::now());
        }
    }
}

impl Client {
    /// Begins its part of a recording; `None` if that is over, or if writing the state
    /// of the client would make others wait.
    fn begin_tape(&self, recorder: &Recorder, intake: &Intake) -> Option<Tape> {
        let State::Open(connection) = &self.state else {
            return None;
        };
        if recorder.is_over() {
            return None;
        }
        if connection.live_bytes() > MAX_RECORDED_STATE_BYTES {
            recorder.leave_out();
            return None;
        }
        let mut state = Vec::new();
        connection.write_state(intake, &mut state);
        Some(recorder.tape(&state, &self.partial, clock::now()))
    }
}
