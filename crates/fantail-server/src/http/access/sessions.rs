//! Sessions of browsers: a token is exchanged for a random number in a cookie.
//!
//! The token is not stored in the browser. A session ends after 12 hours, with its
//! token, with the server, or when its user signs out.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustls::crypto::ring;
use subtle::ConstantTimeEq as _;

use super::token::Token;

/// The duration of a session.
pub(crate) const SESSION_DURATION: Duration = Duration::from_secs(12 * 3600);

/// Sessions at one time; another one ends the oldest.
const MAX_SESSIONS: usize = 64;

/// Wrong tokens that may be given within [`ATTEMPT_PERIOD`].
const MAX_ATTEMPTS: usize = 10;

/// The time after which a wrong token is forgotten.
const ATTEMPT_PERIOD: Duration = Duration::from_secs(60);

/// Bytes of the random number of a session.
const ID_BYTES: usize = 32;

/// The sessions of browsers, and the wrong tokens that were given.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The oldest first.
    sessions: VecDeque<Session>,
    /// The times of wrong tokens, the oldest first.
    failures: VecDeque<Instant>,
}

struct Session {
    id: [u8; ID_BYTES],
    token: Arc<Token>,
    end: Instant,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Why no session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInError {
    /// The token is wrong.
    Token,
    /// Too many wrong tokens were given; try again after this time.
    TooMany(Duration),
    /// The system has no random numbers.
    Random,
}

impl Sessions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session for the right token; returns the session's number in hexadecimal
    /// digits.
    ///
    /// # Errors
    /// The token is wrong, or too many wrong tokens were given.
    pub(super) fn begin(
        &self,
        token: &Arc<Token>,
        given: &[u8],
        now: Instant,
    ) -> Result<String, SignInError> {
        let mut state = self.state();
        state.check_attempts(now)?;
        if !token.is(given) {
            state.failures.push_back(now);
            return Err(SignInError::Token);
        }
        let mut id = [0; ID_BYTES];
        let random = ring::default_provider().secure_random;
        random.fill(&mut id).map_err(|_| SignInError::Random)?;
        state.drop_ended(now);
        if state.sessions.len() >= MAX_SESSIONS {
            state.sessions.pop_front();
        }
        state.sessions.push_back(Session {
            id,
            token: Arc::clone(token),
            end: now + SESSION_DURATION,
        });
        Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns whether a session has this number and was begun with this token.
    pub(super) fn is_open(&self, id: &str, token: &Token, now: Instant) -> bool {
        let Some(id) = parse_id(id) else {
            return false;
        };
        let mut state = self.state();
        state.drop_ended(now);
        // All are compared, so that the duration does not depend on the position.
        let sessions = state.sessions.iter();
        let found = sessions.filter(|session| {
            let is_it: bool = session.id.ct_eq(&id).into();
            is_it && session.token.is_same(token)
        });
        found.count() > 0
    }

    /// Ends the session with this number.
    pub(super) fn end(&self, id: &str) {
        if let Some(id) = parse_id(id) {
            let is_other = |session: &Session| !bool::from(session.id.ct_eq(&id));
            self.state().sessions.retain(is_other);
        }
    }
}

impl State {
    fn drop_ended(&mut self, now: Instant) {
        self.sessions.retain(|session| session.end > now);
    }

    fn check_attempts(&mut self, now: Instant) -> Result<(), SignInError> {
        self.failures
            .retain(|failure| now.duration_since(*failure) < ATTEMPT_PERIOD);
        match self.failures.front() {
            Some(first) if self.failures.len() >= MAX_ATTEMPTS => {
                let left = ATTEMPT_PERIOD.saturating_sub(now.duration_since(*first));
                Err(SignInError::TooMany(left))
            }
            _ => Ok(()),
        }
    }
}

fn parse_id(text: &str) -> Option<[u8; ID_BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * ID_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut id = [0; ID_BYTES];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::{
        super::token::{Token, parse},
        ATTEMPT_PERIOD, MAX_ATTEMPTS, MAX_SESSIONS, SESSION_DURATION, Sessions, SignInError,
    };

    fn token(secret: &str) -> Arc<Token> {
        Arc::new(parse(&[], &[secret.into()]).unwrap())
    }

    #[test]
    fn a_session_ends_after_its_time_with_its_token_and_on_request() {
        let (sessions, secret, now) = (Sessions::default(), token("secret"), Instant::now());
        let id = sessions.begin(&secret, b"secret", now).unwrap();
        let other = sessions.begin(&secret, b"secret", now).unwrap();
        assert_ne!(id, other);
        let last = now + SESSION_DURATION - Duration::from_secs(1);
        // The file was read again and has the same token.
        assert!(sessions.is_open(&id, &token("secret"), last));
        assert!(!sessions.is_open(&id, &token("new"), now));
        for wrong in ["", "0", &id[1..], &"0".repeat(64), &"é".repeat(32)] {
            assert!(!sessions.is_open(wrong, &secret, now), "{wrong}");
        }
        sessions.end(&other);
        assert!(!sessions.is_open(&other, &secret, now));
        assert!(sessions.is_open(&id, &secret, now));
        assert!(!sessions.is_open(&id, &secret, now + SESSION_DURATION));
    }

    #[test]
    fn wrong_tokens_are_limited_for_a_time() {
        let (sessions, secret, now) = (Sessions::default(), token("secret"), Instant::now());
        let open = sessions.begin(&secret, b"secret", now).unwrap();
        for _ in 0..MAX_ATTEMPTS {
            assert_eq!(
                sessions.begin(&secret, b"guess", now),
                Err(SignInError::Token)
            );
        }
        let refused = sessions.begin(&secret, b"secret", now);
        assert_eq!(refused, Err(SignInError::TooMany(ATTEMPT_PERIOD)));
        assert!(sessions.is_open(&open, &secret, now));
        assert!(
            sessions
                .begin(&secret, b"secret", now + ATTEMPT_PERIOD)
                .is_ok()
        );
    }

    #[test]
    fn another_session_ends_the_oldest() {
        let (sessions, secret, now) = (Sessions::default(), token("secret"), Instant::now());
        let first = sessions.begin(&secret, b"secret", now).unwrap();
        let second = sessions.begin(&secret, b"secret", now).unwrap();
        for _ in 1..MAX_SESSIONS {
            sessions.begin(&secret, b"secret", now).unwrap();
        }
        assert!(!sessions.is_open(&first, &secret, now));
        assert!(sessions.is_open(&second, &secret, now));
    }
}
