//! Names that both formats accept.

use fantail_metrics::GroupBy;

/// Returns whether the name is `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(crate) fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    bytes.next().is_some_and(first) && bytes.all(|byte| first(byte) || byte.is_ascii_digit())
}

/// Returns whether the name is `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(crate) fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

/// Returns a part of a metric's name; illegal characters become `_`.
pub(crate) fn name_part(text: &[u8]) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let part = text
        .iter()
        .map(|&byte| if legal(byte) { byte } else { b'_' });
    part.map(char::from).collect()
}

/// Returns a unique label name for each level of a `group_by`.
///
/// The name is the field's, with `_` for illegal characters. A reserved name
/// (`le` and `quantile`, names beginning with `__`), or one of an earlier
/// level, gets a number: `le_2`.
pub(crate) fn label_names(levels: &[GroupBy]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for level in levels {
        let mut name = name_part(&level.field);
        if !is_label_name(&name) {
            name.insert(0, '_');
        }
        if name.starts_with("__") {
            name.insert_str(0, "field");
        }
        let reserved = |name: &str| name == "le" || name == "quantile";
        let mut free = name.clone();
        let mut number = 2_usize;
        while reserved(&free) || names.contains(&free) {
            free = format!("{name}_{number}");
            number += 1;
        }
        names.push(free);
    }
    names
}

#[cfg(test)]
mod tests {
    use fantail_metrics::{GroupBy, Method};

    use super::{is_metric_name, label_names, name_part};

    fn check(fields: &[&str], labels: &[&str]) {
        let level = |field: &&str| GroupBy {
            field: field.as_bytes().to_vec(),
            method: Method::Discrete(Vec::new()),
        };
        let levels: Vec<GroupBy> = fields.iter().map(level).collect();
        assert_eq!(label_names(&levels), labels);
    }

    #[test]
    fn labels() {
        check(&[], &[]);
        check(
            &["cmd_name", "tagged_reply_state"],
            &["cmd_name", "tagged_reply_state"],
        );
        check(&["a-b", "a_b", "a.b"], &["a_b", "a_b_2", "a_b_3"]);
        check(&["le", "le", "quantile"], &["le_2", "le_3", "quantile_2"]);
        check(
            &["__name__", "", "9x", " user"],
            &["field__name__", "_", "_9x", "_user"],
        );
        check(&["é"], &["field__"]);
        check(&["a", "a", "a_2"], &["a", "a_2", "a_2_2"]);
    }

    #[test]
    fn metrics() {
        for legal in ["a", "_", ":", "imap_commands", "A:b9"] {
            assert!(is_metric_name(legal), "{legal}");
        }
        for illegal in ["", "9", "a-b", "log/all", "a b", "é", "a\n"] {
            assert!(!is_metric_name(illegal), "{illegal}");
        }
        assert_eq!(name_part(b"net:in-bytes"), "net_in_bytes");
    }
}
