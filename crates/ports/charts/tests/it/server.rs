//! A web server that remembers who asked with which login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;

/// What a path answers with.
#[derive(Clone)]
pub(crate) enum Page {
    Content(Vec<u8>),
    Redirect(String),
    Status(u16),
    Silence,
}

/// A request: its path with the query, and its `Authorization`.
pub(crate) type Seen = (String, Option<String>);

#[derive(Clone, Default)]
struct Site {
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

pub(crate) struct Server {
    site: Site,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let site = Site::default();
        let app = Router::new().fallback(answer).with_state(site.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { site, url }
    }

    pub(crate) fn put(&self, path: &str, page: Page) {
        self.site.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.site.seen.lock().unwrap())
    }
}

impl Site {
    /// Remembers a request: the etag that it knows, and what it is to be answered with.
    fn note(&self, request: &Request) -> (Option<String>, Option<Page>) {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let login = header("authorization");
        let path = request.uri().path_and_query().unwrap().to_string();
        self.seen.lock().unwrap().push((path, login));
        let page = self.pages.lock().unwrap().get(request.uri().path()).cloned();
        (header("if-none-match"), page)
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    let (known, page) = site.note(&request);
    // A request is not to be held while nothing happens.
    drop(request);
    let reply = |status: u16| Response::builder().status(status);
    match page {
        None => reply(404).body(Body::from("there is no such page")),
        Some(Page::Status(status)) => reply(status).body(Body::empty()),
        Some(Page::Redirect(to)) => reply(302).header("location", to).body(Body::empty()),
        Some(Page::Silence) => std::future::pending().await,
        Some(Page::Content(content)) => {
            let etag = format!("\"{}\"", content.len());
            if known.as_deref() == Some(&etag) {
                reply(304).body(Body::empty())
            } else {
                reply(200).header("etag", etag).body(content.into())
            }
        }
    }
    .unwrap()
}
