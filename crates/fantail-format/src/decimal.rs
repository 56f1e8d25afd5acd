//! Numbers in decimal digits, without the detour through `fmt`.

/// Appends a number.
pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    write_u64(number.unsigned_abs(), out);
}

/// Appends a number.
#[inline]
pub(crate) fn write_u64(number: u64, out: &mut Vec<u8>) {
    // The largest has 20 digits.
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    while rest >= 10 {
        start -= 2;
        put(&mut digits, start, pair(rest % 100));
        rest /= 100;
    }
    if rest > 0 || number == 0 {
        start -= 1;
        put(&mut digits, start, [pair(rest)[1]]);
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// The last two digits of a number, with leading zeros.
#[inline]
pub(crate) fn two(number: u32) -> [u8; 2] {
    pair(u64::from(number % 100))
}

/// The last six digits of a number, with leading zeros.
#[inline]
pub(crate) fn six(number: u32) -> [u8; 6] {
    let [a, b] = two(number / 10_000);
    let [c, d] = two(number / 100);
    let [e, f] = two(number);
    [a, b, c, d, e, f]
}

/// All numbers of two digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        // Below 100, it fits.
        #[allow(clippy::cast_possible_truncation)]
        let digits = number as u8;
        pairs[number] = [b'0' + digits / 10, b'0' + digits % 10];
        number += 1;
    }
    pairs
};

#[inline]
fn pair(number: u64) -> [u8; 2] {
    let at = usize::try_from(number).ok();
    at.and_then(|at| PAIRS.get(at)).copied().unwrap_or_default()
}

#[inline]
fn put<const N: usize>(digits: &mut [u8; 20], at: usize, text: [u8; N]) {
    if let Some(place) = digits.get_mut(at..at + N) {
        place.copy_from_slice(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: i64) {
        let mut out = Vec::new();
        write_int(number, &mut out);
        assert_eq!(out, number.to_string().as_bytes());
    }

    #[test]
    fn as_the_standard_library_writes_them() {
        let mut power = 1_i64;
        for _ in 0..18 {
            for near in [power - 1, power, power + 1] {
                check(near);
                check(-near);
            }
            power *= 10;
        }
        check(i64::MAX);
        check(i64::MIN);
        check(0);
        (0..2_000).for_each(check);
        assert_eq!(&two(7), b"07");
        assert_eq!(&six(267_241), b"267241");
        assert_eq!(&six(5), b"000005");
    }
}
