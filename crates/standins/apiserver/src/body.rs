//! Bodies of answers.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};

/// Why a body broke off: a fault that a test asked for.
#[derive(Debug, thiserror::Error)]
#[error("connection cut by a fault rule")]
pub struct CutError;

/// The body of an answer: whole, or a stream of watch events.
pub type Body = UnsyncBoxBody<Bytes, CutError>;

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub(crate) fn stream(
    frames: impl futures::Stream<Item = Result<http_body::Frame<Bytes>, CutError>> + Send + 'static,
) -> Body {
    StreamBody::new(frames).boxed_unsync()
}
