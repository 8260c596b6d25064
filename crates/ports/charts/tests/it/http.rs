//! Indexes and archives over HTTP: credentials, redirects, limits.

use std::time::Duration;

use weir_charts::{Answer, FetchError, Login, Repository, Web};
use weir_redact::SecretString;
use weir_registry::ClientOptions;

use crate::server::{Page, Server};

const LIMIT: u64 = 1000;
/// `Basic` and the base64 of `me:secret`.
const BASIC: &str = "Basic bWU6c2VjcmV0";

fn web() -> Web {
    Web::new(&ClientOptions::default(), Duration::from_secs(5)).unwrap()
}

fn repository(server: &Server, everywhere: bool) -> Repository {
    let login = Login {
        username: "me".to_owned(),
        password: SecretString::from("secret"),
    };
    Repository::new(&format!("{}/charts", server.url))
        .unwrap()
        .with_login(login, everywhere)
}

fn logins(server: &Server) -> Vec<Option<String>> {
    server.seen().into_iter().map(|(_, login)| login).collect()
}

#[tokio::test]
async fn an_index_comes_once_while_it_does_not_change() {
    let server = Server::start().await;
    server.put("/charts/index.yaml", Page::Content(b"apiVersion: v1".to_vec()));
    let repository = repository(&server, false);
    let Answer::Content { bytes, etag } = web().index(&repository, None, LIMIT).await.unwrap() else {
        panic!("content");
    };
    assert_eq!(&bytes[..], b"apiVersion: v1");
    assert_eq!(logins(&server), [Some(BASIC.to_owned())]);
    let answer = web().index(&repository, etag.as_deref(), LIMIT).await.unwrap();
    assert!(matches!(answer, Answer::Unchanged));
    server.put("/charts/index.yaml", Page::Content(b"apiVersion: v1\n".to_vec()));
    let answer = web().index(&repository, etag.as_deref(), LIMIT).await.unwrap();
    assert!(matches!(answer, Answer::Content { .. }));
}

#[tokio::test]
async fn n21_credentials_go_to_the_repositorys_host_and_nowhere_else() {
    let (home, elsewhere) = (Server::start().await, Server::start().await);
    for server in [&home, &elsewhere] {
        server.put("/a.tgz", Page::Content(b"a".to_vec()));
    }
    let own = home.url.parse::<url::Url>().unwrap().join("/a.tgz").unwrap();
    let other = elsewhere.url.parse::<url::Url>().unwrap().join("/a.tgz").unwrap();
    let careful = repository(&home, false);
    web().archive(&own, &careful, LIMIT).await.unwrap();
    web().archive(&other, &careful, LIMIT).await.unwrap();
    assert_eq!(logins(&home), [Some(BASIC.to_owned())]);
    assert_eq!(logins(&elsewhere), [None]);
    // `passCredentials` sends them to other hosts that the index names.
    web()
        .archive(&other, &repository(&home, true), LIMIT)
        .await
        .unwrap();
    assert_eq!(logins(&elsewhere), [Some(BASIC.to_owned())]);
}

#[tokio::test]
async fn n21_a_redirect_to_another_host_takes_no_credentials_along() {
    let (home, elsewhere) = (Server::start().await, Server::start().await);
    elsewhere.put("/a.tgz", Page::Content(b"a".to_vec()));
    home.put("/out", Page::Redirect(format!("{}/a.tgz", elsewhere.url)));
    home.put("/within", Page::Redirect("/a.tgz".to_owned()));
    home.put("/a.tgz", Page::Content(b"b".to_vec()));
    let at = |path: &str| home.url.parse::<url::Url>().unwrap().join(path).unwrap();
    for everywhere in [false, true] {
        let repository = repository(&home, everywhere);
        assert_eq!(
            &web().archive(&at("/out"), &repository, LIMIT).await.unwrap()[..],
            b"a"
        );
        assert_eq!(logins(&home), [Some(BASIC.to_owned())]);
        assert_eq!(logins(&elsewhere), [None]);
        assert_eq!(
            &web().archive(&at("/within"), &repository, LIMIT).await.unwrap()[..],
            b"b"
        );
        assert_eq!(logins(&home), [Some(BASIC.to_owned()), Some(BASIC.to_owned())]);
    }
}

#[tokio::test]
async fn n59_a_redirect_to_a_metadata_service_is_not_followed() {
    let server = Server::start().await;
    for to in [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://me:pw@127.0.0.1/x",
    ] {
        server.put("/charts/index.yaml", Page::Redirect(to.to_owned()));
        let error = web()
            .index(&repository(&server, false), None, LIMIT)
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Redirect { .. }), "{error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
    server.put(
        "/charts/index.yaml",
        Page::Redirect("/charts/index.yaml".to_owned()),
    );
    let error = web()
        .index(&repository(&server, false), None, LIMIT)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("more than 10"), "{error}");
    assert_eq!(server.seen().len(), 3 + 11);
}

#[tokio::test]
async fn refusals_and_limits_are_told_with_the_address() {
    let server = Server::start().await;
    let repository = repository(&server, false);
    let error = web().index(&repository, None, LIMIT).await.unwrap_err();
    let expected = format!("failed to fetch {}/charts/index.yaml : 404 Not Found", server.url);
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_access());
    server.put("/charts/index.yaml", Page::Status(401));
    let error = web().index(&repository, None, LIMIT).await.unwrap_err();
    assert!(
        error.is_access() && error.to_string().ends_with("401 Unauthorized"),
        "{error}"
    );
    for (size, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        server.put(
            "/charts/index.yaml",
            Page::Content(vec![b'x'; usize::try_from(size).unwrap()]),
        );
        let answer = web().index(&repository, None, LIMIT).await;
        assert_eq!(answer.is_ok(), fits, "{size}");
    }
    server.put("/charts/index.yaml", Page::Silence);
    let hasty = web().within(Duration::from_millis(50));
    let error = hasty.index(&repository, None, LIMIT).await.unwrap_err();
    assert!(matches!(error, FetchError::Slow { .. }), "{error}");
    // Nobody listens there.
    let nobody = Repository::new("http://127.0.0.1:1").unwrap();
    let error = web().index(&nobody, None, LIMIT).await.unwrap_err();
    assert!(matches!(error, FetchError::Broken { .. }), "{error}");
}
