//! Saying the same in words that the interpreter gets right.
//!
//! cel 0.13 answers `false` where a field of something that is no map is selected (CEL: an error), fails on
//! `a.?b` where `b` is absent (CEL: an empty optional), and selects nothing through an optional. Its index
//! operators do all three right, and `a.b` means `a['b']`, so selections are written as indexing. It also tells
//! `1` from `1.0` when asked whether they are equal, so equality becomes a function of ours.

use kube_cel::cel::Value;
use kube_cel::cel::common::ast::operators::{EQUALS, INDEX, LOGICAL_NOT, NOT_EQUALS, OPT_INDEX, OPT_SELECT};
use kube_cel::cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

/// Name of [`equal`] in expressions; no user can write it.
pub(super) const EQUAL: &str = "@equal";

/// Rewrites an expression and all within it.
pub(super) fn rewrite(expr: &mut IdedExpr) {
    for_each_part(expr, &mut rewrite);
    let id = expr.id;
    let text = |field: &str| IdedExpr {
        id,
        expr: Expr::Literal(LiteralValue::String(field.into())),
    };
    let index = |operator: &str, operand: IdedExpr, field: IdedExpr| {
        Expr::Call(CallExpr {
            func_name: operator.to_owned(),
            target: None,
            args: vec![operand, field],
        })
    };
    match &mut expr.expr {
        Expr::Select(select) => {
            let operand = &mut *select.operand;
            if !select.test {
                expr.expr = index(INDEX, std::mem::take(operand), text(&select.field));
            } else if is_optional(operand) {
                let chosen = index(OPT_INDEX, std::mem::take(operand), text(&select.field));
                expr.expr = Expr::Call(CallExpr {
                    func_name: "hasValue".into(),
                    target: Some(Box::new(IdedExpr { id, expr: chosen })),
                    args: Vec::new(),
                });
            }
        }
        Expr::Call(call) if call.func_name == OPT_SELECT => OPT_INDEX.clone_into(&mut call.func_name),
        Expr::Call(call) if call.func_name == EQUALS => EQUAL.clone_into(&mut call.func_name),
        Expr::Call(call) if call.func_name == NOT_EQUALS => {
            let mut equal = std::mem::take(call);
            EQUAL.clone_into(&mut equal.func_name);
            let expr_of = Expr::Call(equal);
            expr.expr = Expr::Call(CallExpr {
                func_name: LOGICAL_NOT.to_owned(),
                target: None,
                args: vec![IdedExpr { id, expr: expr_of }],
            });
        }
        _ => {}
    }
}

/// Equality as CEL defines it: numbers by value, whatever their types; values of other types that differ are
/// not equal, and no error.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.map.len() == b.map.len()
                && a.map
                    .iter()
                    .all(|(key, value)| b.map.get(key).is_some_and(|other| equal(value, other)))
        }
        (Value::Int(a), Value::UInt(b)) | (Value::UInt(b), Value::Int(a)) => {
            u64::try_from(*a).is_ok_and(|a| a == *b)
        }
        (Value::Float(float), Value::Int(int)) | (Value::Int(int), Value::Float(float)) => {
            same_number(*float, i128::from(*int))
        }
        (Value::Float(float), Value::UInt(int)) | (Value::UInt(int), Value::Float(float)) => {
            same_number(*float, i128::from(*int))
        }
        _ => a == b,
    }
}

/// Whether a float is exactly a whole number.
fn same_number(float: f64, int: i128) -> bool {
    // Every 64-bit integer is far inside the range that the cast does not saturate.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is checked to be zero"
    )]
    let whole = float as i128;
    float.is_finite() && float.fract() == 0.0 && whole == int
}

/// Whether a chain of selections begins with an optional one.
fn is_optional(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Call(call) if call.func_name == OPT_INDEX => true,
        Expr::Call(call) if call.func_name == INDEX => call.args.first().is_some_and(is_optional),
        _ => false,
    }
}

fn for_each_part(expr: &mut IdedExpr, each: &mut dyn FnMut(&mut IdedExpr)) {
    match &mut expr.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        Expr::Select(select) => each(&mut select.operand),
        Expr::List(list) => list.elements.iter_mut().for_each(each),
        Expr::Call(call) => {
            if let Some(target) = &mut call.target {
                each(target);
            }
            call.args.iter_mut().for_each(each);
        }
        Expr::Map(map) => entries(map.entries.iter_mut().map(|e| &mut e.expr), each),
        Expr::Struct(message) => entries(message.entries.iter_mut().map(|e| &mut e.expr), each),
        Expr::Comprehension(c) => {
            for part in [
                &mut c.iter_range,
                &mut c.accu_init,
                &mut c.loop_cond,
                &mut c.loop_step,
                &mut c.result,
            ] {
                each(part);
            }
        }
    }
}

fn entries<'a>(list: impl Iterator<Item = &'a mut EntryExpr>, each: &mut dyn FnMut(&mut IdedExpr)) {
    for entry in list {
        match entry {
            EntryExpr::MapEntry(entry) => {
                each(&mut entry.key);
                each(&mut entry.value);
            }
            EntryExpr::StructField(field) => each(&mut field.value),
        }
    }
}
