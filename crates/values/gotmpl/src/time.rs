//! Moments, and Go's layouts.

mod civil;
mod format;
mod parse;

use crate::types::Kind;
use crate::{CallError, Env, Object, Shape, Signature, Str, Type, Value, ty};

pub(crate) use civil::Civil;

/// A second in nanoseconds.
const SECOND: i128 = 1_000_000_000;

/// Where a moment is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Seconds ahead of UTC.
    pub(crate) offset: i32,
    /// The abbreviation; empty if there is none.
    pub(crate) name: String,
    kind: ZoneKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ZoneKind {
    Utc,
    Local,
    Other,
}

impl Zone {
    pub(crate) fn utc() -> Self {
        Self {
            offset: 0,
            name: "UTC".to_owned(),
            kind: ZoneKind::Utc,
        }
    }

    pub(crate) fn local(offset: i32, name: String) -> Self {
        Self {
            offset,
            name,
            kind: ZoneKind::Local,
        }
    }

    pub(crate) fn named(offset: i32, name: String) -> Self {
        Self {
            offset,
            name,
            kind: ZoneKind::Other,
        }
    }
}

/// Go's `time.Time`.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Since 1970 UTC.
    nanos: i128,
    zone: Zone,
}

impl Time {
    /// Go's zero: the first of January of the year 1.
    pub(crate) fn zero() -> Self {
        Self {
            nanos: -62_135_596_800 * SECOND,
            zone: Zone::utc(),
        }
    }

    pub(crate) fn from_nanos(nanos: i128) -> Self {
        Self {
            nanos,
            zone: Zone::utc(),
        }
    }

    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self::from_nanos(i128::from(seconds) * SECOND)
    }

    pub(crate) fn seconds(&self) -> i64 {
        i64::try_from(self.nanos.div_euclid(SECOND)).unwrap_or(i64::MAX)
    }

    #[must_use]
    pub(crate) fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    #[must_use]
    pub(crate) fn plus(mut self, nanos: i64) -> Self {
        self.nanos += i128::from(nanos);
        self
    }

    /// Nanoseconds from the other to this, at most what fits.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let nanos = self.nanos - other.nanos;
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    pub(crate) fn into_value(self) -> Value {
        Value::object(self)
    }

    fn civil(&self) -> Civil {
        Civil::new(self.nanos + i128::from(self.zone.offset) * SECOND)
    }

    pub(crate) fn format(&self, layout: &str) -> String {
        format::format(&self.civil(), &self.zone, layout)
    }

    /// `time.ParseInLocation`, local time where the text names no zone; an error is Go's text.
    pub(crate) fn parse(
        layout: &str,
        text: &str,
        local: &mut dyn FnMut(i64) -> Zone,
    ) -> Result<Self, String> {
        parse::parse(layout, text, local)
    }
}

static NONE: Signature = Signature::new(&[]);
static FORMAT: Signature = Signature::new(&[&ty::STRING]);
static DURATION: Signature = Signature::new(&[&ty::DURATION]);
static OTHER: Signature = Signature::new(&[&ty::TIME]);
static DATE: Signature = Signature::new(&[&ty::INT, &ty::INT, &ty::INT]);
static MONTH: crate::TypeInfo = crate::TypeInfo::new("time.Month", Kind::Int, None);
static WEEKDAY: crate::TypeInfo = crate::TypeInfo::new("time.Weekday", Kind::Int, None);

/// A `time.Month` or `time.Weekday`: a number that prints as a name.
struct Named {
    number: i64,
    name: &'static str,
    ty: Type,
}

impl Object for Named {
    fn ty(&self) -> Type {
        self.ty
    }

    fn shape(&self) -> Shape {
        Shape::Opaque
    }

    fn text(&self) -> Option<Str> {
        Some(self.name.into())
    }

    fn encoded(&self) -> Option<Value> {
        Some(Value::int(self.number))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "String").then_some(&NONE)
    }

    fn call(&self, _: &str, _: &mut Env<'_>, _: &[Value]) -> Result<Value, CallError> {
        Ok(Value::from(self.name))
    }
}

impl Object for Time {
    fn ty(&self) -> Type {
        &ty::TIME
    }

