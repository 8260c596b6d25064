//! Types.

use crate::encode::deep_equal;
use crate::families::args::{string, value};
use crate::{Entry, Signature, Value, ty};

pub(super) static REFLECTION: &[Entry] = &[
    ("typeOf", ONE, |_, args| {
        Ok(Value::from(value(args, 0).type_name()))
    }),
    ("typeIs", TARGET, |_, args| {
        Ok(Value::Bool(string(args, 0) == value(args, 1).type_name()))
    }),
    ("typeIsLike", TARGET, |_, args| {
        let name = value(args, 1).type_name();
        let target = string(args, 0);
        Ok(Value::Bool(
            target == name || name.strip_prefix('*') == Some(target.as_str()),
        ))
    }),
    ("kindOf", ONE, |_, args| {
        Ok(Value::from(value(args, 0).kind().name()))
    }),
    ("kindIs", TARGET, |_, args| {
        Ok(Value::Bool(string(args, 0) == value(args, 1).kind().name()))
    }),
    ("deepEqual", Signature::new(&[&ty::ANY, &ty::ANY]), |env, args| {
        deep_equal(env, &value(args, 0), &value(args, 1)).map(Value::Bool)
    }),
];

const ONE: Signature = Signature {
    params: &[&ty::ANY],
    variadic: false,
};
const TARGET: Signature = Signature {
    params: &[&ty::STRING, &ty::ANY],
    variadic: false,
};
