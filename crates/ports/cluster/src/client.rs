//! Requests to one API server.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use weir_apis::{GroupVersionKind, Object, ObjectRef};

use crate::resource::Discovered;
use crate::{ApiError, Identity, RequestCounter, Resource, Scope};

/// How often a request is tried when the API server is busy or the connection breaks.
const ATTEMPTS: u32 = 4;
/// Pause before the second try; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Watches of single objects at once. API servers let a connection carry a hundred requests.
const MOST_WATCHES: usize = 80;

/// Makes the API server refuse fields that a type does not have, or that stand twice.
const STRICT: (&str, &str) = ("fieldValidation", "Strict");
/// What answers are read as.
const JSON: &str = "application/json";
/// Asks for all groups in one answer.
const AGGREGATED_DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A client of one API server. Clones share connections, discovery and counters.
#[derive(Clone)]
pub struct Client {
    kube: kube::Client,
    /// Connections for watches of single objects, and how many more there may be.
    watching: (kube::Client, Arc<Semaphore>),
    discovered: Arc<Discovered>,
    counter: RequestCounter,
    identity: Option<Identity>,
    cluster: Arc<str>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("cluster", &self.cluster)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// What happens to the objects that a deleted object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// The owner goes at once, its objects later.
    Background,
    /// The owner waits for its objects.
    Foreground,
    /// Its objects stay.
    Orphan,
}

/// An object after a server-side apply.
#[derive(Debug, Clone)]
pub struct Applied {
    /// As stored.
    pub object: Object,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// Options of a server-side apply.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// Field manager.
    pub manager: &'a str,
    /// Takes over fields that others own.
    pub force: bool,
    /// Asks what would happen, and changes nothing.
    pub dry_run: bool,
}

impl Client {
    /// A client over any service that speaks HTTP with an API server. `cluster` names it in messages.
    pub fn new(kube: kube::Client, counter: RequestCounter, cluster: &str) -> Self {
        Self {
            watching: (kube.clone(), Arc::new(Semaphore::new(MOST_WATCHES))),
            kube,
            discovered: Arc::new(Discovered::default()),
            counter,
            identity: None,
            cluster: cluster.into(),
        }
    }

    /// The same with connections of their own for watches of single objects. A connection carries a hundred requests at
    /// once, and a watch is one for as long as it lasts: others must not have to wait for that.
    #[must_use]
    pub(crate) fn watching_over(mut self, kube: kube::Client) -> Self {
        self.watching.0 = kube;
        self
    }

    /// The connections for watches of single objects, unless there are enough of them already.
    pub(crate) fn watching(&self) -> Option<(kube::Client, OwnedSemaphorePermit)> {
        let (kube, room) = &self.watching;
        let permit = room.clone().try_acquire_owned().ok()?;
        Some((kube.clone(), permit))
    }

    /// The same connections, with every request made in the name of `identity`.
    #[must_use]
    pub fn acting_as(&self, identity: Identity) -> Self {
        Self {
            identity: Some(identity),
            ..self.clone()
        }
    }

    /// Whom requests are made for; `None` for the client's own credentials.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The counter of all requests over these connections.
    pub fn counter(&self) -> &RequestCounter {
        &self.counter
    }

    /// Name of the cluster, for messages.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The kube client below, for watches. It carries no identity.
    pub(crate) fn kube(&self) -> kube::Client {
        self.kube.clone()
    }

    /// How a type is served. Asked of the API server once a group version; a type that is not there is asked
    /// for again each time, since its CRD may come any moment.
    pub async fn resource(&self, gvk: &GroupVersionKind) -> Result<Resource, ApiError> {
        if let Some(resource) = self.discovered.get(gvk) {
            return Ok(resource);
        }
        let path = if gvk.group.is_empty() {
            format!("/api/{}", gvk.version)
        } else {
            format!("/apis/{}/{}", gvk.group, gvk.version)
        };
        // Discovery is the same for everyone, so it is asked with the client's own rights.
        let own = Self {
            identity: None,
            ..self.clone()
        };
        match own.send(Method::GET, &path, None, "the list of resources").await {
            Ok(list) => self.discovered.learn(&gvk.group, &gvk.version, &list),
            Err(error) if error.is_not_found() => return Err(ApiError::UnknownKind(gvk.clone())),
            Err(error) => return Err(error),
        }
        self.discovered
            .get(gvk)
            .ok_or_else(|| ApiError::UnknownKind(gvk.clone()))
    }

