//! Parses and formats points in time: `10:05`, `5m`, `2026-11-30T10:05:00Z`.

use jiff::{Timestamp, ToSpan as _, Zoned, civil};

use crate::flag::{self, FlagError};

/// Parses a point in time; `now` is the local time.
pub(super) fn parse(text: &str, now: &Zoned) -> Result<Timestamp, FlagError> {
    const EXPECTED: FlagError =
        FlagError::expected("a time such as 10:05, 5m (ago), or 2026-11-30T10:05:00Z");
    if let Ok(ago) = flag::duration(text) {
        return now.timestamp().checked_sub(ago).map_err(|_| EXPECTED);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let zone = now.time_zone();
    if let Ok(time) = text.parse::<civil::Time>() {
        let today = now.date().to_datetime(time).to_zoned(zone.clone());
        let today = today.map_err(|_| EXPECTED)?;
        // A time of day later than now means yesterday: 23:50, just after midnight.
        let is_past = today.timestamp() <= now.timestamp();
        let moment = match is_past {
            true => Ok(today),
            false => today.checked_sub(1.day()),
        };
        return moment.map(|it| it.timestamp()).map_err(|_| EXPECTED);
    }
    let local = text.parse::<civil::DateTime>();
    let zoned = local.and_then(|local| local.to_zoned(zone.clone()));
    zoned.map(|it| it.timestamp()).map_err(|_| EXPECTED)
}

/// Formats a point in time as local date and time.
pub(super) fn show(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    let zoned = time.to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Zoned;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let now: Zoned = "2026-11-30T10:07:00+01:00[Europe/Berlin]".parse().unwrap();
        let read = super::parse(text, &now).ok();
        assert_eq!(
            read.map(|time| time.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn times_are_of_the_day_ago_or_whole() {
        check("10:05", Some("2026-11-30T09:05:00Z"));
        check("10:05:30", Some("2026-11-30T09:05:30Z"));
        check("10:08", Some("2026-11-29T09:08:00Z"));
        check("5m", Some("2026-11-30T09:02:00Z"));
        check("5min", Some("2026-11-30T09:02:00Z"));
        check("90", Some("2026-11-30T09:05:30Z"));
        check("2026-11-30T09:00:00Z", Some("2026-11-30T09:00:00Z"));
        check("2026-11-30 09:00", Some("2026-11-30T08:00:00Z"));
        check("soon", None);
        check("25:00", None);
        check("", None);
    }
}
