//! Failures on purpose.

use crate::log::RequestRecord;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is not carried out and answered with this status code, as an overloaded server does.
    Refuse {
        /// HTTP status code: 429, 500, 503.
        code: u16,
    },
    /// The request is not carried out, and the connection breaks before an answer.
    Cut,
    /// The request is carried out, and the connection breaks before the answer arrives.
    CutAnswer,
}

/// Decides about each request: what goes wrong with it, if anything.
pub type FaultRule = Box<dyn FnMut(&RequestRecord) -> Option<Fault> + Send>;

impl Fault {
    /// A rule that lets `fault` happen to the `nth` request (counted from 1) that `selects` picks.
    pub fn on_nth(
        nth: usize,
        fault: Self,
        selects: impl Fn(&RequestRecord) -> bool + Send + 'static,
    ) -> FaultRule {
        let mut count = 0;
        Box::new(move |record| {
            if !selects(record) {
                return None;
            }
            count += 1;
            (count == nth).then(|| fault.clone())
        })
    }
}
