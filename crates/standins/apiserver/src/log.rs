//! What was asked of the server.

use crate::auth::action_of;
use crate::request::ApiRequest;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Kubernetes' verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the HTTP
    /// method in small letters when the path names no resource.
    pub verb: String,
    /// API group, empty for the core group.
    pub group: String,
    /// Plural name, with `/subresource` when there is one; empty when the path names no resource.
    pub resource: String,
    /// Namespace, may be empty.
    pub namespace: String,
    /// Object name, may be empty.
    pub name: String,
    /// The path, without its query.
    pub path: String,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Who asked, after impersonation; empty when that was not found out.
    pub user: String,
    /// HTTP status of the answer.
    pub status: u16,
}

impl RequestRecord {
    /// Whether the request may change something: its verb is not a reading one. Reviews count as writes, as they do in audit logs.
    pub fn is_write(&self) -> bool {
        matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        )
    }

    pub(crate) fn of(request: &ApiRequest) -> Self {
        let action = action_of(request);
        Self {
            resource: action.full_resource(),
            verb: action.verb,
            group: action.group,
            namespace: action.namespace,
            name: action.name,
            path: request.path(),
            user_agent: request.header("user-agent").to_owned(),
            user: String::new(),
            status: 0,
        }
    }
}

/// The requests so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) records: Vec<RequestRecord>,
}