    /// Forgets what discovery said about a type.
    pub fn forget(&self, gvk: &GroupVersionKind) {
        self.discovered.forget(gvk);
    }

    /// The reference with the namespace that the type's scope allows: none for cluster-scoped types, and an
    /// error text's worth of truth for namespaced types without one (the API server says so itself).
    pub async fn scoped(&self, reference: &ObjectRef) -> Result<ObjectRef, ApiError> {
        let resource = self.resource(&reference.gvk).await?;
        let mut reference = reference.clone();
        if resource.scope == Scope::Cluster {
            reference.namespace.clear();
        }
        Ok(reference)
    }

    /// Reads an object; `None` where it does not exist.
    pub async fn get(&self, reference: &ObjectRef) -> Result<Option<Object>, ApiError> {
        let path = self.object_path(reference, "").await?;
        match self.send(Method::GET, &path, None, &reference.to_string()).await {
            Ok(value) => read(value, &reference.to_string()).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads all objects of a type in a namespace (empty: everywhere), page by page.
    pub async fn list(
        &self,
        gvk: &GroupVersionKind,
        namespace: &str,
        label_selector: &str,
    ) -> Result<Vec<Object>, ApiError> {
        let resource = self.resource(gvk).await?;
        let mut objects = Vec::new();
        let mut token = String::new();
        loop {
            let mut query = vec![("limit", "500")];
            if !label_selector.is_empty() {
                query.push(("labelSelector", label_selector));
            }
            if !token.is_empty() {
                query.push(("continue", &token));
            }
            let path = format!("{}?{}", resource.path(namespace), encode(&query));
            let what = format!("the list of {}", resource.plural);
            let mut page = self.send(Method::GET, &path, None, &what).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                for mut item in items {
                    // Items of a typed list come without their type.
                    if let Some(map) = item.as_object_mut() {
                        map.insert("apiVersion".into(), gvk.api_version().into());
                        map.insert("kind".into(), gvk.kind.clone().into());
                    }
                    objects.push(read(item, &what)?);
                }
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => next.clone_into(&mut token),
                _ => return Ok(objects),
            }
        }
    }

    /// Server-side apply; the answer is the object as stored, or as it would be stored.
    pub async fn apply(&self, object: &Object, write: Write<'_>) -> Result<Object, ApiError> {
        let applied = self.apply_with(object, write, &[]).await?;
        Ok(applied.object)
    }

    /// The same, but fields that the type does not have, or that stand twice, are refused.
    pub async fn apply_strictly(&self, object: &Object, write: Write<'_>) -> Result<Applied, ApiError> {
        self.apply_with(object, write, &[STRICT]).await
    }

    async fn apply_with(
        &self,
        object: &Object,
        write: Write<'_>,
        parameters: &[(&str, &str)],
    ) -> Result<Applied, ApiError> {
        let reference = object.reference();
        let mut query = vec![("fieldManager", write.manager)];
        query.extend(parameters);
        if write.force {
            query.push(("force", "true"));
        }
        if write.dry_run {
            query.push(("dryRun", "All"));
        }
        let path = format!("{}?{}", self.object_path(&reference, "").await?, encode(&query));
        let body = to_bytes(object.as_map());
        let what = reference.to_string();
        let body = Some(("application/apply-patch+yaml", body));
        let (status, value) = self.ask(Method::PATCH, &path, body, &what, JSON).await?;
        Ok(Applied {
            object: read(value, &what)?,
            is_new: status == StatusCode::CREATED,
        })
    }

    /// Creates an object.
    pub async fn create(&self, object: &Object, manager: &str) -> Result<Object, ApiError> {
        let reference = object.reference();
        let resource = self.resource(&reference.gvk).await?;
        let path = format!(
            "{}?{}",
            resource.path(&reference.namespace),
            encode(&[("fieldManager", manager)])
        );
        let body = to_bytes(object.as_map());
        let what = reference.to_string();
        read(
            self.send(Method::POST, &path, Some(("application/json", body)), &what)
                .await?,
            &what,
        )
    }

    /// Replaces an object. With a `resourceVersion` in it, it must still be the one that was read.
    pub async fn replace(&self, object: &Object, manager: &str) -> Result<Object, ApiError> {
        self.replace_with(object, &[("fieldManager", manager)]).await
    }

    /// The same, but fields that the type does not have, or that stand twice, are refused.
    pub async fn replace_strictly(&self, object: &Object, manager: &str) -> Result<Object, ApiError> {
        self.replace_with(object, &[("fieldManager", manager), STRICT])
            .await
    }

    async fn replace_with(&self, object: &Object, query: &[(&str, &str)]) -> Result<Object, ApiError> {
        let reference = object.reference();
        let path = format!("{}?{}", self.object_path(&reference, "").await?, encode(query));
        let what = reference.to_string();
        let body = Some(("application/json", to_bytes(object.as_map())));
        read(self.send(Method::PUT, &path, body, &what).await?, &what)
    }

    /// Changes an object by a strategic merge patch, which built-in types understand.
    pub async fn strategic_merge(
        &self,
        reference: &ObjectRef,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ApiError> {
        self.patch(
            reference,
            "",
            "application/strategic-merge-patch+json",
            patch,
            manager,
        )
        .await
    }

    /// Changes an object by a JSON merge patch (RFC 7386).
    pub async fn merge(
        &self,
        reference: &ObjectRef,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ApiError> {
        self.patch(reference, "", "application/merge-patch+json", patch, manager)
            .await
    }

    /// Changes an object's status by a JSON merge patch.
    pub async fn merge_status(
        &self,
        reference: &ObjectRef,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ApiError> {
        self.patch(
            reference,
            "/status",
            "application/merge-patch+json",
            patch,
            manager,
        )
        .await
    }

    /// Changes an object by a JSON patch (RFC 6902).
    pub async fn json_patch(
        &self,
        reference: &ObjectRef,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ApiError> {
        self.patch(reference, "", "application/json-patch+json", patch, manager)
            .await
    }

    async fn patch(
        &self,
        reference: &ObjectRef,
        subresource: &str,
        content_type: &'static str,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ApiError> {
        let path = format!(
            "{}?{}",
            self.object_path(reference, subresource).await?,
            encode(&[("fieldManager", manager)])
        );
        let what = reference.to_string();
        read(
            self.send(Method::PATCH, &path, Some((content_type, to_bytes(patch))), &what)
                .await?,
            &what,
        )
    }

    /// Deletes an object. `uid` makes sure that it is the one that was looked at. Gone already is fine.
    pub async fn delete(
        &self,
        reference: &ObjectRef,
        propagation: Propagation,
        uid: Option<&str>,
    ) -> Result<(), ApiError> {
        let path = self.object_path(reference, "").await?;
        let policy = match propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        };
        let mut options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy});
        if let Some((uid, map)) = uid.zip(options.as_object_mut()) {
            map.insert("preconditions".into(), serde_json::json!({"uid": uid}));
        }
        let body = Some(("application/json", to_bytes(&options)));
        match self
            .send(Method::DELETE, &path, body, &reference.to_string())
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A short-lived token of a ServiceAccount for these audiences (TokenRequest). It is a credential: it must not be
    /// printed.
    pub async fn token(&self, account: &ObjectRef, audiences: &[&str]) -> Result<String, ApiError> {
        let path = self.object_path(account, "/token").await?;
        let what = format!("a token of {account}");
        let body = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"audiences": audiences, "expirationSeconds": 3600},
        });
        let body = Some(("application/json", to_bytes(&body)));
        let answer = self.send(Method::POST, &path, body, &what).await?;
        match answer.pointer("/status/token").and_then(Value::as_str) {
            Some(token) => Ok(token.to_owned()),
            None => Err(ApiError::Answer {
                what,
                source: "it holds no token".into(),
            }),
        }
    }

