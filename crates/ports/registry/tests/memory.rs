//! What moving a large blob costs in memory, either way. A program of its own: the peak that is measured is that of the whole
//! process, the registry included, which makes up what it sends and forgets what it gets.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use weir_oci::{Descriptor, Digest, Hasher};
use weir_registry::{BlobSource, Client, ClientOptions, PlainHttp};

/// Bytes of the blob: far more than may be held at once.
const SIZE: u64 = 512 << 20;
/// What may be held at once, over a blob of a few bytes.
const ALLOWED: u64 = 16 << 20;

static PIECE: [u8; 64 << 10] = [7; 64 << 10];

fn digest() -> Digest {
    let mut hasher = Hasher::new();
    for _ in 0..SIZE / PIECE.len() as u64 {
        hasher.update(&PIECE);
    }
    hasher.finish()
}

/// The most memory that the process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// Answers requests on one connection.
async fn talk(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut stored = 0_u64;
    loop {
        let (mut head, mut length) = (String::new(), 0_u64);
        while !head.ends_with("\r\n\r\n") {
            let start = head.len();
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
            let line = head.get(start..).unwrap_or_default().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        stored += tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await?;
        let session = "Location: /v2/org/app/blobs/uploads/1\r\nContent-Length: 0\r\n";
        let answer = match head.split(' ').next().unwrap_or_default() {
            "POST" => format!("202 Accepted\r\n{session}"),
            "PATCH" => format!(
                "202 Accepted\r\n{session}Range: 0-{}\r\n",
                stored.saturating_sub(1)
            ),
            "PUT" => format!("201 Created\r\n{session}"),
            "GET" => format!("200 OK\r\nContent-Length: {SIZE}\r\n"),
            _ => "404 Not Found\r\nContent-Length: 0\r\n".to_owned(),
        };
        let answer = format!("HTTP/1.1 {answer}\r\n");
        stream.get_mut().write_all(answer.as_bytes()).await?;
        if head.starts_with("GET") {
            for _ in 0..SIZE / PIECE.len() as u64 {
                stream.get_mut().write_all(&PIECE).await?;
            }
        }
    }
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream));
        }
    });
    address
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "the peak is read from /proc")]
async fn a_large_blob_up_and_down_does_not_raise_memory() {
    let address = serve().await;
    let repository = format!("{address}/org/app").parse().unwrap();
    let client = Client::new(ClientOptions {
        plain_http: PlainHttp::Loopback,
        ..ClientOptions::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    // The pages of the program itself count, too.
    client
        .push_blob(&repository, "x", b"small".to_vec())
        .await
        .unwrap();
    let before = peak();

    let digest = digest();
    let blob = Descriptor::new("x", digest, SIZE);
    client.blob_to_file(&repository, &blob, &path).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), SIZE);
    let pulled = peak() - before;
    assert!(pulled < ALLOWED, "{pulled} bytes to pull {SIZE}");

    let pushed = client
        .push_blob(&repository, "x", BlobSource::File(path))
        .await
        .unwrap();
    assert_eq!(pushed, blob);
    let both = peak() - before;
    assert!(both < ALLOWED, "{both} bytes to pull and push {SIZE}");
    println!("{pulled} bytes to pull {SIZE}, {both} with the push");
}
