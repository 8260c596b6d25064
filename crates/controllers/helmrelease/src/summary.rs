//! Ready, as the newest of what was done says it (flux-controllers.md §4.5).

use weir_apis::condition::{Condition, Conditions, RELEASED, REMEDIATED, Status, TEST_SUCCESS};

/// What Ready says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) status: Status,
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// The newest of Remediated, TestSuccess (where tests count) and Released, in this order where they are of one
/// generation. Whatever was remediated is not ready. `None`: nothing was done yet.
pub(crate) fn summary(conditions: &Conditions, test: bool, ignore_tests: bool) -> Option<Summary> {
    let kinds: &[&str] = if test && !ignore_tests {
        &[REMEDIATED, TEST_SUCCESS, RELEASED]
    } else {
        &[REMEDIATED, RELEASED]
    };
    let mut newest: Option<&Condition> = None;
    for condition in kinds.iter().filter_map(|kind| conditions.get(kind)) {
        if newest.is_none_or(|known| condition.observed_generation > known.observed_generation) {
            newest = Some(condition);
        }
    }
    newest.map(|condition| Summary {
        status: if condition.kind == REMEDIATED {
            Status::False
        } else {
            condition.status
        },
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use weir_apis::time::Time;

    use super::*;

    #[test]
    fn the_newest_wins_then_the_worst() {
        use Status::{False, True, Unknown};
        let now = Time::new(Timestamp::UNIX_EPOCH);
        let of = |entries: &[(&str, Status, i64)]| {
            let mut conditions = Conditions::default();
            for (kind, status, generation) in entries {
                conditions.set(kind, *status, kind, "", *generation, now);
            }
            conditions
        };
        for (entries, tests, wanted) in [
            (vec![], (true, false), None),
            (vec![(RELEASED, True, 1)], (false, false), Some((True, RELEASED))),
            (
                vec![(RELEASED, True, 1), (TEST_SUCCESS, Unknown, 1)],
                (true, false),
                Some((Unknown, TEST_SUCCESS)),
            ),
            (
                vec![(RELEASED, True, 1), (TEST_SUCCESS, False, 1)],
                (true, true),
                Some((True, RELEASED)),
            ),
            (
                vec![(RELEASED, True, 1), (TEST_SUCCESS, False, 1)],
                (false, false),
                Some((True, RELEASED)),
            ),
            (
                vec![(RELEASED, False, 2), (REMEDIATED, True, 2)],
                (false, false),
                Some((False, REMEDIATED)),
            ),
            (
                vec![(RELEASED, True, 3), (REMEDIATED, True, 2)],
                (false, false),
                Some((True, RELEASED)),
            ),
        ] {
            let (test, ignore) = tests;
            let found = summary(&of(&entries), test, ignore);
            let found = found.as_ref().map(|s| (s.status, s.reason.as_str()));
            assert_eq!(found, wanted, "{entries:?}");
        }
    }
}
