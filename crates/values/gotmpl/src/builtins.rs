//! Go's own functions.

use crate::Functions;

pub(crate) fn register(functions: &mut Functions) {
    let _ = functions;
}
