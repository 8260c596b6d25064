//! A chart with values, rendered by the action that knows for which revision.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use weir_apis::{GroupVersionKind, ObjectRef};
use weir_cluster::{ApiError, Client, chain};
use weir_gotmpl::{CallError, CertificateRequest, Host, KeyKind, Value};
use weir_helm::{Chart, Options, Origins, PostRender, Rendered, Strategy, Table};

use crate::error::{Failure, Reason};

/// What a release is made of.
pub struct Template {
    /// The chart, with the version that is to be recorded.
    pub chart: Arc<Chart>,
    /// The values that it is given.
    pub values: Arc<Table>,
    /// Where the values come from, for messages.
    pub origins: Origins,
    /// Random numbers, the time and keys for templates. Its `lookup` is not asked.
    pub host: Box<dyn Host + Send + Sync>,
    /// What changes the rendered documents.
    pub post: Option<Box<dyn PostRender + Send + Sync>>,
    /// How hooks go through it.
    pub strategy: Strategy,
    /// Whether values.schema.json is passed over.
    pub skip_schema: bool,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The values may be secret.
        f.debug_struct("Template")
            .field("chart", &self.chart.metadata.name)
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}

impl Template {
    /// Renders on threads of its own; lookups are requests of this client.
    pub(crate) async fn render(self, client: &Client, mut options: Options) -> Result<Rendered, Failure> {
        options.origins = self.origins;
        options.strategy = self.strategy;
        options.skip_schema = self.skip_schema;
        let mut host = Cluster {
            host: self.host,
            client: client.clone(),
            handle: Handle::current(),
        };
        let (chart, values, mut post) = (self.chart, self.values, self.post);
        let rendered = tokio::task::spawn_blocking(move || {
            let post = post.as_deref_mut();
            weir_helm::render(&chart, &values, &options, &mut host, post.map(|post| post as _))
                .map_err(|error| error.to_string())
        })
        .await;
        match rendered {
            Ok(rendered) => rendered.map_err(|message| Failure::new(Reason::Render, message)),
            Err(error) => Err(Failure::new(Reason::Render, error.to_string())),
        }
    }
}

/// A host that looks objects up in a cluster, as whom the client acts for.
struct Cluster {
    host: Box<dyn Host + Send + Sync>,
    client: Client,
    handle: Handle,
}

impl Host for Cluster {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        self.host.random(bytes)
    }

    fn now(&mut self) -> Result<i128, CallError> {
        self.host.now()
    }

    fn local_zone(&mut self, seconds: i64) -> (i32, String) {
        self.host.local_zone(seconds)
    }

    fn zone(&mut self, name: &str, seconds: i64) -> Option<(i32, String)> {
        self.host.zone(name, seconds)
    }

    /// The render runs on a thread of its own, outside the runtime, so it may wait.
    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, CallError> {
        let gvk = GroupVersionKind::from_api_version(api_version, kind);
        let found = self.handle.block_on(look_up(&self.client, gvk, namespace, name));
        match found {
            Ok(found) => Ok(Value::from_json(&found)),
            Err(error) => Err(CallError::new(chain(&error))),
        }
    }

    fn private_key(&mut self, kind: KeyKind) -> Result<String, CallError> {
        self.host.private_key(kind)
    }

    fn certificate(&mut self, request: &CertificateRequest<'_>) -> Result<(String, String), CallError> {
        self.host.certificate(request)
    }

    fn warn(&mut self, message: &str) {
        self.host.warn(message);
    }

    fn is_lint(&self) -> bool {
        self.host.is_lint()
    }
}

/// An object, or a list of all without a name; an empty object where there is none.
async fn look_up(
    client: &Client,
    gvk: GroupVersionKind,
    namespace: &str,
    name: &str,
) -> Result<Json, ApiError> {
    if !name.is_empty() {
        let found = client.get(&ObjectRef::new(gvk, namespace, name)).await?;
        return Ok(found.map_or_else(|| json!({}), weir_apis::Object::into_value));
    }
    let items = client.list(&gvk, namespace, "").await?;
    let items: Vec<Json> = items.into_iter().map(weir_apis::Object::into_value).collect();
    Ok(json!({
        "apiVersion": gvk.api_version(), "kind": format!("{}List", gvk.kind), "metadata": {}, "items": items,
    }))
}
