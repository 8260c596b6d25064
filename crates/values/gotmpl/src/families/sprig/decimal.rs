//! Decimal arithmetic, as sprig's float functions have it: a whole number of any size times a power of ten.

use crate::CallError;
use crate::families::args::fail;

/// How many digits a quotient has behind the point.
const DIVISION_DIGITS: i32 = 16;

/// Digits per limb.
const LIMB: usize = 9;
const BASE: u64 = 1_000_000_000;

/// A number in limbs of nine digits, the lowest first, without zeros at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Natural(Vec<u64>);

#[derive(Clone, Debug)]
pub(super) struct Decimal {
    negative: bool,
    digits: Natural,
    exponent: i32,
}

impl Natural {
    fn read(digits: &str) -> Self {
        let bytes = digits.as_bytes();
        let mut limbs: Vec<u64> = bytes
            .rchunks(LIMB)
            .map(|chunk| chunk.iter().fold(0, |limb, b| limb * 10 + u64::from(b - b'0')))
            .collect();
        trim(&mut limbs);
        Self(limbs)
    }

    fn print(&self) -> String {
        let mut limbs = self.0.iter().rev();
        let mut out = limbs.next().map_or_else(|| "0".to_owned(), ToString::to_string);
        out.extend(limbs.map(|limb| format!("{limb:09}")));
        out
    }

    /// Times a power of ten.
    fn shifted(&self, zeros: i32) -> Self {
        let zeros = usize::try_from(zeros).unwrap_or(0);
        if zeros == 0 || self.0.is_empty() {
            return self.clone();
        }
        Self::read(&format!("{}{}", self.print(), "0".repeat(zeros)))
    }

    fn at(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn plus(&self, other: &Self) -> Self {
        let mut carry = 0;
        let mut limbs = Vec::new();
        for index in 0..=self.0.len().max(other.0.len()) {
            let sum = self.at(index) + other.at(index) + carry;
            limbs.push(sum % BASE);
            carry = sum / BASE;
        }
        trim(&mut limbs);
        Self(limbs)
    }

    /// `other` must not be larger.
    fn minus(&self, other: &Self) -> Self {
        let mut borrow = 0;
        let mut limbs = Vec::new();
        for index in 0..self.0.len() {
            let taken = other.at(index) + borrow;
            borrow = u64::from(self.at(index) < taken);
            limbs.push(self.at(index) + borrow * BASE - taken);
        }
        trim(&mut limbs);
        Self(limbs)
    }

    fn times(&self, other: &Self) -> Self {
        let mut limbs = vec![0_u64; self.0.len() + other.0.len() + 1];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0;
            for j in 0..=other.0.len() {
                if let Some(slot) = limbs.get_mut(i + j) {
                    let value = *slot + a * other.at(j) + carry;
                    *slot = value % BASE;
                    carry = value / BASE;
                }
            }
        }
        trim(&mut limbs);
        Self(limbs)
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Quotient and remainder, digit by digit.
    fn divided(&self, other: &Self) -> (Self, Self) {
        let mut quotient = String::new();
        let mut rest = Self(Vec::new());
        for digit in self.print().bytes() {
            rest = rest.shifted(1).plus(&Self(if digit == b'0' {
                Vec::new()
            } else {
                vec![u64::from(digit - b'0')]
            }));
            let mut count = b'0';
            while rest.compare(other).is_ge() {
                rest = rest.minus(other);
                count += 1;
            }
            quotient.push(char::from(count));
        }
        (Self::read(&quotient), rest)
    }
}

fn trim(limbs: &mut Vec<u64>) {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

impl Decimal {
    /// The shortest decimal that reads back as the float.
    pub(super) fn from_float(value: f64) -> Result<Self, CallError> {
        if !value.is_finite() {
            let name = crate::fmt::go_float(value);
            return Err(fail(format!("Cannot create a Decimal from {name}")));
        }
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let places = i32::try_from(fraction.len()).unwrap_or(0);
        Ok(Self {
            negative: value < 0.0,
            digits: Natural::read(&format!("{whole}{fraction}")),
            exponent: exponent - places,
        })
    }

    pub(super) fn to_float(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}e{}", self.digits.print(), self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }

    fn aligned(&self, exponent: i32) -> Natural {
        self.digits.shifted(self.exponent - exponent)
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of the operations can fail")]
    pub(super) fn add(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let (a, b) = (self.aligned(exponent), other.aligned(exponent));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, a.plus(&b))
        } else if a.compare(&b).is_ge() {
            (self.negative, a.minus(&b))
        } else {
            (other.negative, b.minus(&a))
        };
        // There is no negative zero.
        Some(Self {
            negative: negative && !digits.0.is_empty(),
            digits,
            exponent,
        })
    }

    pub(super) fn subtract(self, mut other: Self) -> Option<Self> {
        other.negative = !other.negative && !other.digits.0.is_empty();
        self.add(other)
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of the operations can fail")]
    pub(super) fn multiply(self, other: Self) -> Option<Self> {
        let digits = self.digits.times(&other.digits);
        let negative = self.negative != other.negative && !digits.0.is_empty();
        Some(Self {
            negative,
            digits,
            exponent: self.exponent + other.exponent,
        })
    }

    /// Rounded half away from zero behind the 16th place; nothing if divided by zero.
    pub(super) fn divide(self, other: Self) -> Option<Self> {
        if other.digits.0.is_empty() {
            return None;
        }
        let scale = -DIVISION_DIGITS;
        let shift = self.exponent - other.exponent - scale;
        let (above, below) = if shift >= 0 {
            (self.digits.shifted(shift), other.digits)
        } else {
            (self.digits, other.digits.shifted(-shift))
        };
        let (mut digits, rest) = above.divided(&below);
        if rest.plus(&rest).compare(&below).is_ge() {
            digits = digits.plus(&Natural(vec![1]));
        }
        let negative = self.negative != other.negative && !digits.0.is_empty();
        Some(Self {
            negative,
            digits,
            exponent: scale,
        })
    }
}
