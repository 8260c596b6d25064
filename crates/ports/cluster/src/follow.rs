//! One object as it changes, in the name of whom the client acts for.

use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use http::Method;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use weir_apis::{Object, ObjectRef};

use crate::client::{encode, failed};
use crate::{ApiError, Client};

/// How long the API server is asked to go on with one watch, in seconds. The next begins with a look, so that a line that
/// died without a sound is noticed.
const LASTS: &str = "240";
/// Pause before the next try after a failure, and between looks where watching is not allowed; each is twice as long as
/// the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How an object is now.
#[derive(Debug, Clone)]
pub enum Seen {
    /// It exists.
    There(Box<Object>),
    /// It does not, or not any more.
    Gone,
}

/// Follows an object until the stream is dropped.
///
/// `known` is how it was a moment ago: the answer of a write, as a rule. What comes after that is told, and nothing is
/// asked that it says already; without it the first item is how the object is now. Changes in quick succession may be
/// told as one, and the same state may be told twice.
///
/// Where the line breaks, or the server forgets what came after `known`, the object is looked at again. Who may read an
/// object but not watch it gets a look every two seconds, and so do those for whom there is no room among the watches of
/// the connection. It has no end and no errors: what goes wrong is tried again.
pub fn follow(
    client: Client,
    object: ObjectRef,
    known: Option<&Object>,
) -> impl Stream<Item = Seen> + Send + use<> {
    let follower = Follower {
        from: known
            .map(|known| known.resource_version().to_owned())
            .filter(|version| !version.is_empty()),
        client,
        object,
        events: None,
        can_watch: true,
        pause: None,
    };
    stream::unfold(follower, |mut follower| async move {
        let seen = follower.next().await;
        Some((seen, follower))
    })
}

type Events = BoxStream<'static, Result<WatchEvent<Value>, kube::Error>>;

struct Follower {
    client: Client,
    object: ObjectRef,
    /// The version after which changes are to be told; `None` when the object must be looked at first.
    from: Option<String>,
    events: Option<(Events, OwnedSemaphorePermit)>,
    can_watch: bool,
    /// Before the next request.
    pause: Option<Duration>,
}

impl Follower {
    async fn next(&mut self) -> Seen {
        loop {
            if let Some((events, _)) = &mut self.events {
                match events.next().await {
                    Some(Ok(WatchEvent::Added(value) | WatchEvent::Modified(value))) => {
                        self.pause = None;
                        if let Ok(object) = Object::from_value(value) {
                            self.from = Some(object.resource_version().to_owned());
                            return Seen::There(Box::new(object));
                        }
                    }
                    Some(Ok(WatchEvent::Deleted(_))) => {
                        self.pause = None;
                        return Seen::Gone;
                    }
                    Some(Ok(WatchEvent::Bookmark(_))) => {}
                    Some(Ok(WatchEvent::Error(_)) | Err(_)) | None => {
                        self.slow_down();
                        self.events = None;
                        self.from = None;
                    }
                }
                continue;
            }
            if let Some(pause) = self.pause {
                sleep(pause).await;
            }
            match self.from.take() {
                Some(version) if self.can_watch => self.watch(&version).await,
                _ => {
                    if let Some(seen) = self.look().await {
                        return seen;
                    }
                }
            }
        }
    }

    fn slow_down(&mut self) {
        let next = self.pause.map_or(FIRST_PAUSE, |pause| pause * 2);
        self.pause = Some(next.min(LONGEST_PAUSE));
    }

    async fn watch(&mut self, version: &str) {
        let Some((kube, room)) = self.client.watching() else {
            return self.slow_down();
        };
        match self.client.watch_one(kube, &self.object, version).await {
            Ok(events) => self.events = Some((events, room)),
            Err(error) => {
                tracing::debug!(object = %self.object, %error, "the object cannot be watched");
                self.can_watch = may_watch(&error);
                self.slow_down();
            }
        }
    }

    /// How the object is, and from where it can be watched on.
    async fn look(&mut self) -> Option<Seen> {
        if !self.can_watch {
            let found = self.client.get(&self.object).await;
            self.slow_down();
            return found.ok().map(seen);
        }
        match self.client.list_one(&self.object).await {
            Ok((found, version)) => {
                self.from = Some(version);
                Some(seen(found))
            }
            Err(error) => {
                tracing::debug!(object = %self.object, %error, "the object cannot be looked at");
                self.can_watch = may_watch(&error);
                self.slow_down();
                None
            }
        }
    }
}

fn seen(found: Option<Object>) -> Seen {
    found.map_or(Seen::Gone, |object| Seen::There(Box::new(object)))
}

/// Whether a refusal to list or watch is of the kind that passes.
fn may_watch(error: &ApiError) -> bool {
    !matches!(error.code(), Some(400 | 403 | 404 | 405))
}

impl Client {
    /// One object, by a list that holds no other, and the version that the list was made at.
    async fn list_one(&self, object: &ObjectRef) -> Result<(Option<Object>, String), ApiError> {
        let path = self.path_of_one(object, &[]).await?;
        let mut list = self.send(Method::GET, &path, None, &object.to_string()).await?;
        let version = list.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let version = version.unwrap_or_default().to_owned();
        let first = list
            .get_mut("items")
            .and_then(Value::as_array_mut)
            .and_then(|items| (!items.is_empty()).then(|| items.swap_remove(0)));
        // Items of a typed list come without their type.
        let first = first.map(|mut item| {
            if let Some(map) = item.as_object_mut() {
                map.insert("apiVersion".into(), object.gvk.api_version().into());
                map.insert("kind".into(), object.gvk.kind.clone().into());
            }
            item
        });
        let first = first.map(|item| crate::client::read(item, &object.to_string()));
        Ok((first.transpose()?, version))
    }

    /// The changes of one object after a version.
    async fn watch_one(
        &self,
        kube: kube::Client,
        object: &ObjectRef,
        version: &str,
    ) -> Result<Events, ApiError> {
        let query = [
            ("watch", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", LASTS),
        ];
        let path = self.path_of_one(object, &query).await?;
        let request = self
            .stamped(&Method::GET, &path)
            .body(Vec::new())
            .map_err(|source| ApiError::Request {
                object: Box::new(object.clone()),
                source: source.into(),
            })?;
        let events = kube.request_events::<Value>(request).await.map_err(failed)?;
        Ok(events.boxed())
    }

    async fn path_of_one(&self, object: &ObjectRef, more: &[(&str, &str)]) -> Result<String, ApiError> {
        let resource = self.resource(&object.gvk).await?;
        let one = format!("metadata.name={}", object.name);
        let mut query = vec![("fieldSelector", one.as_str())];
        query.extend(more);
        Ok(format!("{}?{}", resource.path(&object.namespace), encode(&query)))
    }
}