    fn shape(&self) -> Shape {
        Shape::Struct(Vec::new())
    }

    fn text(&self) -> Option<Str> {
        Some(self.format("2006-01-02 15:04:05.999999999 -0700 MST").into())
    }

    fn encoded(&self) -> Option<Value> {
        Some(Value::from(self.format("2006-01-02T15:04:05.999999999Z07:00")))
    }

    fn equals(&self, other: &dyn Object) -> Option<bool> {
        let other = (other as &dyn std::any::Any).downcast_ref::<Self>()?;
        Some(self.nanos == other.nanos && self.zone == other.zone)
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "YearDay"
            | "Weekday" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "UTC" | "Local" | "String"
            | "IsZero" => Some(&NONE),
            "Format" => Some(&FORMAT),
            "Add" | "Truncate" | "Round" => Some(&DURATION),
            "AddDate" => Some(&DATE),
            "Sub" | "Before" | "After" | "Equal" | "Compare" => Some(&OTHER),
            _ => None,
        }
    }

    fn call(&self, name: &str, env: &mut Env<'_>, args: &[Value]) -> Result<Value, CallError> {
        let civil = self.civil();
        let other = args.first().and_then(Value::downcast::<Self>);
        let order = other.map(|other| self.nanos.cmp(&other.nanos));
        let number = |index: usize| match args.get(index) {
            Some(Value::Int(number, _)) => *number,
            _ => 0,
        };
        let since_epoch =
            |unit: i128| Value::int64(i64::try_from(self.nanos.div_euclid(unit)).unwrap_or(i64::MAX));
        Ok(match name {
            "Year" => Value::int(civil.year),
            "Month" => Value::object(Named {
                number: i64::from(civil.month),
                name: civil::month_name(civil.month),
                ty: &MONTH,
            }),
            "Day" => Value::int(i64::from(civil.day)),
            "Hour" => Value::int(i64::from(civil.hour)),
            "Minute" => Value::int(i64::from(civil.minute)),
            "Second" => Value::int(i64::from(civil.second)),
            "Nanosecond" => Value::int(i64::from(civil.nanos)),
            "YearDay" => Value::int(i64::from(civil.year_day)),
            "Weekday" => Value::object(Named {
                number: i64::from(civil.weekday),
                name: civil::weekday_name(civil.weekday),
                ty: &WEEKDAY,
            }),
            "Unix" => Value::int64(self.seconds()),
            "UnixMilli" => since_epoch(1_000_000),
            "UnixMicro" => since_epoch(1_000),
            "UnixNano" => since_epoch(1),
            "UTC" => self.clone().in_zone(Zone::utc()).into_value(),
            "Local" => {
                let (offset, name) = env.host().local_zone(self.seconds());
                self.clone().in_zone(Zone::local(offset, name)).into_value()
            }
            "IsZero" => Value::Bool(self.nanos == Self::zero().nanos),
            "Format" => Value::from(self.format(args.first().and_then(Value::as_str).unwrap_or_default())),
            "Add" => self.clone().plus(number(0)).into_value(),
            "Truncate" | "Round" => {
                let unit = i128::from(number(0));
                let mut rounded = self.clone();
                if unit > 0 {
                    // Counted from the zero time.
                    let rest = (self.nanos - Self::zero().nanos).rem_euclid(unit);
                    rounded.nanos -= rest;
                    if name == "Round" && rest * 2 >= unit {
                        rounded.nanos += unit;
                    }
                }
                rounded.into_value()
            }
            "AddDate" => {
                let moved = civil.plus_date(number(0), number(1), number(2));
                let nanos = moved - i128::from(self.zone.offset) * SECOND;
                Self {
                    nanos,
                    zone: self.zone.clone(),
                }
                .into_value()
            }
            "Sub" => Value::Int(other.map_or(0, |other| self.since(other)), &ty::DURATION),
            "Before" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_lt)),
            "After" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_gt)),
            "Equal" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_eq)),
            "Compare" => Value::int(order.map_or(0, |order| order as i64)),
            _ => Value::Str(self.text().unwrap_or_default()),
        })
    }
}
