//! What a Pod's containers print.

use std::time::Duration;

use futures::{AsyncBufReadExt, Stream, StreamExt};
use http::{Request, header};
use weir_apis::ObjectRef;

use crate::client::{encode, failed};
use crate::{ApiError, Client};

/// Which part of a log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogOptions<'a> {
    /// Of this container; needed where a Pod has several.
    pub container: Option<&'a str>,
    /// Goes on as more is printed.
    pub follow: bool,
    /// Only the last lines.
    pub tail: Option<u64>,
    /// Only what was printed since then; whole seconds count.
    pub since: Option<Duration>,
}

impl Client {
    /// Reads the log of a Pod, line by line.
    pub async fn log(
        &self,
        pod: &ObjectRef,
        options: LogOptions<'_>,
    ) -> Result<impl Stream<Item = std::io::Result<String>> + Send + use<>, ApiError> {
        let (tail, since) = (
            options.tail.map(|lines| lines.to_string()),
            options.since.map(|since| since.as_secs().max(1).to_string()),
        );
        let mut query = Vec::new();
        query.extend(options.container.map(|name| ("container", name)));
        query.extend(options.follow.then_some(("follow", "true")));
        query.extend(tail.as_deref().map(|lines| ("tailLines", lines)));
        query.extend(since.as_deref().map(|seconds| ("sinceSeconds", seconds)));
        let path = self.object_path(pod, "/log").await?;
        let path = if query.is_empty() {
            path
        } else {
            format!("{path}?{}", encode(&query))
        };
        let mut request = Request::get(path).header(header::ACCEPT, "text/plain, */*");
        if let Some(identity) = self.identity() {
            request = identity.stamp(request);
        }
        let request = request.body(Vec::new()).map_err(|e| ApiError::Answer {
            what: pod.to_string(),
            source: e.into(),
        })?;
        let body = self.kube().request_stream(request).await.map_err(failed)?;
        Ok(body.lines().boxed())
    }
}
