//! What Flux Operator's ResourceSets have besides.

mod slugify;

use crate::encode;
use crate::families::args::value;
use crate::{Entry, Signature, Value, ty};

pub(super) static FAMILY: super::Family = &[FLUX];

static FLUX: &[Entry] = &[
    (
        "toYaml",
        Signature::new(&[&ty::ANY]),
        |env, args| match encode::yaml(env, &value(args, 0)) {
            Err(error) if !error.is_limit() => Ok(Value::from("")),
            result => result.map(|text| Value::from(text + "\n")),
        },
    ),
    ("mustToYaml", Signature::new(&[&ty::ANY]), |env, args| {
        encode::yaml(env, &value(args, 0)).map(|text| Value::from(text + "\n"))
    }),
    ("slugify", Signature::new(&[&ty::STRING]), |_, args| {
        Ok(Value::from(slugify::slugify(&crate::families::args::string(
            args, 0,
        ))))
    }),
];
