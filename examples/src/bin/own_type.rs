//! Matches a type of the program against 1,000 filters at once.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;

use fantail::{
    event::{Elements, EventView, Ip, ValueRef},
    filter::{Filter, FilterSet, Matcher},
};

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

    /// For comparisons such as `duration>2s`.
    fn duration_micros(&self) -> Option<i64> {
        Some(self.micros)
    }
}

/// Four filters of each of 250 tenants.
fn texts() -> impl Iterator<Item = String> {
    (0..250).flat_map(|tenant| {
        [
            format!("event=request_* AND path=\"/{tenant}/*\" AND status>=500"),
            format!("path=\"/{tenant}/*\" AND duration>2s AND NOT path=\"/{tenant}/upload/*\""),
            format!("path=\"/{tenant}/admin/*\" AND NOT client=10.0.0.0/8"),
            format!("path=\"/{tenant}/*\" AND role=staff"),
        ]
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let texts: Vec<String> = texts().collect();
    let mut set = FilterSet::new();
    for text in &texts {
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
        request("/17/index", 200, 1_500, [192, 0, 2, 7], "guest"),
        request("/17/admin/users", 502, 2_500_000, [192, 0, 2, 7], "staff"),
        request("/249/upload/1", 201, 9_000_000, [10, 0, 0, 3], "guest"),
        request("/249/upload/1", 500, 9_000_000, [10, 0, 0, 3], "guest"),
    ];
    let mut matcher = Matcher::new();
    for request in &requests {
        println!("{} {}", request.path, request.status);
        for id in matcher.matches(&set, request) {
            println!("  {}", texts.get(id.index()).map_or("", String::as_str));
        }
    }
    Ok(())
}
