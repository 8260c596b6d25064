//! How much work and memory an expression may need on given data.
//!
//! The interpreter can't be stopped once it runs, so the worst case is computed first: for each part of the
//! expression, how large its value can be and how many steps it can take. The bounds are generous; what they
//! refuse is what multiplies, such as loops within loops over large lists, or strings that double.

use std::collections::BTreeMap;

use kube_cel::cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use serde_json::{Map, Value};

use super::names;

/// Most steps: far below a second.
const MAX_STEPS: u64 = 20_000_000;

/// Largest value, in bytes and nodes.
const MAX_SIZE: u64 = 32 << 20;

/// Steps that compiling a pattern counts for, where its size was checked.
const CHECKED_PATTERN: u64 = 50_000;

/// Likewise where the pattern comes from the data and may take the interpreter's limit of ten megabytes.
const UNKNOWN_PATTERN: u64 = 2_000_000;

/// Most characters that can nest in one expression. The parser recurses for each, and so does what reads its
/// tree.
const MAX_NESTING_CHARS: usize = 1000;

/// Whether a text has so many operators and brackets that parsing it could exhaust the stack. Strings count
/// too: the text is not understood yet.
pub(super) fn may_nest_deeply(source: &str) -> bool {
    let nesting = |c: &char| {
        matches!(
            c,
            '(' | '[' | '{' | '.' | '+' | '-' | '*' | '/' | '%' | '!' | '?' | '<' | '>' | '=' | '&' | '|'
        )
    };
    source.chars().filter(nesting).count() > MAX_NESTING_CHARS
}

/// How large a value can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    /// Most items that any list or map in it has.
    items: u64,
    /// Bytes of text and number of nodes in it, altogether.
    size: u64,
    /// The same of the largest value within it: what an index or a loop can take out of it.
    part: u64,
}

const SCALAR: Bound = Bound {
    items: 0,
    size: 1,
    part: 1,
};

impl Bound {
    /// The size of data.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Array(list) => list
                .iter()
                .fold(Self::list(list.len()), |sum, v| sum.holding(Self::of(v))),
            Value::Object(map) => map.iter().fold(Self::list(map.len()), |sum, (key, v)| {
                sum.holding(Self::text(key.len())).holding(Self::of(v))
            }),
            Value::String(text) => Self::text(text.len()),
            _ => SCALAR,
        }
    }

    fn list(len: usize) -> Self {
        Self {
            items: len as u64,
            size: 1,
            part: 1,
        }
    }

    fn text(len: usize) -> Self {
        Self {
            items: 0,
            size: 1 + len as u64,
            part: 1,
        }
    }

    fn holding(self, inner: Self) -> Self {
        Self {
            items: self.items.max(inner.items),
            size: self.size.saturating_add(inner.size),
            part: self.part.max(inner.size),
        }
    }

    /// Of what can be taken out of the value.
    fn part(self) -> Self {
        Self {
            size: self.part,
            ..self
        }
    }

    /// Of a value of which nothing but its size is known.
    fn any(size: u64) -> Self {
        Self {
            items: size,
            size,
            part: size,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            items: self.items.max(other.items),
            size: self.size.max(other.size),
            part: self.part.max(other.part),
        }
    }

    /// Of two values put one after the other.
    fn plus(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_add(other.items),
            size: self.size.saturating_add(other.size),
            part: self.part.max(other.part),
        }
    }
}

/// Whether an expression stays within the limits on this data.
pub(super) fn is_affordable(ast: &IdedExpr, data: &Map<String, Value>) -> bool {
    let mut estimate = Estimate {
        data,
        locals: BTreeMap::new(),
        largest: 0,
    };
    let (steps, _) = estimate.expr(ast);
    steps <= MAX_STEPS && estimate.largest <= MAX_SIZE
}

struct Estimate<'d> {
    data: &'d Map<String, Value>,
    /// Variables of the macros around, inner ones last.
    locals: BTreeMap<String, Vec<Bound>>,
    largest: u64,
}

