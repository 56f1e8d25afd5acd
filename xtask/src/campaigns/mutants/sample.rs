//! A random sample of faults.

use crate::campaigns::diff::random::Random;

/// Returns `count` of the names, or all if there are fewer; a seed repeats its choice.
pub(super) fn choose(names: &[String], count: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed, 0);
    let mut names = names.to_vec();
    let count = count.min(names.len());
    for at in 0..count {
        let other = at + random.below(names.len() - at);
        names.swap(at, other);
    }
    names.truncate(count);
    names
}

/// Returns the regular expression of a name.
pub(super) fn pattern(name: &str) -> String {
    let mut pattern = String::from("^");
    for letter in name.chars() {
        if !letter.is_alphanumeric() && !matches!(letter, ' ' | '_' | '/' | ':') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('$');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{choose, pattern};

    #[test]
    fn a_seed_repeats_its_sample() {
        let names: Vec<String> = (0..100).map(|number| format!("fault {number}")).collect();
        let sample = choose(&names, 10, 1);
        assert_eq!(sample.len(), 10);
        assert_eq!(sample, choose(&names, 10, 1));
        assert_ne!(sample, choose(&names, 10, 2));
        let mut whole = choose(&names, 1_000, 1);
        whole.sort_by_key(|name| name[6..].parse::<u32>().ok());
        assert_eq!(whole, names);
    }

    #[test]
    fn a_pattern_means_its_name_only() {
        let name = "src/a.rs:7:5: replace f -> Option<u8> with Some(0)";
        let expected = r"^src/a\.rs:7:5: replace f \-\> Option\<u8\> with Some\(0\)$";
        assert_eq!(pattern(name), expected);
    }
}
