//! `weir registry serve`.

use weir_cli::{Exit, Io};

use crate::harness::weir;

#[tokio::test]
async fn it_serves_until_it_is_stopped_and_prints_its_address() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (io, printed) = Io::captured();
    let mut io = io.until(async {
        stopped.await.ok();
    });
    let server = tokio::spawn(async move {
        weir_cli::run(["weir", "registry", "serve", "--listen", "127.0.0.1:0"], &mut io).await
    });
    let address = loop {
        match printed.stdout().lines().next() {
            Some(line) => break line.to_owned(),
            None => tokio::task::yield_now().await,
        }
    };
    let url = format!("oci://{address}/a:v1");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("UTF-8");
    weir(&[
        "artifact",
        "push",
        &url,
        "-p",
        path,
        "--source",
        "s",
        "--revision",
        "r",
    ])
    .await
    .success();
    stop.send(()).expect("is served");
    assert_eq!(server.await.expect("ends"), Exit::Success);
}

#[tokio::test]
async fn an_address_in_use_is_a_failure_with_a_way_out() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = weir(&["registry", "serve", "--listen", &address]).await.failure();
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}
