//! Dates.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

use weir_semver::duration::Duration;

use crate::families::args::{Result, fail, string, value};
use crate::time::{Time, Zone};
use crate::{CallError, Entry, Env, Signature, Value, ty};

pub(super) static DATES: &[Entry] = &[
    ("now", Signature::new(&[]), |env, _| {
        now(env).map(Time::into_value)
    }),
    ("date", FORMAT, |env, args| {
        in_zone(env, &string(args, 0), &value(args, 1), "Local")
    }),
    ("dateInZone", ZONED, |env, args| {
        in_zone(env, &string(args, 0), &value(args, 1), &string(args, 2))
    }),
    ("date_in_zone", ZONED, |env, args| {
        in_zone(env, &string(args, 0), &value(args, 1), &string(args, 2))
    }),
    ("htmlDate", Signature::new(&[&ty::ANY]), |env, args| {
        in_zone(env, "2006-01-02", &value(args, 0), "Local")
    }),
    (
        "htmlDateInZone",
        Signature::new(&[&ty::ANY, &ty::STRING]),
        |env, args| in_zone(env, "2006-01-02", &value(args, 0), &string(args, 1)),
    ),
    ("dateModify", MODIFY, |_, args| {
        Ok(modify(args).unwrap_or_else(|_| value(args, 1)))
    }),
    ("date_modify", MODIFY, |_, args| {
        Ok(modify(args).unwrap_or_else(|_| value(args, 1)))
    }),
    ("mustDateModify", MODIFY, |_, args| modify(args)),
    ("must_date_modify", MODIFY, |_, args| modify(args)),
    ("ago", Signature::new(&[&ty::ANY]), ago),
    ("duration", Signature::new(&[&ty::ANY]), duration),
    ("durationRound", Signature::new(&[&ty::ANY]), duration_round),
    ("toDate", PARSE, |env, args| {
        Ok(parse(env, args)?.unwrap_or_else(|_| Time::zero()).into_value())
    }),
    ("mustToDate", PARSE, |env, args| {
        parse(env, args)?.map(Time::into_value).map_err(fail)
    }),
    ("unixEpoch", Signature::new(&[&ty::TIME]), |_, args| {
        Ok(Value::from(
            time(&value(args, 0))
                .unwrap_or_else(Time::zero)
                .seconds()
                .to_string(),
        ))
    }),
];

const FORMAT: Signature = Signature {
    params: &[&ty::STRING, &ty::ANY],
    variadic: false,
};
const ZONED: Signature = Signature {
    params: &[&ty::STRING, &ty::ANY, &ty::STRING],
    variadic: false,
};
const MODIFY: Signature = Signature {
    params: &[&ty::STRING, &ty::TIME],
    variadic: false,
};
const PARSE: Signature = Signature {
    params: &[&ty::STRING, &ty::STRING],
    variadic: false,
};
const SECOND: i64 = 1_000_000_000;

fn time(value: &Value) -> Option<Time> {
    value.downcast::<Time>().cloned()
}

fn now(env: &mut Env<'_>) -> std::result::Result<Time, CallError> {
    let nanos = env.host().now()?;
    let time = Time::from_nanos(nanos);
    let (offset, name) = env.host().local_zone(time.seconds());
    Ok(time.in_zone(Zone::local(offset, name)))
}

/// The time that a value stands for; otherwise now.
fn moment(env: &mut Env<'_>, value: &Value) -> std::result::Result<Time, CallError> {
    match value {
        Value::Int(seconds, own) if [&ty::INT, &ty::INT64, &ty::INT32].iter().any(|ty| ty.same(own)) => {
            Ok(Time::from_seconds(*seconds))
        }
        other => match time(other) {
            Some(time) => Ok(time),
            None => now(env),
        },
    }
}

fn in_zone(env: &mut Env<'_>, layout: &str, value: &Value, zone: &str) -> Result {
    let time = moment(env, value)?;
    let seconds = time.seconds();
    let zone = match zone {
        "Local" => {
            let (offset, name) = env.host().local_zone(seconds);
            Zone::local(offset, name)
        }
        name => match env.host().zone(name, seconds) {
            Some((offset, name)) => Zone::named(offset, name),
            None => Zone::utc(),
        },
    };
    Ok(Value::from(time.in_zone(zone).format(layout)))
}

fn modify(args: &[Value]) -> Result {
    let span = Duration::parse(&string(args, 0)).map_err(|error| fail(error.to_string()))?;
    let time = time(&value(args, 1)).unwrap_or_else(Time::zero);
    Ok(time.plus(span.as_nanos()).into_value())
}

fn ago(env: &mut Env<'_>, args: &[Value]) -> Result {
    let now = now(env)?;
    let then = match value(args, 0) {
        Value::Int(seconds, own) if ty::INT.same(own) || ty::INT64.same(own) => Time::from_seconds(seconds),
        other => time(&other).unwrap_or_else(|| now.clone()),
    };
    let nanos = now.since(&then);
    // Rounded to seconds, half away from zero.
    let half = if nanos < 0 { -SECOND / 2 } else { SECOND / 2 };
    let rounded = nanos.saturating_add(half) / SECOND * SECOND;
    Ok(Value::from(Duration::from_nanos(rounded).to_string()))
}

fn duration(_: &mut Env<'_>, args: &[Value]) -> Result {
    let seconds = match value(args, 0) {
        Value::Str(text) => text.as_str().map_or(0, |text| {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let out_of_range = if text.starts_with('-') { i64::MIN } else { i64::MAX };
            if is_number {
                text.parse().unwrap_or(out_of_range)
            } else {
                0
            }
        }),
        Value::Int(seconds, own) if ty::INT64.same(own) => seconds,
        _ => 0,
    };
    Ok(Value::from(
        Duration::from_nanos(seconds.wrapping_mul(SECOND)).to_string(),
    ))
}

fn duration_round(env: &mut Env<'_>, args: &[Value]) -> Result {
    let nanos = match value(args, 0) {
        Value::Str(text) => Duration::parse(&text.to_str()).map_or(0, Duration::as_nanos),
        Value::Int(nanos, own) if ty::INT64.same(own) => nanos,
        other => match time(&other) {
            Some(then) => now(env)?.since(&then),
            None => 0,
        },
    };
    let span = nanos.unsigned_abs();
    let hour = 3_600 * SECOND.unsigned_abs();
    let units = [
        (hour * 24 * 365, "y"),
        (hour * 24 * 30, "mo"),
        (hour * 24, "d"),
        (hour, "h"),
        (hour / 60, "m"),
        (hour / 3_600, "s"),
    ];
    let rounded = units
        .iter()
        .find(|(unit, _)| span > *unit)
        .map(|(unit, name)| format!("{}{name}", span / unit));
    Ok(Value::from(rounded.unwrap_or_else(|| "0s".to_owned())))
}

fn parse(
    env: &mut Env<'_>,
    args: &[Value],
) -> std::result::Result<std::result::Result<Time, String>, CallError> {
    let (layout, text) = (string(args, 0), string(args, 1));
    Ok(Time::parse(&layout, &text, &mut |seconds| {
        let (offset, name) = env.host().local_zone(seconds);
        Zone::local(offset, name)
    }))
}
