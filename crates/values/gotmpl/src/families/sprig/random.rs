//! What is random; the bytes come from the host.

use base64::Engine;

use crate::families::args::{Result, fail, int, text};
use crate::unicode::{is_digit, is_letter};
use crate::{CallError, Entry, Env, Signature, Value, ty};

/// The one that slim-sprig has too.
pub(super) static RAND_INT: &[Entry] = &[("randInt", Signature::new(&[&ty::INT, &ty::INT]), rand_int)];

pub(super) static RANDOM: &[Entry] = &[
    ("randAlphaNum", COUNT, |env, args| {
        pick(env, int(args, 0), ' ', 'z', |c| is_letter(c) || is_digit(c))
    }),
    ("randAlpha", COUNT, |env, args| {
        pick(env, int(args, 0), ' ', 'z', is_letter)
    }),
    ("randNumeric", COUNT, |env, args| {
        pick(env, int(args, 0), ' ', 'z', is_digit)
    }),
    ("randAscii", COUNT, |env, args| {
        pick(env, int(args, 0), ' ', '~', |_| true)
    }),
    ("randBytes", COUNT, rand_bytes),
    ("shuffle", Signature::new(&[&ty::STRING]), shuffle),
    ("uuidv4", Signature::new(&[]), uuid),
];

const COUNT: Signature = Signature {
    params: &[&ty::INT],
    variadic: false,
};

/// A number below the bound, each equally likely.
fn below(env: &mut Env<'_>, bound: u64) -> std::result::Result<u64, CallError> {
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        env.spend(1)?;
        let mut bytes = [0; 8];
        env.host().random(&mut bytes)?;
        let number = u64::from_be_bytes(bytes);
        if number < fair {
            return Ok(number % bound);
        }
    }
}

fn pick(env: &mut Env<'_>, count: i64, first: char, last: char, fits: fn(char) -> bool) -> Result {
    let Ok(count) = usize::try_from(count) else {
        return Ok(Value::from(""));
    };
    env.reserve(count)?;
    let choice: Vec<char> = (first..=last).filter(|c| fits(*c)).collect();
    let mut out = String::new();
    for _ in 0..count {
        let at = below(env, choice.len() as u64)?;
        out.extend(usize::try_from(at).ok().and_then(|at| choice.get(at)));
    }
    Ok(Value::from(out))
}

fn rand_int(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (low, high) = (int(args, 0), int(args, 1));
    let Some(span) = high.checked_sub(low).filter(|span| *span > 0) else {
        return Err(fail("invalid argument to Intn"));
    };
    let number = below(env, span.unsigned_abs())?;
    Ok(Value::int(low.wrapping_add_unsigned(number)))
}

fn rand_bytes(env: &mut Env<'_>, args: &[Value]) -> Result {
    let Ok(count) = usize::try_from(int(args, 0)) else {
        return Err(fail("runtime error: makeslice: len out of range"));
    };
    env.reserve(count.saturating_mul(2))?;
    let mut bytes = vec![0; count];
    env.host().random(&mut bytes)?;
    Ok(Value::from(
        base64::engine::general_purpose::STANDARD.encode(bytes),
    ))
}

fn shuffle(env: &mut Env<'_>, args: &[Value]) -> Result {
    let mut chars: Vec<char> = text(args, 0).to_str().chars().collect();
    for at in (1..chars.len()).rev() {
        let other = below(env, at as u64 + 1)?;
        chars.swap(at, usize::try_from(other).unwrap_or(at));
    }
    Ok(Value::from(chars.into_iter().collect::<String>()))
}

fn uuid(env: &mut Env<'_>, _: &[Value]) -> Result {
    let mut bytes = [0_u8; 16];
    env.host().random(&mut bytes)?;
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 4 << 76;
    number = number & !(3 << 62) | 2 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    Ok(Value::from(parts.join("-")))
}
