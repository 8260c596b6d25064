//! When to ask again.

use std::sync::Mutex;
use std::time::Duration;

use rand::Rng as _;

use crate::options::RetryOptions;

/// Retries left over all requests of a client, in tenths.
#[derive(Debug)]
pub(crate) struct Budget {
    tenths: Mutex<u32>,
    full: u32,
}

impl Budget {
    pub(crate) fn new(options: &RetryOptions) -> Self {
        let full = options.budget.saturating_mul(10);
        Self {
            tenths: Mutex::new(full),
            full,
        }
    }

    /// Takes one retry; false when none is left.
    pub(crate) fn take(&self) -> bool {
        let mut tenths = self
            .tenths
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match tenths.checked_sub(10) {
            Some(left) => {
                *tenths = left;
                true
            }
            None => false,
        }
    }

    /// A request succeeded.
    pub(crate) fn earn(&self) {
        let mut tenths = self
            .tenths
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *tenths = tenths.saturating_add(1).min(self.full);
    }
}

/// How long to wait before attempt `attempt` (2 is the first retry); `None` when the server asks for longer
/// than the options allow.
pub(crate) fn delay(options: &RetryOptions, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
    if let Some(asked) = asked {
        return (asked <= options.max_delay).then_some(asked);
    }
    let doubled = options
        .base_delay
        .saturating_mul(1_u32 << attempt.saturating_sub(2).min(16))
        .min(options.max_delay);
    // Between half and whole, so that clients which failed together do not come back together.
    Some(doubled.mul_f64(rand::rng().random_range(0.5..=1.0)))
}

/// The wait a `Retry-After` header asks for: seconds, or a date (RFC 9110, section 10.2.3).
///
/// A date is held against the server's own `Date` header, so that it does not matter how this machine's clock is
/// set; without that header it says nothing. A date in the past means "at once".
pub(crate) fn after(headers: &http::HeaderMap) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| {
        jiff::fmt::rfc2822::parse(text)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    let now = date(headers.get(http::header::DATE)?.to_str().ok()?.trim())?;
    let wait = date(value)?.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// Whether a status is worth a second attempt.
pub(crate) fn is_worth_it(status: http::StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_runs_out_and_is_earned_back() {
        let budget = Budget::new(&RetryOptions {
            budget: 1,
            ..RetryOptions::default()
        });
        assert!(budget.take());
        assert!(!budget.take());
        for _ in 0..10 {
            budget.earn();
        }
        assert!(budget.take());
    }

    #[test]
    fn a_server_asks_for_seconds_or_for_a_date_by_its_own_clock() {
        let asked = |after: &str, date: Option<&str>| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::RETRY_AFTER, after.parse().unwrap());
            if let Some(date) = date {
                headers.insert(http::header::DATE, date.parse().unwrap());
            }
            super::after(&headers)
        };
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(asked("7", None), Some(Duration::from_secs(7)));
        assert_eq!(
            asked("Sun, 06 Nov 1994 08:49:40 GMT", now),
            Some(Duration::from_secs(3))
        );
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:30 GMT", now), Some(Duration::ZERO));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:40 GMT", None), None);
        assert_eq!(asked("soon", now), None);
        assert_eq!(asked("-1", now), None);
    }

    #[test]
    fn waits_double_up_to_the_cap_and_servers_may_ask_for_theirs() {
        let options = RetryOptions {
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(4),
            ..RetryOptions::default()
        };
        for (attempt, most) in [(2, 1), (3, 2), (4, 4), (9, 4), (60, 4)] {
            let wait = delay(&options, attempt, None).unwrap();
            assert!(
                wait <= Duration::from_secs(most) && wait * 2 >= Duration::from_secs(most),
                "{attempt} {wait:?}"
            );
        }
        assert_eq!(
            delay(&options, 2, Some(Duration::from_secs(3))),
            Some(Duration::from_secs(3))
        );
        assert_eq!(delay(&options, 2, Some(Duration::from_secs(9))), None);
    }
}
