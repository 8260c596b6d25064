//! Points in time as Go keeps them: with the offset they were written with.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;

/// A point in time that prints as it was read: Go's RFC 3339 with as many digits of a second as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    at: Timestamp,
    offset: Offset,
}

impl Time {
    /// The point.
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        let at: Timestamp = text.parse().ok()?;
        let time = text.split_once(['T', 't'])?.1;
        let offset = match time.rfind(['+', '-']) {
            None => Offset::UTC,
            Some(sign) => {
                let (hours, minutes) = time.get(sign + 1..)?.split_once(':')?;
                let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
                let seconds = if time.get(sign..)?.starts_with('-') {
                    -seconds
                } else {
                    seconds
                };
                Offset::from_seconds(seconds).ok()?
            }
        };
        Some(Self { at, offset })
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self {
            at,
            offset: Offset::UTC,
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.offset == Offset::UTC {
            return write!(f, "{}", self.at);
        }
        write!(f, "{}", self.at.display_with_offset(self.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_printed() {
        for text in [
            "2024-05-01T10:00:00Z",
            "2024-05-01T10:00:00.5Z",
            "2024-05-01T10:00:00.123456789+02:00",
            "2024-05-01T10:00:00-07:30",
        ] {
            assert_eq!(
                Time::parse(text).map(|time| time.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in ["", "yesterday", "2024-05-01", "2024-05-01T10:00:00"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
