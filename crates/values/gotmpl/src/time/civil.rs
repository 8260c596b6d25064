//! The calendar.

use super::SECOND;

const DAY: i128 = 86_400 * SECOND;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A moment as people write it.
#[derive(Clone, Debug)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) nanos: u32,
    /// From 1.
    pub(crate) year_day: u32,
    /// Sunday is 0.
    pub(crate) weekday: u32,
}

pub(crate) fn month_name(month: u32) -> &'static str {
    (month as usize)
        .checked_sub(1)
        .and_then(|index| MONTHS.get(index))
        .copied()
        .unwrap_or_default()
}

pub(crate) fn weekday_name(weekday: u32) -> &'static str {
    WEEKDAYS.get(weekday as usize).copied().unwrap_or_default()
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date of the Gregorian calendar; months and days out of range carry over.
pub(super) fn days_since_epoch(year: i64, month: i64, day: i64) -> i128 {
    let month0 = i128::from(month) - 1;
    let year = i128::from(year) + month0.div_euclid(12);
    let month = month0.rem_euclid(12) + 1;
    // Years that begin in March have their leap day at the end.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + i128::from(day) - 1
}

fn small(value: i128) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

impl Civil {
    /// Of nanoseconds since 1970.
    pub(crate) fn new(nanos: i128) -> Self {
        let days = nanos.div_euclid(DAY);
        let rest = nanos.rem_euclid(DAY);
        let seconds = rest / SECOND;
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        let year = era * 400 + year_of_era + i128::from(month <= 2);
        let year = i64::try_from(year).unwrap_or(i64::MAX);
        Self {
            year,
            month: small(month),
            day: small(day),
            hour: small(seconds / 3600),
            minute: small(seconds / 60 % 60),
            second: small(seconds % 60),
            nanos: small(rest % SECOND),
            year_day: small(days - days_since_epoch(year, 1, 1) + 1),
            weekday: small((days + 4).rem_euclid(7)),
        }
    }

    /// Nanoseconds since 1970, some years, months and days later.
    pub(super) fn plus_date(&self, years: i64, months: i64, days: i64) -> i128 {
        let year = self.year.saturating_add(years);
        let month = i64::from(self.month).saturating_add(months);
        let day = i64::from(self.day).saturating_add(days);
        let seconds = i128::from(self.hour) * 3600 + i128::from(self.minute) * 60 + i128::from(self.second);
        days_since_epoch(year, month, day) * DAY + seconds * SECOND + i128::from(self.nanos)
    }
}
