//! Admission: what may not happen although the object is valid and the user authorized.

mod escalation;
mod policies;

use serde_json::Value;

use crate::registry::Served;
use crate::status::Failure;
use crate::write::Cx;

/// Whether something stands in the way of a write.
pub(crate) fn admit(
    cx: &mut Cx<'_>,
    served: &Served,
    operation: &str,
    object: Option<&Value>,
    old: Option<&Value>,
) -> Result<(), Failure> {
    let Some(user) = cx.user.clone() else {
        return Ok(());
    };
    if let Some(object) = object {
        escalation::check(cx, served, &user, object, old)?;
    }
    policies::check(cx, served, &user, operation, object, old)
}
