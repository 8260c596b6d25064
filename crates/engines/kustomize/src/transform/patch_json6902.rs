//! `patchesJson6902`

use serde_json::{Number, Value};
use weir_yaml::from_json;

use crate::error::{Error, Result, Within};
use crate::jsonpatch::{self, Operation};
use crate::marshal::marshal;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::schema::Schema;
use crate::selector::Selector;

/// Applies operations to the selected objects.
pub(super) fn run(
    target: Option<&Selector>,
    operations: &[Operation],
    map: &mut ResMap,
    schema: &Schema,
) -> Result<()> {
    let target = target.ok_or_else(|| Error::invalid("must specify a target for patch"))?;
    for at in map.select(target, schema)? {
        if let Some(resource) = map.list.get_mut(at) {
            apply(operations, resource)?;
        }
    }
    Ok(())
}

/// Applies operations to an object.
pub(super) fn apply(operations: &[Operation], resource: &mut Resource) -> Result<()> {
    let id = crate::resource::loose_id(resource.node());
    let mut value = marshal(resource.node())?;
    jsonpatch::apply(operations, &mut value).within(|| format!("JSON patch of {id}"))?;
    if !matches!(value, Value::Object(_)) {
        return Err(Error::invalid(format!("JSON patch of {id} leaves no object")));
    }
    round(&mut value);
    resource.node = Some(from_json(&value));
    Ok(())
}

/// Integers that a double cannot hold lose digits here, as they do in kustomize.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64() {
                *number = whole(float, number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(map) => map.values_mut().for_each(round),
        _ => {}
    }
}

fn whole(float: f64, number: &Number) -> Number {
    // Below 2^53 every integer is exact.
    if float.abs() < 9_007_199_254_740_992.0 {
        return number.clone();
    }
    let digits = float.to_string();
    digits
        .parse::<i64>()
        .map(Number::from)
        .or_else(|_| digits.parse::<u64>().map(Number::from))
        .ok()
        .or_else(|| Number::from_f64(float))
        .unwrap_or_else(|| number.clone())
}
