//! When something that is compared with the time holds no more.

use jiff::{SignedDuration, Timestamp};

/// How far ahead is looked first. The distance doubles each time, so that an end that is near is found whatever comes later.
const FIRST: SignedDuration = SignedDuration::from_secs(30);

/// How exactly an end is found.
const EXACT: SignedDuration = SignedDuration::from_secs(1);

/// The time at which `holds`, which is true of `now`, becomes false, within a second; nothing where it is true at each of some moments
/// until `ahead` from now. What is false for a short while in between may be missed.
pub(super) fn ends(
    now: Timestamp,
    ahead: SignedDuration,
    holds: impl Fn(Timestamp) -> bool,
) -> Option<Timestamp> {
    let last = now.checked_add(ahead).ok()?;
    let (mut good, mut distance) = (now, FIRST);
    while good < last {
        let next = now.checked_add(distance).map_or(last, |next| next.min(last));
        if !holds(next) {
            return Some(between(good, next, holds));
        }
        good = next;
        distance = distance.saturating_add(distance);
    }
    None
}

/// The end between a time at which it holds and one at which it does not.
fn between(mut good: Timestamp, mut bad: Timestamp, holds: impl Fn(Timestamp) -> bool) -> Timestamp {
    loop {
        let distance = bad.duration_since(good);
        if distance <= EXACT {
            return bad;
        }
        let Ok(middle) = good.checked_add(distance / 2) else {
            return bad;
        };
        if holds(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn now() -> Timestamp {
        "2026-02-01T00:00:00Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        now() + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn an_end_is_found_within_a_second_and_with_little_work() {
        let day = SignedDuration::from_hours(24);
        for seconds in [1, 29, 30, 31, 90, 600, 3601, 86_399, 86_400] {
            let looks = Cell::new(0);
            let found = ends(now(), day, |at| {
                looks.set(looks.get() + 1);
                at < after(seconds)
            });
            let found = found.unwrap();
            assert!(
                found >= after(seconds) && found <= after(seconds + 1),
                "{seconds}: {found}"
            );
            assert!(looks.get() <= 30, "{seconds}: {}", looks.get());
        }
    }

    #[test]
    fn what_holds_all_the_time_has_no_end() {
        let day = SignedDuration::from_hours(24);
        assert_eq!(ends(now(), day, |_| true), None);
        assert_eq!(ends(now(), day, |at| at <= after(86_400)), None);
        assert_eq!(ends(now(), SignedDuration::ZERO, |_| false), None);
        assert_eq!(ends(Timestamp::MAX, day, |_| false), None);
    }

    #[test]
    fn of_several_ends_the_near_one_is_found() {
        // Office hours, as it were: it holds again tomorrow, when the looking ends.
        let found = ends(now(), SignedDuration::from_hours(24), |at| {
            at < after(3600) || at > after(80_000)
        });
        assert!(found.unwrap() <= after(3601));
    }
}
