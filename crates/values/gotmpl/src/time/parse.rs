//! Reading a time by a layout.

use std::fmt::Write;

use super::civil::{days_in, days_since_epoch, is_leap, month_name, weekday_name};
use super::format::{Element, next};
use super::{SECOND, Time, Zone};

/// Why an element cannot be read.
enum Bad {
    /// It is not there.
    Missing,
    /// It is out of range: which.
    Range(&'static str),
}

#[derive(Default)]
struct Parts {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    am: bool,
    pm: bool,
    utc: bool,
    offset: Option<i32>,
    zone: String,
}

/// `time.quote`, which escapes bytes that are no plain ASCII.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}

pub(super) fn parse(layout: &str, text: &str, local: &mut dyn FnMut(i64) -> Zone) -> Result<Time, String> {
    let whole = format!("parsing time {}", quote(text));
    let cannot = |at: &str, element: &str| {
        format!(
            "{whole} as {}: cannot parse {} as {}",
            quote(layout),
            quote(at),
            quote(element)
        )
    };
    let mut parts = Parts::default();
    let mut rest = text;
    let mut pattern = layout;
    loop {
        let found = next(pattern);
        let prefix_end = found.map_or(pattern.len(), |(start, _, _)| start);
        let prefix = pattern.get(..prefix_end).unwrap_or_default();
        skip(&mut rest, prefix).map_err(|()| cannot(rest, prefix))?;
        let Some((start, element, len)) = found else {
            if !rest.is_empty() {
                return Err(format!("{whole}: extra text: {}", quote(rest)));
            }
            break;
        };
        let name = pattern.get(start..start + len).unwrap_or_default();
        pattern = pattern.get(start + len..).unwrap_or_default();
        let before = rest;
        match read(&mut parts, &mut rest, element, pattern) {
            Ok(()) => {}
            Err(Bad::Range(what)) => return Err(format!("{whole}: {what} out of range")),
            Err(Bad::Missing) => return Err(cannot(before, name)),
        }
    }
    finish(parts, local).map_err(|what| format!("{whole}: {what}"))
}

fn skip(text: &mut &str, prefix: &str) -> Result<(), ()> {
    let mut prefix = prefix;
    while let Some(first) = prefix.bytes().next() {
        if first == b' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return Err(());
            }
            prefix = prefix.trim_start_matches(' ');
            *text = text.trim_start_matches(' ');
            continue;
        }
        let mut ours = prefix.chars();
        let mut theirs = text.chars();
        if ours.next() != theirs.next() {
            return Err(());
        }
        prefix = ours.as_str();
        *text = theirs.as_str();
    }
    Ok(())
}

/// Takes up to `most` digits, at least `least`.
fn digits(text: &mut &str, least: usize, most: usize) -> Result<i64, Bad> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return Err(Bad::Missing);
    }
    let (number, rest) = text.split_at(count);
    *text = rest;
    number.parse().map_err(|_| Bad::Missing)
}

/// One or two digits, exactly two if fixed.
fn number(text: &mut &str, fixed: bool) -> Result<i64, Bad> {
    digits(text, if fixed { 2 } else { 1 }, 2)
}

fn lookup(text: &mut &str, names: impl Iterator<Item = &'static str>) -> Result<i64, Bad> {
    for (index, name) in names.enumerate() {
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            *text = rest;
            return i64::try_from(index).map_err(|_| Bad::Missing);
        }
    }
    Err(Bad::Missing)
}

fn in_range(value: i64, low: i64, high: i64, what: &'static str) -> Result<i64, Bad> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(Bad::Range(what))
    }
}

fn short(name: &'static str) -> &'static str {
    name.get(..3).unwrap_or(name)
}

fn fraction(text: &mut &str, count: usize) -> Result<i64, Bad> {
    let Some((digits, rest)) = text.split_at_checked(count) else {
        return Err(Bad::Missing);
    };
    if !digits.starts_with(['.', ',']) {
        return Err(Bad::Missing);
    }
    let digits = digits.get(1..).unwrap_or_default();
    *text = rest;
    let digits = digits.get(..digits.len().min(9)).unwrap_or(digits);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Bad::Missing);
    }
    format!("{digits:0<9}").parse().map_err(|_| Bad::Missing)
}

/// How long the fraction at the start is, with its point.
fn fraction_len(text: &str) -> Option<usize> {
    let digits = text
        .strip_prefix(['.', ','])?
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    (digits > 0).then_some(digits + 1)
}

