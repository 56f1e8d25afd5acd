//! `docs/reference/own-metrics.md`: the metrics that a scrape has of fantail itself.
//!
//! With `UPDATE_EXPECT=1` the page is written anew.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
};

use crate::{
    fixture::{Fixture, event},
    scrapes::with_http,
};

const HEAD: &str = "\
# Metrics of fantail itself

```sh
curl -s http://127.0.0.1:9900/metrics | grep ^fantail_
```

A scrape of `fantail serve` has these metrics beside those of the configuration. Counters
begin at 0 with the process.

";

/// The name, kind and help of each metric of fantail in a scrape.
fn rows(scrape: &str) -> Vec<(&str, &str, &str)> {
    let mut rows = Vec::new();
    let mut help = None;
    for line in scrape.lines() {
        if let Some(rest) = line.strip_prefix("# HELP fantail_") {
            help = rest.split_once(' ').map(|(_, text)| text);
        } else if let Some(rest) = line.strip_prefix("# TYPE ")
            && rest.starts_with("fantail_")
        {
            let (name, kind) = rest.split_once(' ').unwrap();
            rows.push((name, kind, help.take().unwrap()));
        }
    }
    rows.sort_unstable();
    rows
}

#[test]
fn the_page_lists_every_metric() {
    let spool = tempfile::tempdir().unwrap();
    let configuration = format!(
        "event_exporter all {{\n  format = json\n  format_args = time-rfc3339\n  \
         transport = drop\n  delivery = spool\n  spool_path = {}\n}}\n\
         metric all {{\n  filter = event=*\n  exporter = all\n  exporter_include = name\n}}\n",
        spool.path().display(),
    );
    let fixture = Fixture::with(&configuration, with_http);
    fixture.send(&event("a", 7));
    let (_, body) = fixture.get("/metrics?format=prometheus", "");
    let scrape = String::from_utf8(body).unwrap();
    let mut page = String::from(HEAD);
    page.push_str("| metric | type | meaning |\n| --- | --- | --- |\n");
    for (name, kind, help) in rows(&scrape) {
        let _ = writeln!(page, "| `{name}` | {kind} | {help} |");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("docs/reference/own-metrics.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let mut file = File::create(path).unwrap();
        file.write_all(page.as_bytes()).unwrap();
    } else {
        let mut shown = String::new();
        File::open(path)
            .unwrap()
            .read_to_string(&mut shown)
            .unwrap();
        assert_eq!(shown, page);
    }
}
