//! What the drawings show.

use super::{Arrow, Drawing, Labelled};

const fn labelled(x: u32, y: u32, width: u32, lines: &'static [&'static str]) -> Labelled {
    Labelled { x, y, width, lines }
}

const fn arrow(from: usize, to: usize, label: &'static str) -> Arrow {
    Arrow {
        from,
        to,
        label,
        is_back: false,
    }
}

const fn back(from: usize, to: usize, label: &'static str) -> Arrow {
    Arrow {
        from,
        to,
        label,
        is_back: true,
    }
}

pub(super) const DRAWINGS: &[Drawing] = &[
    Drawing {
        name: "event-flow",
        title: "Dovecot's processes write events to the socket stats-writer of fantail serve. \
            Filters select the events of metrics, exporters and observers.",
        boxes: &[
            labelled(0, 60, 176, &["Dovecot's processes", "imap, lmtp, auth, …"]),
            labelled(280, 60, 130, &["fantail serve", "filters"]),
            labelled(480, 0, 150, &["Metrics", "counts, histograms"]),
            labelled(480, 70, 150, &["Exporters", "format, queue"]),
            labelled(480, 140, 150, &["Observers", "matching events"]),
            labelled(700, 0, 180, &["Scrape, dump, state", "Prometheus, doveadm"]),
            labelled(700, 70, 180, &["Log, file, HTTP, …", "Loki, Vector, OTLP"]),
            labelled(700, 140, 180, &["fantail tap, the page", "people"]),
        ],
        arrows: &[
            arrow(0, 1, "stats-writer"),
            back(1, 0, "the filter of what to send"),
            arrow(1, 2, ""),
            arrow(1, 3, ""),
            arrow(1, 4, ""),
            arrow(2, 5, ""),
            arrow(3, 6, ""),
            arrow(4, 7, ""),
        ],
    },
    Drawing {
        name: "delivery-levels",
        title: "With best-effort, an event waits in memory. With spool, it waits on disk until \
            it is handed over, with acknowledged until the target confirms it.",
        boxes: &[
            labelled(0, 0, 150, &["best-effort", "event"]),
            labelled(240, 0, 180, &["Queue in memory", "lost if fantail ends"]),
            labelled(560, 0, 150, &["Target", "log, file, HTTP, …"]),
            labelled(0, 90, 150, &["spool", "event"]),
            labelled(240, 90, 180, &["Spool on disk", "sent at the next start"]),
            labelled(560, 90, 150, &["Target", "log, file, HTTP, …"]),
            labelled(0, 180, 150, &["acknowledged", "event"]),
            labelled(240, 180, 180, &["Spool on disk", "kept until confirmed"]),
            labelled(560, 180, 150, &["Target", "log, file, HTTP, …"]),
        ],
        arrows: &[
            arrow(0, 1, ""),
            arrow(1, 2, "handed over: done"),
            arrow(3, 4, ""),
            arrow(4, 5, "handed over: done"),
            arrow(6, 7, ""),
            arrow(7, 8, ""),
            back(8, 7, "confirmed: done"),
        ],
    },
    Drawing {
        name: "fleet",
        title: "fantail fleet asks the fantail serve of each host over HTTP and prints one answer.",
        boxes: &[
            labelled(0, 0, 150, &["mail1", "fantail serve"]),
            labelled(0, 70, 150, &["mail2", "fantail serve"]),
            labelled(0, 140, 150, &["mail3", "no answer"]),
            labelled(290, 70, 150, &["fantail fleet", "adds up"]),
            labelled(
                530,
                70,
                200,
                &["One answer", "and the host it lacks: mail3"],
            ),
        ],
        arrows: &[
            arrow(0, 3, ""),
            arrow(1, 3, "/api/v1/fleet"),
            arrow(3, 4, ""),
        ],
    },
];
