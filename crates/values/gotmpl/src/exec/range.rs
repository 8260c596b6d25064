//! `range`: over integers, lists, maps and functions.

use super::{Flow, Result, Seen, State};
use crate::fmt;
use crate::parse::{Branch, Place};
use crate::types::Kind;
use crate::{Shape, Type, Value, ty};

impl<'t> State<'_, '_, 't> {
    pub(super) fn range(&mut self, dot: &Seen, branch: &'t Branch) -> Result<Flow> {
        let mark = self.variables.len();
        let value = fmt::indirect(self.pipeline(dot, &branch.pipe)?);
        let flow = match (self.range_over(&value, branch)?, &branch.otherwise) {
            (false, Some(list)) => self.list(dot, list)?,
            _ => Flow::On,
        };
        self.variables.truncate(mark);
        // A `break` in the `else` ends this loop only, as in Go; a `continue` there belongs to the outer one.
        Ok(if flow == Flow::Break { Flow::On } else { flow })
    }

    /// Says whether there was anything to run over.
    fn range_over(&mut self, value: &Value, branch: &'t Branch) -> Result<bool> {
        let declares = branch.pipe.declares.len();
        match value {
            Value::Int(count, ty) => {
                self.one_variable(value, declares, "to ")?;
                let count = u64::try_from(*count).unwrap_or(0);
                self.count(count, branch, |i| {
                    Value::Int(i64::try_from(i).unwrap_or(i64::MAX), ty)
                })
            }
            Value::Uint(count, ty) => {
                self.one_variable(value, declares, "to ")?;
                self.count(*count, branch, |i| Value::Uint(i, ty))
            }
            Value::List(list) => {
                for index in 0..list.len() {
                    // Asked for each time: `sortAlpha` may reorder it on the way.
                    let Some(item) = list.items().get(index).cloned() else {
                        break;
                    };
                    if !self.element(index, item, list.elem(), branch)? {
                        break;
                    }
                }
                Ok(!list.is_empty())
            }
            Value::Bytes(bytes) => {
                for (index, byte) in bytes.iter().enumerate() {
                    if !self.element(
                        index,
                        Value::Uint(u64::from(*byte), &ty::UINT8),
                        &ty::UINT8,
                        branch,
                    )? {
                        break;
                    }
                }
                Ok(!bytes.is_empty())
            }
            Value::Map(map) => {
                let entries = map
                    .entries()
                    .into_iter()
                    .map(|(key, item)| (Value::Str(key), item))
                    .collect();
                self.entries(entries, map.elem(), branch)
            }
            Value::Object(object) => {
                let elem = object.ty().elem.unwrap_or(&ty::ANY);
                match object.shape() {
                    Shape::Map(entries) => self.entries(entries, elem, branch),
                    Shape::List(items) => {
                        let any = !items.is_empty();
                        for (index, item) in items.into_iter().enumerate() {
                            if !self.element(index, item, elem, branch)? {
                                break;
                            }
                        }
                        Ok(any)
                    }
                    _ => self.cannot(value),
                }
            }
            Value::Func(function) => {
                let Some((sequence, pairs)) = function.as_sequence() else {
                    return self.cannot(value);
                };
                if !pairs {
                    self.one_variable(value, declares, "")?;
                }
                let mut any = false;
                let mut failed = None;
                sequence(&mut |first, second| {
                    any = true;
                    let turn = match second {
                        Some(second) if declares > 1 => self.turn(first, Seen::plain(second), branch),
                        _ => self.turn(Value::Nil, Seen::plain(first), branch),
                    };
                    turn.unwrap_or_else(|error| {
                        failed = Some(error);
                        false
                    })
                });
                failed.map_or(Ok(any), Err)
            }
            Value::Nil => Ok(false),
            Value::TypedNil(ty) if matches!(ty.kind, Kind::Map | Kind::Slice) => Ok(false),
            _ => self.cannot(value),
        }
    }

    fn one_variable(&mut self, value: &Value, declares: usize, to: &str) -> Result<()> {
        if declares > 1 {
            let printed = self.printed(value)?;
            return self.fail(format!(
                "can't use {printed} {to}iterate over more than one variable"
            ));
        }
        Ok(())
    }

    fn cannot(&mut self, value: &Value) -> Result<bool> {
        let printed = self.printed(value)?;
        self.fail(format!("range can't iterate over {printed}"))
    }

    fn printed(&mut self, value: &Value) -> Result<String> {
        let text = fmt::reflected(self.env, value).map_err(|error| self.wrap(error, ""))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn count(&mut self, count: u64, branch: &'t Branch, value: impl Fn(u64) -> Value) -> Result<bool> {
        for i in 0..count {
            if !self.turn(Value::Nil, Seen::plain(value(i)), branch)? {
                break;
            }
        }
        Ok(count > 0)
    }

    fn entries(&mut self, entries: Vec<(Value, Value)>, elem: Type, branch: &'t Branch) -> Result<bool> {
        let any = !entries.is_empty();
        for (key, item) in entries {
            if !self.turn(key, Seen::element(item, elem), branch)? {
                break;
            }
        }
        Ok(any)
    }

    fn element(&mut self, index: usize, item: Value, elem: Type, branch: &'t Branch) -> Result<bool> {
        let index = Value::int(i64::try_from(index).unwrap_or(i64::MAX));
        self.turn(index, Seen::element(item, elem), branch)
    }

    /// One time round; says whether to go on.
    fn turn(&mut self, index: Value, item: Seen, branch: &'t Branch) -> Result<bool> {
        let pipe = &branch.pipe;
        let index = Seen::plain(index);
        match (&*pipe.declares, pipe.is_assign) {
            ([], _) => {}
            ([only], true) => self.set_variable(only, item.clone())?,
            ([_], false) => self.set_top(1, item.clone()),
            ([first, second, ..], true) => {
                self.set_variable(first, index)?;
                self.set_variable(second, item.clone())?;
            }
            (_, false) => {
                self.set_top(1, item.clone());
                self.set_top(2, index);
            }
        }
        self.at = Place::Pipe(pipe);
        self.spend(1)?;
        let mark = self.variables.len();
        let flow = self.list(&item, &branch.list)?;
        self.variables.truncate(mark);
        Ok(flow != Flow::Break)
    }
}
