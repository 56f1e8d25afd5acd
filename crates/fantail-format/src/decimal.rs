//! Numbers in decimal digits, without the detour through `fmt`.

/// Appends a number.
pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    write_u64(number.unsigned_abs(), out);
}

/// Appends a number.
pub(crate) fn write_u64(number: u64, out: &mut Vec<u8>) {
    // The largest has 20 digits.
    let mut digits = [0; 20];
    let mut rest = number;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = last_digit(rest);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// The last `N` digits of a number, with leading zeros.
pub(crate) fn fixed<const N: usize>(number: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = last_digit(u64::from(rest));
        rest /= 10;
    }
    digits
}

fn last_digit(number: u64) -> u8 {
    // A remainder of a division by ten fits.
    #[allow(clippy::cast_possible_truncation)]
    let digit = (number % 10) as u8;
    b'0' + digit
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
        assert_eq!(&fixed::<4>(7), b"0007");
        assert_eq!(&fixed::<2>(31), b"31");
    }
}
