//! Payloads that tell their number.

use crate::broken::Broken;

/// Returns the payload with a number. Its length follows from the number.
#[must_use]
pub fn of(id: u64) -> Vec<u8> {
    let mut bytes = id.to_string().into_bytes();
    // Mostly small, some longer than a sector or a segment.
    let filler = match id % 29 {
        0 => 9_000,
        1..4 => 1_500,
        other => other * 7,
    };
    let letters = (0..filler).map(|at| b'a' + u8::try_from((id + at) % 26).unwrap_or(0));
    bytes.extend(letters);
    bytes
}

/// Returns the number of a payload.
///
/// # Errors
/// The bytes are not those of a payload.
pub fn id(bytes: &[u8]) -> Result<u64, Broken> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let text = bytes
        .get(..digits)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let id = text.and_then(|text| text.parse().ok());
    let id = id.filter(|id| of(*id) == bytes);
    id.ok_or_else(|| Broken::new(format!("an unknown payload: {}", bytes.escape_ascii())))
}
