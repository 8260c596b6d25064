//! What the API server said when it refused.

use std::fmt;

/// The parts of a Kubernetes `Status` that decisions need.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ApiFailure {
    /// HTTP status code; 0 where there was no answer.
    pub code: u16,
    /// `reason`, such as `Invalid`; empty where the server gave none.
    pub reason: String,
    /// `message`.
    pub message: String,
}

impl fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ApiFailure {
    /// Whether this is about an immutable field, so that only a new object can have the new value.
    ///
    /// As kubectl and Flux do, every Conflict and Invalid counts, and messages of webhooks and CEL rules that
    /// say `is immutable` or `immutable field`. It may be wrong: ask only where the object exists and
    /// recreating it was allowed.
    pub fn is_immutable(&self) -> bool {
        let by_reason = match self.reason.as_str() {
            "Conflict" | "Invalid" => true,
            "" | "Unknown" => matches!(self.code, 409 | 422),
            _ => false,
        };
        by_reason || names_immutable(&self.message)
    }

    /// Whether the object, or its namespace, does not exist.
    pub fn is_not_found(&self) -> bool {
        self.reason == "NotFound" || (self.reason.is_empty() && self.code == 404)
    }
}

/// `is immutable` or `immutable field`, with any one white-space character between the words.
fn names_immutable(message: &str) -> bool {
    let words: Vec<&str> = message.split(char::is_whitespace).collect();
    words.windows(2).any(|pair| match pair {
        [a, b] => {
            (a.ends_with("is") && b.starts_with("immutable"))
                || (a.ends_with("immutable") && b.starts_with("field"))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: u16, reason: &str, message: &str) -> ApiFailure {
        ApiFailure {
            code,
            reason: reason.into(),
            message: message.into(),
        }
    }

    #[test]
    fn immutable_is_told_by_reason_or_words() {
        assert!(failure(422, "Invalid", "spec.x: bad").is_immutable());
        assert!(failure(409, "Conflict", "").is_immutable());
        assert!(failure(422, "", "").is_immutable());
        assert!(failure(403, "Forbidden", "the value is immutable, sorry").is_immutable());
        assert!(failure(400, "BadRequest", "this is an immutable field").is_immutable());
        assert!(!failure(400, "BadRequest", "mutable").is_immutable());
        assert!(!failure(409, "AlreadyExists", "exists").is_immutable());
    }
}
