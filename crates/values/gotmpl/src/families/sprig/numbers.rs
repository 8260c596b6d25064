//! Arithmetic.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

use super::decimal::Decimal;
use crate::families::args::{Result, fail, float_to_int, int, string, to_float64, to_int64, value};
use crate::{CallError, Entry, Env, List, Signature, Value, fmt, ty};

pub(crate) static NUMBERS: &[Entry] = &[
    ("atoi", Signature::new(&[&ty::STRING]), |_, args| {
        let text = string(args, 0);
        let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        // Go's Atoi gives the nearest number when it does not fit.
        let out_of_range = if text.starts_with('-') { i64::MIN } else { i64::MAX };
        Ok(Value::int(if is_number {
            text.parse().unwrap_or(out_of_range)
        } else {
            0
        }))
    }),
    ("int64", ONE, |_, args| {
        Ok(Value::int64(to_int64(&value(args, 0))))
    }),
    ("int", ONE, |_, args| Ok(Value::int(to_int64(&value(args, 0))))),
    ("float64", ONE, |_, args| {
        Ok(Value::float(to_float64(&value(args, 0))))
    }),
    ("toDecimal", ONE, to_decimal),
    ("seq", Signature::variadic(&[&ty::INT]), seq),
    ("until", Signature::new(&[&ty::INT]), |env, args| {
        let count = int(args, 0);
        numbers(env, 0, count, if count < 0 { -1 } else { 1 }).map(list)
    }),
    (
        "untilStep",
        Signature::new(&[&ty::INT, &ty::INT, &ty::INT]),
        |env, args| numbers(env, int(args, 0), int(args, 1), int(args, 2)).map(list),
    ),
    ("add1", ONE, |_, args| {
        Ok(Value::int64(to_int64(&value(args, 0)).wrapping_add(1)))
    }),
    ("add", ANY, |_, args| {
        Ok(Value::int64(args.iter().map(to_int64).fold(0, i64::wrapping_add)))
    }),
    ("sub", TWO, |_, args| {
        Ok(Value::int64(
            to_int64(&value(args, 0)).wrapping_sub(to_int64(&value(args, 1))),
        ))
    }),
    ("div", TWO, |_, args| divide(args, i64::wrapping_div)),
    ("mod", TWO, |_, args| divide(args, i64::wrapping_rem)),
    ("mul", ONE_OR_MORE, |_, args| {
        Ok(Value::int64(args.iter().map(to_int64).fold(1, i64::wrapping_mul)))
    }),
    ("max", ONE_OR_MORE, |_, args| {
        Ok(Value::int64(args.iter().map(to_int64).max().unwrap_or(0)))
    }),
    ("biggest", ONE_OR_MORE, |_, args| {
        Ok(Value::int64(args.iter().map(to_int64).max().unwrap_or(0)))
    }),
    ("min", ONE_OR_MORE, |_, args| {
        Ok(Value::int64(args.iter().map(to_int64).min().unwrap_or(0)))
    }),
    ("maxf", ONE_OR_MORE, |_, args| Ok(Value::float(fold(args, max)))),
    ("minf", ONE_OR_MORE, |_, args| {
        Ok(Value::float(fold(args, |a, b| -max(-a, -b))))
    }),
    ("ceil", ONE, |_, args| {
        Ok(Value::float(to_float64(&value(args, 0)).ceil()))
    }),
    ("floor", ONE, |_, args| {
        Ok(Value::float(to_float64(&value(args, 0)).floor()))
    }),
    (
        "round",
        Signature::variadic(&[&ty::ANY, &ty::INT, &ty::FLOAT64]),
        round,
    ),
    ("add1f", ONE, |_, args| {
        decimals(&value(args, 0), &[Value::int(1)], Decimal::add)
    }),
    ("addf", ANY, |_, args| {
        decimals(&Value::float(0.0), args, Decimal::add)
    }),
    ("subf", ONE_OR_MORE, |_, args| chain(args, Decimal::subtract)),
    ("divf", ONE_OR_MORE, |_, args| chain(args, Decimal::divide)),
    ("mulf", ONE_OR_MORE, |_, args| chain(args, Decimal::multiply)),
];