    /// Reads any path of the API, such as `/version`.
    pub async fn raw(&self, path: &str) -> Result<Value, ApiError> {
        self.send(Method::GET, path, None, path).await
    }

    /// Every version of every API group, `v1` or `apps/v1`, with the kinds that it serves, subresources' included. Two
    /// requests (aggregated discovery).
    pub async fn api_versions(&self) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        let mut versions = Vec::new();
        for path in ["/api", "/apis"] {
            let (_, answer) = self
                .ask(Method::GET, path, None, path, AGGREGATED_DISCOVERY)
                .await?;
            crate::resource::aggregated(&answer, path, &mut versions)?;
        }
        Ok(versions)
    }

    pub(crate) async fn object_path(
        &self,
        reference: &ObjectRef,
        subresource: &str,
    ) -> Result<String, ApiError> {
        let resource = self.resource(&reference.gvk).await?;
        Ok(format!(
            "{}{subresource}",
            resource.object_path(&reference.namespace, &reference.name)
        ))
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
        what: &str,
    ) -> Result<Value, ApiError> {
        let (_, value) = self.ask(method, path, body, what, JSON).await?;
        Ok(value)
    }

    /// Sends with this `Accept` header, and gives the status with the answer.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
        what: &str,
        accept: &'static str,
    ) -> Result<(StatusCode, Value), ApiError> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let result = self.send_once(&method, path, body.as_ref(), what, accept).await;
            match result {
                Err(error) if attempt < ATTEMPTS && may_retry(&method, &error) => {
                    tracing::debug!(%method, path, attempt, error = %error, "request failed, trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn send_once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&(&'static str, Vec<u8>)>,
        what: &str,
        accept: &'static str,
    ) -> Result<(StatusCode, Value), ApiError> {
        let mut request = self.stamped(method, path).header(header::ACCEPT, accept);
        let bytes = match body {
            Some((content_type, bytes)) => {
                request = request.header(header::CONTENT_TYPE, *content_type);
                bytes.clone()
            }
            None => Vec::new(),
        };
        let answer = |source| ApiError::Answer {
            what: what.to_owned(),
            source,
        };
        let request = request.body(Body::from(bytes)).map_err(|e| answer(e.into()))?;
        let response = self.kube.send(request).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
        if status.is_client_error() || status.is_server_error() {
            return Err(refusal(status, &body));
        }
        serde_json::from_slice(&body)
            .map(|value| (status, value))
            .map_err(|e| answer(e.into()))
    }

    /// A request in the name of whom the client acts for.
    pub(crate) fn stamped(&self, method: &Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method.clone()).uri(path);
        match &self.identity {
            Some(identity) => identity.stamp(request),
            None => request,
        }
    }
}

