//! The records of a remote write request, and the markers of series that end.

/// The key of a `TimeSeries` in a `WriteRequest`: field 1, with a length.
const SERIES_KEY: u8 = 0x0a;

/// The keys of a label and of a sample in a `TimeSeries`: fields 1 and 2, with lengths.
const LABEL_KEY: u8 = 0x0a;
const SAMPLE_KEY: u8 = 0x12;

/// The keys of the value and the time in a `Sample`.
const VALUE_KEY: u8 = 0x09;
const MILLIS_KEY: u8 = 0x10;

/// The number that marks the end of a series: a NaN that no calculation gives.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// A record at the beginning of a request.
#[derive(Debug)]
pub(super) struct Record<'r> {
    pub(super) bytes: &'r [u8],
    /// The encoded labels of a series; `None` for metadata.
    pub(super) labels: Option<&'r [u8]>,
}

/// Takes the first record; `None` if the bytes do not begin with a whole one.
pub(super) fn take_record<'r>(rest: &mut &'r [u8]) -> Option<Record<'r>> {
    let all = *rest;
    let (key, message) = take_field(rest)?;
    let bytes = all.get(..all.len() - rest.len())?;
    let labels = (key == SERIES_KEY).then(|| {
        let mut after = message;
        let mut length = 0;
        while let Some((LABEL_KEY, _)) = take_field(&mut after) {
            length = message.len() - after.len();
        }
        message.get(..length).unwrap_or_default()
    });
    Some(Record { bytes, labels })
}

/// Takes a field with a length: its key and its contents.
fn take_field<'r>(rest: &mut &'r [u8]) -> Option<(u8, &'r [u8])> {
    let (&key, mut after) = rest.split_first()?;
    let mut length = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, others) = after.split_first()?;
        after = others;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    let (contents, others) = after.split_at_checked(length)?;
    *rest = others;
    Some((key, contents))
}

/// Appends the marker of the end of a series.
pub(super) fn push_end(labels: &[u8], millis: i64, out: &mut Vec<u8>) {
    let mut sample = vec![VALUE_KEY];
    sample.extend_from_slice(&STALE.to_le_bytes());
    sample.push(MILLIS_KEY);
    push_varint(millis.cast_unsigned(), &mut sample);
    let mut series = labels.to_vec();
    series.push(SAMPLE_KEY);
    push_varint(sample.len() as u64, &mut series);
    series.extend_from_slice(&sample);
    out.push(SERIES_KEY);
    push_varint(series.len() as u64, out);
    out.extend_from_slice(&series);
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the lowest seven bits are meant"
)]
fn push_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use fantail_event::Timestamp;
    use fantail_exposition::{Exposition, ExpositionOptions, Family, Format, Kind};

    use super::{push_end, take_record};

    /// Returns a request with metadata and two series.
    fn request() -> Vec<u8> {
        let mut options = ExpositionOptions::new(Format::RemoteWrite);
        options.time = Timestamp::from_unix_micros(1_795_328_191_200_999);
        let mut exposition = Exposition::new(Vec::new(), options);
        let family = Family {
            name: "m",
            kind: Kind::Gauge,
            help: "h",
            unit: None,
        };
        let written = exposition.family(&family, |samples| {
            samples.add(&[("user", &"x".repeat(300))], 1)?;
            samples.add(&[], 2)
        });
        written.unwrap();
        exposition.finish().unwrap().0
    }

    #[test]
    fn a_request_is_divided_into_its_records() {
        let request = request();
        let mut rest = &request[..];
        let records: Vec<_> = std::iter::from_fn(|| take_record(&mut rest)).collect();
        assert!(rest.is_empty());
        assert_eq!(
            records.iter().map(|one| one.bytes.len()).sum::<usize>(),
            request.len()
        );
        let [metadata, long, plain] = &records[..] else {
            panic!("{records:?}");
        };
        assert!(metadata.labels.is_none() && long.labels.unwrap().len() > 300);
        assert_eq!(plain.labels.unwrap(), b"\x0a\x0d\x0a\x08__name__\x12\x01m");
        assert!(take_record(&mut &request[..request.len() - 1]).is_some());
        assert!(take_record(&mut &plain.bytes[..plain.bytes.len() - 1]).is_none());
    }

    /// The end of a series has its labels, and a sample of the same form.
    #[test]
    fn the_end_of_a_series_is_a_record_with_its_labels() {
        let request = request();
        let mut rest = &request[..];
        let series = std::iter::from_fn(|| take_record(&mut rest))
            .nth(1)
            .unwrap();
        let mut end = Vec::new();
        push_end(series.labels.unwrap(), 1_795_328_191_200, &mut end);
        let read = take_record(&mut &end[..]).unwrap();
        assert_eq!(read.labels, series.labels);
        let number = 1_f64.to_le_bytes();
        let at = series.bytes.windows(8).rposition(|some| some == number);
        let mut expected = series.bytes.to_vec();
        let stale = [2, 0, 0, 0, 0, 0, 0xf0, 0x7f];
        expected[at.unwrap()..at.unwrap() + 8].copy_from_slice(&stale);
        assert_eq!(end, expected);
    }
}
