//! Answers, before they become HTTP.

use std::sync::Arc;

use serde_json::Value;

use crate::status::Failure;
use crate::watch::Watch;

/// An answer.
pub(crate) enum Reply {
    /// An object or a list.
    Json {
        code: u16,
        value: Arc<Value>,
        content_type: &'static str,
    },
    /// A text that is no JSON.
    Text { code: u16, text: String },
    /// A stream of events.
    Watch(Box<Watch>),
}

impl Reply {
    pub(crate) fn ok(value: Arc<Value>) -> Self {
        Self::Json {
            code: 200,
            value,
            content_type: "application/json",
        }
    }

    pub(crate) fn json(code: u16, value: Value) -> Self {
        Self::Json {
            code,
            value: Arc::new(value),
            content_type: "application/json",
        }
    }

    /// What kube-apiserver says of a path it does not know.
    pub(crate) fn no_page() -> Self {
        Self::Text {
            code: 404,
            text: "404 page not found\n".to_owned(),
        }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Self::json(failure.code, failure.status())
    }
}