/// What an API server says no with: a Status, or the words of whoever stands before it.
fn refusal(status: StatusCode, body: &[u8]) -> ApiError {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |field: &str| said.get(field).and_then(Value::as_str).map(str::to_owned);
    let is_status = text("kind").as_deref() == Some("Status");
    ApiError::Status {
        code: status.as_u16(),
        reason: text("reason").filter(|_| is_status).unwrap_or_default(),
        message: text("message")
            .filter(|_| is_status)
            .unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned()),
    }
}

/// What the API server refused, or that it can't be reached.
pub(crate) fn failed(error: kube::Error) -> ApiError {
    match error {
        kube::Error::Api(status) => ApiError::Status {
            code: status.code,
            reason: status.reason.clone(),
            message: status.message.clone(),
        },
        other => ApiError::Transport(other),
    }
}

/// A broken connection leaves open whether a write happened; only writes that may happen twice are repeated.
/// Server-side apply, merge patches and deletes may, a create may not.
fn may_retry(method: &Method, error: &ApiError) -> bool {
    match error {
        ApiError::Status { code, .. } => matches!(code, 429 | 503),
        ApiError::Transport(_) => method != Method::POST,
        _ => false,
    }
}

pub(crate) fn read(value: Value, what: &str) -> Result<Object, ApiError> {
    Object::from_value(value).map_err(|source| ApiError::Answer {
        what: what.to_owned(),
        source: source.into(),
    })
}

fn to_bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON values with string keys can always be written")
}

/// A query string. Everything outside the unreserved set is percent-encoded.
pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                text.push(char::from(byte));
            } else {
                // Writing to a String can't fail.
                let _ignored = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