fn read(parts: &mut Parts, text: &mut &str, element: Element, following: &str) -> Result<(), Bad> {
    match element {
        Element::Year => {
            let year = digits(text, 2, 2)?;
            parts.year = if year >= 69 { year + 1900 } else { year + 2000 };
        }
        Element::LongYear => parts.year = digits(text, 4, 4)?,
        Element::Month => parts.month = Some(lookup(text, (1..=12).map(|m| short(month_name(m))))? + 1),
        Element::LongMonth => parts.month = Some(lookup(text, (1..=12).map(month_name))? + 1),
        Element::NumMonth | Element::ZeroMonth => {
            parts.month = Some(in_range(
                number(text, element == Element::ZeroMonth)?,
                1,
                12,
                "month",
            )?);
        }
        Element::Weekday => {
            lookup(text, (0..7).map(|d| short(weekday_name(d))))?;
        }
        Element::LongWeekday => {
            lookup(text, (0..7).map(weekday_name))?;
        }
        Element::Day | Element::UnderDay | Element::ZeroDay => {
            if element == Element::UnderDay {
                *text = text.strip_prefix(' ').unwrap_or(text);
            }
            parts.day = Some(number(text, element == Element::ZeroDay)?);
        }
        Element::UnderYearDay | Element::ZeroYearDay => {
            let fixed = element == Element::ZeroYearDay;
            if !fixed {
                *text = text.strip_prefix(' ').unwrap_or(text);
                *text = text.strip_prefix(' ').unwrap_or(text);
            }
            parts.year_day = Some(digits(text, if fixed { 3 } else { 1 }, 3)?);
        }
        Element::Hour => parts.hour = in_range(number(text, false)?, 0, 23, "hour")?,
        Element::Hour12 | Element::ZeroHour12 => {
            parts.hour = in_range(number(text, element == Element::ZeroHour12)?, 0, 12, "hour")?;
        }
        Element::Minute | Element::ZeroMinute => {
            parts.minute = in_range(number(text, element == Element::ZeroMinute)?, 0, 59, "minute")?;
        }
        Element::Second | Element::ZeroSecond => {
            parts.second = in_range(number(text, element == Element::ZeroSecond)?, 0, 59, "second")?;
            // A fraction may follow although the layout has none.
            let in_layout = matches!(next(following), Some((_, Element::Fraction { .. }, _)));
            if !in_layout && let Some(len) = fraction_len(text) {
                parts.nanos = fraction(text, len)?;
            }
        }
        Element::Upper | Element::Lower => {
            let Some((word, rest)) = text.split_at_checked(2) else {
                return Err(Bad::Missing);
            };
            let (am, pm) = if element == Element::Upper {
                ("AM", "PM")
            } else {
                ("am", "pm")
            };
            if word == pm {
                parts.pm = true;
            } else if word == am {
                parts.am = true;
            } else {
                return Err(Bad::Missing);
            }
            *text = rest;
        }
        Element::Offset { iso: true, .. } if text.starts_with('Z') => {
            *text = text.get(1..).unwrap_or_default();
            parts.utc = true;
        }
        Element::Offset {
            colon,
            minutes,
            seconds,
            ..
        } => offset(parts, text, colon, minutes, seconds)?,
        Element::ZoneName => {
            if let Some(rest) = text.strip_prefix("UTC") {
                parts.utc = true;
                *text = rest;
                return Ok(());
            }
            let len = zone_name_len(text).ok_or(Bad::Missing)?;
            let (name, rest) = text.split_at_checked(len).ok_or(Bad::Missing)?;
            name.clone_into(&mut parts.zone);
            *text = rest;
        }
        Element::Fraction {
            fixed: true, digits, ..
        } => parts.nanos = fraction(text, digits + 1)?,
        Element::Fraction { .. } => {
            if let Some(len) = fraction_len(text) {
                parts.nanos = fraction(text, len)?;
            }
        }
    }
    Ok(())
}

