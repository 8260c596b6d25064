//! Go's layouts, which show how the second of January 2006 would look.

use std::fmt::Write;

use super::Zone;
use super::civil::{Civil, month_name, weekday_name};

/// One element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Upper,
    Lower,
    ZoneName,
    /// `Z07:00` and its kin: `Z` stands for UTC.
    Offset {
        iso: bool,
        colon: bool,
        minutes: bool,
        seconds: bool,
    },
    /// `.000`, or without zeros at the end `.999`; how many digits.
    Fraction {
        fixed: bool,
        digits: usize,
        comma: bool,
    },
}

/// Where the next element is: its start, what it is, how long.
pub(super) fn next(layout: &str) -> Option<(usize, Element, usize)> {
    let bytes = layout.as_bytes();
    for at in 0..bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some((element, skip, len)) = element(rest) {
            return Some((at + skip, element, len));
        }
    }
    None
}

/// The element at the start of the text: what, how many bytes of it are literal, how long.
fn element(rest: &[u8]) -> Option<(Element, usize, usize)> {
    use Element as E;
    let starts = |text: &str| rest.starts_with(text.as_bytes());
    let no_small_letter = |at: usize| !rest.get(at).is_some_and(u8::is_ascii_lowercase);
    let plain = |element, len| Some((element, 0, len));
    let offset = |iso: bool| {
        let tail = rest.get(1..).unwrap_or_default();
        let found = |minutes, seconds, colon, len| {
            Some((
                E::Offset {
                    iso,
                    colon,
                    minutes,
                    seconds,
                },
                0,
                len,
            ))
        };
        if tail.starts_with(b"070000") {
            found(true, true, false, 7)
        } else if tail.starts_with(b"07:00:00") {
            found(true, true, true, 9)
        } else if tail.starts_with(b"0700") {
            found(true, false, false, 5)
        } else if tail.starts_with(b"07:00") {
            found(true, false, true, 6)
        } else if tail.starts_with(b"07") {
            found(false, false, false, 3)
        } else {
            None
        }
    };
    match rest.first()? {
        b'J' if starts("January") => plain(E::LongMonth, 7),
        b'J' if starts("Jan") && no_small_letter(3) => plain(E::Month, 3),
        b'M' if starts("Monday") => plain(E::LongWeekday, 6),
        b'M' if starts("Mon") && no_small_letter(3) => plain(E::Weekday, 3),
        b'M' if starts("MST") => plain(E::ZoneName, 3),
        b'0' => match (rest.get(1), rest.get(2)) {
            (Some(b'1'), _) => plain(E::ZeroMonth, 2),
            (Some(b'2'), _) => plain(E::ZeroDay, 2),
            (Some(b'3'), _) => plain(E::ZeroHour12, 2),
            (Some(b'4'), _) => plain(E::ZeroMinute, 2),
            (Some(b'5'), _) => plain(E::ZeroSecond, 2),
            (Some(b'6'), _) => plain(E::Year, 2),
            (Some(b'0'), Some(b'2')) => plain(E::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if starts("15") => plain(E::Hour, 2),
        b'1' => plain(E::NumMonth, 1),
        b'2' if starts("2006") => plain(E::LongYear, 4),
        b'2' => plain(E::Day, 1),
        b'_' if starts("_2006") => Some((E::LongYear, 1, 4)),
        b'_' if starts("_2") => plain(E::UnderDay, 2),
        b'_' if starts("__2") => plain(E::UnderYearDay, 3),
        b'3' => plain(E::Hour12, 1),
        b'4' => plain(E::Minute, 1),
        b'5' => plain(E::Second, 1),
        b'P' if starts("PM") => plain(E::Upper, 2),
        b'p' if starts("pm") => plain(E::Lower, 2),
        b'-' => offset(false),
        b'Z' => offset(true),
        point @ (b'.' | b',') => {
            let digit = rest.get(1).filter(|b| matches!(b, b'0' | b'9'))?;
            let digits = rest.iter().skip(1).take_while(|b| *b == digit).count();
            if rest.get(digits + 1).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            plain(
                E::Fraction {
                    fixed: *digit == b'0',
                    digits,
                    comma: *point == b',',
                },
                digits + 1,
            )
        }
        _ => None,
    }
}

/// `time.Format`
pub(super) fn format(time: &Civil, zone: &Zone, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some((start, element, len)) = next(rest) {
        out.push_str(rest.get(..start).unwrap_or_default());
        rest = rest.get(start + len..).unwrap_or_default();
        write_element(&mut out, time, zone, element);
    }
    out.push_str(rest);
    out
}

fn write_element(out: &mut String, time: &Civil, zone: &Zone, element: Element) {
    let hour12 = if time.hour.is_multiple_of(12) {
        12
    } else {
        time.hour % 12
    };
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let _ = match element {
        Element::LongMonth => write!(out, "{}", month_name(time.month)),
        Element::Month => write!(out, "{}", short(month_name(time.month))),
        Element::NumMonth => write!(out, "{}", time.month),
        Element::ZeroMonth => write!(out, "{:02}", time.month),
        Element::LongWeekday => write!(out, "{}", weekday_name(time.weekday)),
        Element::Weekday => write!(out, "{}", short(weekday_name(time.weekday))),
        Element::Day => write!(out, "{}", time.day),
        Element::UnderDay => write!(out, "{:2}", time.day),
        Element::ZeroDay => write!(out, "{:02}", time.day),
        Element::UnderYearDay => write!(out, "{:3}", time.year_day),
        Element::ZeroYearDay => write!(out, "{:03}", time.year_day),
        Element::Hour => write!(out, "{:02}", time.hour),
        Element::Hour12 => write!(out, "{hour12}"),
        Element::ZeroHour12 => write!(out, "{hour12:02}"),
        Element::Minute => write!(out, "{}", time.minute),
        Element::ZeroMinute => write!(out, "{:02}", time.minute),
        Element::Second => write!(out, "{}", time.second),
        Element::ZeroSecond => write!(out, "{:02}", time.second),
        Element::LongYear if time.year < 0 => write!(out, "-{:04}", -time.year),
        Element::LongYear => write!(out, "{:04}", time.year),
        Element::Year => write!(out, "{:02}", time.year.abs() % 100),
        Element::Upper => write!(out, "{}", if time.hour >= 12 { "PM" } else { "AM" }),
        Element::Lower => write!(out, "{}", if time.hour >= 12 { "pm" } else { "am" }),
        Element::ZoneName if zone.name.is_empty() => {
            let minutes = zone.offset / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(out, "{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        Element::ZoneName => write!(out, "{}", zone.name),
        Element::Offset { iso: true, .. } if zone.offset == 0 => write!(out, "Z"),
        Element::Offset {
            colon,
            minutes,
            seconds,
            ..
        } => {
            write_offset(out, zone.offset, colon, minutes, seconds);
            Ok(())
        }
        Element::Fraction { fixed, digits, comma } => {
            let text = format!("{:09}", time.nanos);
            let mut text = text.get(..digits.min(9)).unwrap_or(&text);
            if !fixed {
                text = text.trim_end_matches('0');
            }
            if fixed || !text.is_empty() {
                write!(out, "{}{text}", if comma { ',' } else { '.' })
            } else {
                Ok(())
            }
        }
    };
}

fn write_offset(out: &mut String, offset: i32, colon: bool, minutes: bool, seconds: bool) {
    let in_minutes = offset / 60;
    let _ = write!(
        out,
        "{}{:02}",
        if in_minutes < 0 { '-' } else { '+' },
        in_minutes.abs() / 60
    );
    if colon {
        out.push(':');
    }
    if minutes {
        let _ = write!(out, "{:02}", in_minutes.abs() % 60);
    }
    if seconds {
        if colon {
            out.push(':');
        }
        let _ = write!(out, "{:02}", offset.abs() % 60);
    }
}
