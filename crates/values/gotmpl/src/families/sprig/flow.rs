//! Defaults, choices, failing.

use crate::families::args::{Result, boolean, fail, is_empty, string, value};
use crate::{Entry, Signature, Value, ty};

pub(super) static FLOW: &[Entry] = &[
    (
        "default",
        Signature::variadic(&[&ty::ANY, &ty::ANY]),
        |_, args| {
            Ok(value(
                args,
                usize::from(args.get(1).is_some_and(|given| !is_empty(given))),
            ))
        },
    ),
    ("empty", Signature::new(&[&ty::ANY]), |_, args| {
        Ok(Value::Bool(is_empty(&value(args, 0))))
    }),
    ("coalesce", ANY, |_, args| {
        Ok(args
            .iter()
            .find(|arg| !is_empty(arg))
            .cloned()
            .unwrap_or_default())
    }),
    ("all", ANY, |_, args| Ok(Value::Bool(!args.iter().any(is_empty)))),
    ("any", ANY, |_, args| Ok(Value::Bool(!args.iter().all(is_empty)))),
    (
        "ternary",
        Signature::new(&[&ty::ANY, &ty::ANY, &ty::BOOL]),
        |_, args| Ok(value(args, usize::from(!boolean(args, 2)))),
    ),
    ("fail", Signature::new(&[&ty::STRING]), |_, args| -> Result {
        Err(fail(string(args, 0)))
    }),
    ("env", Signature::new(&[&ty::STRING]), |_, _| {
        Err(fail("the environment is out of reach"))
    }),
    ("expandenv", Signature::new(&[&ty::STRING]), |_, _| {
        Err(fail("the environment is out of reach"))
    }),
    ("getHostByName", Signature::new(&[&ty::STRING]), |_, _| {
        Err(fail("the network is out of reach"))
    }),
];

const ANY: Signature = Signature {
    params: &[&ty::ANY],
    variadic: true,
};