impl<'d> Estimate<'d> {
    /// The data that a chain of selections leads to, so that only that is measured.
    fn chosen(&self, expr: &IdedExpr) -> Option<&'d Value> {
        match &expr.expr {
            Expr::Ident(name) if !self.locals.contains_key(name) => self.data.get(name),
            Expr::Call(call) if matches!(call.func_name.as_str(), "_[_]" | "_[?_]") => {
                let [operand, field] = call.args.as_slice() else {
                    return None;
                };
                match &field.expr {
                    Expr::Literal(LiteralValue::String(name)) => self.chosen(operand)?.get(name.inner()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Steps and size of an expression.
    fn expr(&mut self, expr: &IdedExpr) -> (u64, Bound) {
        if let Some(value) = self.chosen(expr) {
            let bound = Bound::of(value);
            self.largest = self.largest.max(bound.size);
            return (4, bound);
        }
        let (steps, bound) = match &expr.expr {
            Expr::Literal(literal) => (
                1,
                match literal {
                    LiteralValue::String(text) => Bound::text(text.inner().len()),
                    LiteralValue::Bytes(bytes) => Bound::text(bytes.inner().len()),
                    _ => SCALAR,
                },
            ),
            Expr::Unspecified | Expr::Struct(_) => (1, SCALAR),
            Expr::Ident(name) => {
                let bound = self.locals.get(name).and_then(|stack| stack.last().copied());
                (1, bound.unwrap_or(SCALAR))
            }
            Expr::Select(select) => {
                let (steps, bound) = self.expr(&select.operand);
                (steps.saturating_add(1), bound.part())
            }
            Expr::List(list) => self.all(list.elements.iter(), Bound::list(list.elements.len())),
            Expr::Map(map) => {
                let parts = map.entries.iter().flat_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(e) => vec![&e.key, &e.value],
                    EntryExpr::StructField(e) => vec![&e.value],
                });
                self.all(parts, Bound::list(map.entries.len()))
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(c) => self.comprehension(c),
        };
        self.largest = self.largest.max(bound.size);
        (steps, bound)
    }

    fn all<'a>(&mut self, parts: impl Iterator<Item = &'a IdedExpr>, empty: Bound) -> (u64, Bound) {
        parts.fold((1, empty), |(steps, bound), part| {
            let (more, inner) = self.expr(part);
            (steps.saturating_add(more), bound.holding(inner))
        })
    }

    fn call(&mut self, call: &CallExpr) -> (u64, Bound) {
        let parts: Vec<(u64, Bound)> = call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .map(|part| self.expr(part))
            .collect();
        let steps = parts
            .iter()
            .fold(1_u64, |sum, (steps, _)| sum.saturating_add(*steps));
        let bounds = || parts.iter().map(|(_, bound)| *bound);
        let together = bounds().fold(SCALAR, Bound::plus);
        let largest = bounds().fold(SCALAR, Bound::or);
        // Whatever a function does, it may look at all of its arguments.
        let mut linear = steps.saturating_add(together.size);
        if names::MATCHING.contains(&call.func_name.as_str()) {
            let written_out = call
                .args
                .last()
                .is_some_and(|p| matches!(p.expr, Expr::Literal(_)));
            linear = linear.saturating_add(if written_out {
                CHECKED_PATTERN
            } else {
                UNKNOWN_PATTERN
            });
        }
        let by_items = linear.saturating_add(together.items.saturating_mul(together.items));
        match call.func_name.as_str() {
            "_[_]" | "_[?_]" | "_?._" => (steps, parts.first().map_or(SCALAR, |(_, bound)| bound.part())),
            "_?_:_" | "or" | "orValue" | "value" | "of" => (steps, largest),
            "_&&_" | "_||_" | "!_" | "@not_strictly_false" => (steps, SCALAR),
            "_+_" => (linear, together),
            "size" | "bool" | "contains" | "startsWith" | "endsWith" | "matches" | "int" | "uint"
            | "double" | "duration" | "timestamp" | "@equal" | "_<_" | "_<=_" | "_>_" | "_>=_" | "_-_"
            | "_*_" | "_/_" | "_%_" | "-_" | "@in" | "indexOf" | "lastIndexOf" => (linear, SCALAR),
            "first" | "last" | "slice" | "substring" | "charAt" | "trim" => (linear, largest),
            // Every pair of items may be compared.
            "distinct" | "sort" | "isSorted" | "intersects" | "equivalent" => (by_items, largest),
            "range" => {
                let count = match call.args.first().map(|arg| &arg.expr) {
                    Some(Expr::Literal(LiteralValue::Int(n))) => u64::try_from(*n.inner()).unwrap_or(0),
                    _ => u64::MAX,
                };
                (
                    linear.saturating_add(count),
                    Bound {
                        items: count,
                        size: count,
                        part: 1,
                    },
                )
            }
            // A part of one argument may be repeated for each part of another.
            "replace" | "join" | "format" | "quote" => {
                let size = bounds().fold(16_u64, |product, b| {
                    product.saturating_mul(b.size.saturating_add(1))
                });
                (linear.saturating_add(size), Bound::any(size))
            }
            _ => {
                let size = together.size.saturating_mul(4).saturating_add(64);
                (by_items, Bound::any(size))
            }
        }
    }

    /// A macro: the step runs once an item, and the result grows by as much each time.
    fn comprehension(&mut self, c: &ComprehensionExpr) -> (u64, Bound) {
        let (range_steps, range) = self.expr(&c.iter_range);
        let (init_steps, init) = self.expr(&c.accu_init);
        let locals: Vec<&str> = std::iter::once(c.iter_var.as_str())
            .chain(c.iter_var2.as_deref())
            .collect();
        for name in &locals {
            self.push(name, range.part());
        }
        // The accumulator stands for nothing in the step, so that the step's size is what it adds.
        self.push(
            &c.accu_var,
            Bound {
                items: 0,
                size: 0,
                part: 0,
            },
        );
        let (condition_steps, _) = self.expr(&c.loop_cond);
        let (step_steps, growth) = self.expr(&c.loop_step);
        self.pop(&c.accu_var);
        let rounds = range.items;
        let bound = Bound {
            items: init.items.saturating_add(rounds).max(growth.items),
            size: init.size.saturating_add(rounds.saturating_mul(growth.size)),
            part: init.part.max(growth.part),
        };
        self.push(&c.accu_var, bound);
        let (result_steps, result) = self.expr(&c.result);
        self.pop(&c.accu_var);
        for name in &locals {
            self.pop(name);
        }
        let each = condition_steps.saturating_add(step_steps).saturating_add(1);
        // Appending copies the list that is there.
        let copies = if growth.size > 1 {
            rounds.saturating_mul(rounds)
        } else {
            0
        };
        let steps = range_steps
            .saturating_add(init_steps)
            .saturating_add(rounds.saturating_mul(each))
            .saturating_add(copies)
            .saturating_add(result_steps);
        (steps, result)
    }

    fn push(&mut self, name: &str, bound: Bound) {
        self.locals.entry(name.to_owned()).or_default().push(bound);
    }

    fn pop(&mut self, name: &str) {
        if let Some(stack) = self.locals.get_mut(name) {
            stack.pop();
            if stack.is_empty() {
                self.locals.remove(name);
            }
        }
    }
}