const ONE: Signature = Signature {
    params: &[&ty::ANY],
    variadic: false,
};
const TWO: Signature = Signature {
    params: &[&ty::ANY, &ty::ANY],
    variadic: false,
};
const ANY: Signature = Signature {
    params: &[&ty::ANY],
    variadic: true,
};
const ONE_OR_MORE: Signature = Signature {
    params: &[&ty::ANY, &ty::ANY],
    variadic: true,
};

fn divide(args: &[Value], operation: fn(i64, i64) -> i64) -> Result {
    let (a, b) = (to_int64(&value(args, 0)), to_int64(&value(args, 1)));
    if b == 0 {
        return Err(fail("runtime error: integer divide by zero"));
    }
    Ok(Value::int64(operation(a, b)))
}

/// `math.Max`
fn max(a: f64, b: f64) -> f64 {
    if a.is_infinite() && a > 0.0 || b.is_infinite() && b > 0.0 {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

fn fold(args: &[Value], operation: fn(f64, f64) -> f64) -> f64 {
    args.iter().map(to_float64).reduce(operation).unwrap_or(0.0)
}

fn to_decimal(env: &mut Env<'_>, args: &[Value]) -> Result {
    let text = fmt::print(env, &[value(args, 0)])?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'7'));
    Ok(Value::int64(if is_octal {
        i64::from_str_radix(&text, 8).unwrap_or(0)
    } else {
        0
    }))
}

fn numbers(env: &mut Env<'_>, start: i64, stop: i64, step: i64) -> std::result::Result<Vec<i64>, CallError> {
    if stop < start && step >= 0 || stop >= start && step <= 0 {
        return Ok(Vec::new());
    }
    let distance = stop.abs_diff(start);
    let count = distance.div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    env.spend(count)?;
    env.reserve(count.saturating_mul(8))?;
    let mut out = Vec::with_capacity(count);
    let mut at = start;
    for _ in 0..count {
        out.push(at);
        at = at.wrapping_add(step);
    }
    Ok(out)
}

fn list(numbers: Vec<i64>) -> Value {
    List::of(&ty::LIST_INT, numbers.into_iter().map(Value::int).collect()).into()
}

fn seq(env: &mut Env<'_>, args: &[Value]) -> Result {
    let all = match args.len() {
        1 => {
            let end = int(args, 0);
            let step = if end < 1 { -1 } else { 1 };
            numbers(env, 1, end.wrapping_add(step), step)?
        }
        2 => {
            let (start, end) = (int(args, 0), int(args, 1));
            let step = if end < start { -1 } else { 1 };
            numbers(env, start, end.wrapping_add(step), step)?
        }
        3 => {
            let (start, step, end) = (int(args, 0), int(args, 1), int(args, 2));
            let one = if end < start { -1 } else { 1 };
            if one < 0 && step > 0 {
                return Ok(Value::from(""));
            }
            numbers(env, start, end.wrapping_add(one), step)?
        }
        _ => Vec::new(),
    };
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    Ok(Value::from(texts.join(" ")))
}

#[expect(clippy::cast_precision_loss, reason = "Go converts so")]
fn round(_: &mut Env<'_>, args: &[Value]) -> Result {
    let threshold = match args.get(2) {
        Some(Value::Float(threshold, _)) => *threshold,
        _ => 0.5,
    };
    let power = power_of_ten(int(args, 1) as f64);
    let scaled = power * to_float64(&value(args, 0));
    let fraction = scaled - scaled.trunc();
    let rounded = if fraction >= threshold {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok(Value::float(rounded / power))
}

/// `math.Pow(10, exponent)`
fn power_of_ten(exponent: f64) -> f64 {
    // Reading the decimal notation gives the nearest float, and so does Go's Pow in the range that matters.
    format!("1e{}", float_to_int(exponent))
        .parse()
        .unwrap_or(f64::NAN)
}

fn decimals(first: &Value, rest: &[Value], operation: fn(Decimal, Decimal) -> Option<Decimal>) -> Result {
    let mut result = Decimal::from_float(to_float64(first))?;
    for next in rest {
        let next = Decimal::from_float(to_float64(next))?;
        result = operation(result, next).ok_or_else(|| fail("decimal division by 0"))?;
    }
    Ok(Value::float(result.to_float()))
}

fn chain(args: &[Value], operation: fn(Decimal, Decimal) -> Option<Decimal>) -> Result {
    match args.split_first() {
        Some((first, rest)) => decimals(first, rest, operation),
        None => Ok(Value::float(0.0)),
    }
}
