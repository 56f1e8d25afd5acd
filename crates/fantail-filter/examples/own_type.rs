//! Matches a type of one's own: requests of a web server, against filters that
//! another crate has.
//!
//! `cargo run -p fantail-filter --example own_type`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use fantail_event::{Elements, EventView, Ip, ValueRef};
use fantail_filter::{Filter, FilterSet, Matcher};

/// What the program has anyway. Nothing is copied for matching.
struct Request {
    path: String,
    status: u16,
    micros: i64,
    client: std::net::IpAddr,
    roles: Vec<String>,
}

impl EventView for Request {
    fn name(&self) -> Option<&[u8]> {
        Some(b"request_finished")
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        Some(match key {
            b"path" => ValueRef::Str(self.path.as_bytes()),
            b"status" => ValueRef::Int(self.status.into()),
            b"client" => ValueRef::from(Ip::from(self.client)),
            b"role" => ValueRef::List(Elements::of(&self.roles, 0)),
            _ => return None,
        })
    }

    /// So that `duration>2s` means what it says.
    fn duration_micros(&self) -> Option<i64> {
        Some(self.micros)
    }
}

const FILTERS: [(&str, &str); 4] = [
    ("errors", "event=request_* AND status>=500"),
    ("slow", "duration>2s AND NOT path=/upload/*"),
    ("from outside", "path=/admin/* AND NOT client=10.0.0.0/8"),
    ("by staff", "role=staff"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut set = FilterSet::new();
    for (_, text) in FILTERS {
        set.insert(&text.parse::<Filter>()?);
    }
    let request = |path: &str, status, micros, client: [u8; 4], role: &str| Request {
        path: path.to_owned(),
        status,
        micros,
        client: client.into(),
        roles: vec![role.to_owned()],
    };
    let requests = [
        request("/", 200, 1_500, [192, 0, 2, 7], "guest"),
        request("/admin/users", 502, 2_500_000, [192, 0, 2, 7], "staff"),
        request("/upload/1", 201, 9_000_000, [10, 0, 0, 3], "guest"),
    ];
    let mut matcher = Matcher::new();
    for request in &requests {
        let found = matcher.matches(&set, request).iter();
        let names: Vec<_> = found
            .filter_map(|id| FILTERS.get(id.index()))
            .map(|(name, _)| *name)
            .collect();
        println!("{}: {}", request.path, names.join(", "));
    }
    Ok(())
}
