//! Removing parts of a case while the difference stays.

/// Removes elements as long as `differs` holds for the rest: long runs first,
/// then shorter ones, down to single elements.
pub(crate) fn shrink<T: Clone>(list: &mut Vec<T>, mut differs: impl FnMut(&[T]) -> bool) {
    let mut run = list.len();
    while run > 0 {
        let mut at = 0;
        let mut has_removed = false;
        while at < list.len() {
            let mut rest = list.clone();
            rest.drain(at..(at + run).min(list.len()));
            if differs(&rest) {
                *list = rest;
                has_removed = true;
            } else {
                at += run;
            }
        }
        // A removal may have made another one possible.
        if !has_removed || run > 1 {
            run /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shrink;

    fn check(list: &str, differs: impl Fn(&str) -> bool, expected: &str) {
        let mut list: Vec<char> = list.chars().collect();
        shrink(&mut list, |rest| differs(&rest.iter().collect::<String>()));
        assert_eq!(list.into_iter().collect::<String>(), expected);
    }

    #[test]
    fn what_the_difference_needs_stays() {
        check("abcdefgh", |rest| rest.contains('e'), "e");
        let both = |rest: &str| rest.contains('a') && rest.contains('h');
        check("abcdefgh", both, "ah");
        check("abc", |_| true, "");
        check("abc", |rest| rest == "abc", "abc");
    }

    /// Parentheses can only go in pairs, the inner one first.
    #[test]
    fn removals_make_others_possible() {
        let balanced = |rest: &str| rest.starts_with('(') && rest.ends_with(')');
        check("(((x)))", balanced, "()");
    }
}
