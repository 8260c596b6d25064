//! Go durations: what `metav1.Duration` fields and Flux's flags hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds in a second, the unit in which formatting switches from fractions to hours and minutes.
const SECOND: u64 = 1_000_000_000;

/// One more than the largest positive count, and the size of the largest negative one.
const LIMIT: u64 = 1 << 63;

/// A signed span of time in nanoseconds, read and printed as Go's `time.Duration`.
///
/// It serialises as `metav1.Duration` does: as the printed text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// Why a text is no duration. The messages are Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// It does not have the shape of a duration, or is too large.
    #[error("time: invalid duration {}", Quoted(.0))]
    Invalid(String),
    /// A number has no unit behind it.
    #[error("time: missing unit in duration {}", Quoted(.0))]
    MissingUnit(String),
    /// A unit is none that Go knows.
    #[error("time: unknown unit {} in duration {}", Quoted(.unit), Quoted(.text))]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// A span that the other type cannot hold: negative, or longer than some 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("duration out of range")]
pub struct OutOfRange;

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A span of `secs` seconds, at most the longest span there is.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The count of nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The count of seconds, as a fraction.
    #[expect(
        clippy::cast_precision_loss,
        reason = "Go's Seconds() gives the nearest float as well"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The standard library's type; nothing for a negative span.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().map(std::time::Duration::from_nanos)
    }

    /// Reads what Go's `time.ParseDuration` reads: signed decimal numbers, each with a unit, as `300ms`,
    /// `-1.5h` or `2h45m`. Units are `ns`, `us` (`µs`), `ms`, `s`, `m`, `h`. Only `0` needs no unit.
    ///
    /// # Errors
    /// See [`DurationError`].
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = take_number(rest).ok_or_else(invalid)?;
            let end = after
                .find(|c: char| c == '.' || c.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            if unit.is_empty() {
                return Err(DurationError::MissingUnit(text.to_owned()));
            }
            let scale = unit_nanos(unit).ok_or_else(|| DurationError::UnknownUnit {
                unit: unit.to_owned(),
                text: text.to_owned(),
            })?;
            let span = number.times(scale).ok_or_else(invalid)?;
            total = total
                .checked_add(span)
                .filter(|total| *total <= LIMIT)
                .ok_or_else(invalid)?;
            rest = after;
        }
        match (i64::try_from(total), negative) {
            (Ok(nanos), false) => Ok(Self(nanos)),
            (Ok(nanos), true) => Ok(Self(-nanos)),
            // The one number that exists only with a minus sign.
            (Err(_), true) => Ok(Self(i64::MIN)),
            (Err(_), false) => Err(invalid()),
        }
    }
}

impl fmt::Display for Duration {
    /// Prints as Go does: `0s`, `1.5µs`, `250ms`, `1m0s`, `2h45m0.5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write!(f, "{}µs", Decimal(nanos, 1_000)),
            1_000_000..SECOND => write!(f, "{}ms", Decimal(nanos, 1_000_000)),
            _ => {
                let (minutes, in_minute) = (nanos / (60 * SECOND), nanos % (60 * SECOND));
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                write!(f, "{}s", Decimal(in_minute, SECOND))
            }
        }
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        Self::parse(text)
    }
}

impl TryFrom<std::time::Duration> for Duration {
    type Error = OutOfRange;

    fn try_from(span: std::time::Duration) -> Result<Self, OutOfRange> {
        i64::try_from(span.as_nanos()).map(Self).map_err(|_| OutOfRange)
    }
}

impl TryFrom<Duration> for std::time::Duration {
    type Error = OutOfRange;

    fn try_from(span: Duration) -> Result<Self, OutOfRange> {
        span.to_std().ok_or(OutOfRange)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A number as `whole + fraction / scale`.
struct Number {
    whole: u64,
    fraction: u64,
    scale: f64,
}

impl Number {
    /// The number of nanoseconds of so many units, rounded down; nothing when it is too large.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Go multiplies the fraction as a float and cuts it; the result must be the same"
    )]
    fn times(&self, unit: u64) -> Option<u64> {
        if self.whole > LIMIT / unit {
            return None;
        }
        let whole = self.whole.checked_mul(unit)?;
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        whole.checked_add(fraction).filter(|nanos| *nanos <= LIMIT)
    }
}

/// Takes `[0-9]*(\.[0-9]*)?` with at least one digit off the front.
fn take_number(text: &str) -> Option<(Number, &str)> {
    let (digits, rest) = take_digits(text);
    let whole = digits.bytes().try_fold(0_u64, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))
            .filter(|value| *value <= LIMIT)
    })?;
    let (decimals, rest) = match rest.strip_prefix('.') {
        Some(rest) => take_digits(rest),
        None => ("", rest),
    };
    if digits.is_empty() && decimals.is_empty() {
        return None;
    }
    let (mut fraction, mut scale) = (0_u64, 1.0_f64);
    for digit in decimals.bytes() {
        // Digits that no longer fit add no precision and are dropped.
        if fraction > (LIMIT - 1) / 10 {
            break;
        }
        fraction = fraction * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    Some((
        Number {
            whole,
            fraction,
            scale,
        },
        rest,
    ))
}

fn take_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        _ => return None,
    })
}

/// Prints the quotient of two numbers without trailing zeros; the second is a power of ten.
struct Decimal(u64, u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / self.1)?;
        let fraction = self.0 % self.1;
        if fraction == 0 {
            return Ok(());
        }
        let width = self.1.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// Prints a text in quotes as Go's time package does.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for byte in self.0.bytes() {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                b' '..=b'~' | 0x7f => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests;
