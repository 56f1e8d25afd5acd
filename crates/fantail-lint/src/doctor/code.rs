//! The stable codes of findings in an installation.

use std::fmt;

use fantail_config::codes;

codes! {
    /// The code of a finding in an installation, the most important first. A published
    /// text form never changes.
    pub enum DoctorCode in "doctor/";

    /// Dovecot itself refuses its configuration.
    DovecotRefuses = "dovecot-refuses", Error;
    /// Dovecot's processes are told to send no events at all.
    StatsOff = "stats-off", Error;
    /// No process serves the sockets that Dovecot's processes send their events to.
    NotServed = "not-served", Error;
    /// fantail has the sockets that Dovecot's configuration binds as well.
    DovecotBinds = "dovecot-binds", Error;
    /// The sockets of the stats service belong to different processes.
    SocketsDivided = "sockets-divided", Error;
    /// A socket is left over from a process that has ended.
    StaleSocket = "stale-socket", Error;
    /// Mail processes run, and none is connected to the stats service.
    NotConnected = "not-connected", Error;
    /// A unit of the service manager has failed.
    UnitFailed = "unit-failed", Error;
    /// Dovecot does not run.
    DovecotStopped = "dovecot-stopped", Warning;

    /// A program was refused when it opened the socket for events.
    PermissionDenied = "permission-denied", Warning;
    /// Processes of Dovecot may not open a socket, by its owner and mode.
    SocketPermissions = "socket-permissions", Warning;
    /// Connections are refused, or will be soon, because there are too many.
    ConnectionLimit = "connection-limit", Warning;

    /// The running process does not have the metrics of the configuration.
    ReloadNeeded = "reload-needed", Warning;
    /// The configuration has no metric.
    NoMetrics = "no-metrics", Warning;
    /// No metric has counted an event.
    AllZero = "all-zero", Warning;
    /// A metric has counted no event.
    NeverMatched = "never-matched", Hint;
    /// While events were watched, a metric matched none of them.
    TermFails = "term-fails", Warning;

    /// An exporter does not reach its target.
    ExportFails = "export-fails", Error;
    /// An exporter lost events.
    ExportDrops = "export-drops", Warning;
    /// The spool of an exporter is nearly full.
    SpoolNearLimit = "spool-near-limit", Warning;
    /// The stats process logs errors.
    StatsErrors = "stats-errors", Warning;

    /// Prometheus gets no answer.
    ScrapeFails = "scrape-fails", Error;
    /// No scraper has asked.
    NotScraped = "not-scraped", Hint;

    /// The state file cannot be written, or was not read.
    StateFile = "state-file", Error;
    /// The clock of this machine was set while processes ran.
    ClockMoved = "clock-moved", Warning;
}

impl fmt::Display for DoctorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