fn offset(parts: &mut Parts, text: &mut &str, colon: bool, minutes: bool, seconds: bool) -> Result<(), Bad> {
    let groups = 1 + usize::from(minutes) + usize::from(seconds);
    let len = 1 + groups * 2 + if colon { groups - 1 } else { 0 };
    let (whole, rest) = text.split_at_checked(len).ok_or(Bad::Missing)?;
    let mut body = whole.get(1..).ok_or(Bad::Missing)?;
    let mut values = [0; 3];
    for (index, value) in values.iter_mut().take(groups).enumerate() {
        if colon && index > 0 {
            body = body.strip_prefix(':').ok_or(Bad::Missing)?;
        }
        *value = number(&mut body, true)?;
    }
    let [hours, minutes, seconds] = values;
    if hours > 24 {
        return Err(Bad::Range("time zone offset hour"));
    }
    if minutes > 60 {
        return Err(Bad::Range("time zone offset minute"));
    }
    if seconds > 60 {
        return Err(Bad::Range("time zone offset second"));
    }
    let total = i32::try_from((hours * 60 + minutes) * 60 + seconds).map_err(|_| Bad::Missing)?;
    parts.offset = Some(match whole.bytes().next() {
        Some(b'+') => total,
        Some(b'-') => -total,
        _ => return Err(Bad::Missing),
    });
    *text = rest;
    Ok(())
}

fn signed_offset_len(text: &str) -> usize {
    if !text.starts_with(['+', '-']) {
        return 0;
    }
    let digits = text.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    let number = text.get(1..=digits).and_then(|digits| digits.parse::<u64>().ok());
    if number.is_some_and(|number| number <= 23) {
        digits + 1
    } else {
        0
    }
}

fn zone_name_len(text: &str) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix("GMT") {
        return Some(3 + signed_offset_len(rest));
    }
    if text.starts_with(['+', '-']) {
        return Some(signed_offset_len(text)).filter(|len| *len > 0);
    }
    let upper = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
    let ends_in_t = text.as_bytes().get(upper.wrapping_sub(1)) == Some(&b'T');
    match upper {
        5 if ends_in_t => Some(5),
        4 if ends_in_t || text.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

fn finish(mut parts: Parts, local: &mut dyn FnMut(i64) -> Zone) -> Result<Time, String> {
    if parts.pm && parts.hour < 12 {
        parts.hour += 12;
    } else if parts.am && parts.hour == 12 {
        parts.hour = 0;
    }
    if let Some(year_day) = parts.year_day {
        if year_day < 1 || year_day > 365 + i64::from(is_leap(parts.year)) {
            return Err("day-of-year out of range".to_owned());
        }
        let (mut month, mut day) = (1, year_day);
        while day > days_in(month, parts.year) {
            day -= days_in(month, parts.year);
            month += 1;
        }
        if parts.month.is_some_and(|known| known != month) {
            return Err("day-of-year does not match month".to_owned());
        }
        if parts.day.is_some_and(|known| known != day) {
            return Err("day-of-year does not match day".to_owned());
        }
        parts.month = Some(month);
        parts.day = Some(day);
    }
    let (month, day) = (parts.month.unwrap_or(1), parts.day.unwrap_or(1));
    if day < 1 || day > days_in(month, parts.year) {
        return Err("day out of range".to_owned());
    }
    let days = days_since_epoch(parts.year, month, day);
    let seconds = days * 86_400 + i128::from((parts.hour * 60 + parts.minute) * 60 + parts.second);
    let nanos = seconds * SECOND + i128::from(parts.nanos);
    let seconds = i64::try_from(seconds).unwrap_or(0);
    let at = |offset: i32, zone: Zone| Time {
        nanos: nanos - i128::from(offset) * SECOND,
        zone,
    };
    if parts.utc {
        return Ok(at(0, Zone::utc()));
    }
    if let Some(offset) = parts.offset {
        let here = local(seconds - i64::from(offset));
        if here.offset == offset && (parts.zone.is_empty() || here.name == parts.zone) {
            return Ok(at(offset, here));
        }
        return Ok(at(offset, Zone::named(offset, parts.zone)));
    }
    if !parts.zone.is_empty() {
        let here = local(seconds);
        if here.name == parts.zone {
            return Ok(at(here.offset, here));
        }
        let hours: i32 = parts
            .zone
            .strip_prefix("GMT")
            .and_then(|hours| hours.parse().ok())
            .unwrap_or(0);
        // Go counts the time as UTC although it names the zone.
        return Ok(at(0, Zone::named(hours * 3600, parts.zone)));
    }
    let guess = local(seconds);
    let here = local(seconds - i64::from(guess.offset));
    Ok(at(here.offset, here))
}
