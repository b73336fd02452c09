//! How much does one client move over a socket?
//!
//! PUT and GET of 1 KiB and 8 MiB through the SDK on loopback, signatures checked on both sides; and of 1 KiB by URLs signed
//! beforehand over a bare connection, which leaves the time of the servers and of the kernel. The emulator decides under
//! policies and keeps a journal; the peer is `s3s-fs`, which keeps files and has no policies, served from the same
//! process in the same run. `PEER=moto=http://127.0.0.1:5000` names another one, whose server runs already.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_emulator::{Emulator, Scenario};
use bucketproof_fixtures::scenario::{ADMINISTRATOR, SUPRSEND_BUCKET, suprsend};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder as Connection;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

#[path = "../shared/wire.rs"]
mod wire;

use wire::Wire;

const KEY_ID: &str = "AKIATHROUGHPUTBENCH0";
const SECRET: &str = "secret of the bench";

fn client(endpoint: &str, key_id: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(key_id, secret, None, None, "bench"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

/// `s3s-fs` on a socket of its own.
async fn serve_files(folder: &Path) -> SocketAddr {
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).expect("a file system"));
    builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = Connection::new(TokioExecutor::new());
                // A connection that breaks ends; the client sees it.
                let _ended = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

/// What goes over the wire for a request signed beforehand, and where to.
fn written(request: &PresignedRequest, body: &[u8]) -> (String, Vec<u8>) {
    let uri: http::Uri = request.uri().parse().expect("a URL");
    let host = uri.authority().expect("a host").to_string();
    let target = uri.path_and_query().expect("a path");
    let (method, length) = (request.method(), body.len());
    let head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n");
    (host, [head.as_bytes(), body].concat())
}

/// A KiB by URLs signed beforehand, each client on one connection.
fn bare(criterion: &mut Criterion, runtime: &Runtime, clients: &[(String, Client)]) {
    let body = [b'0'; 1 << 10];
    let mut group = criterion.benchmark_group("throughput/1 KiB on a bare connection");
    group.sample_size(30);
    for (name, s3) in clients {
        let valid = || PresigningConfig::expires_in(Duration::from_hours(1)).expect("an hour");
        let put = s3.put_object().bucket(SUPRSEND_BUCKET).key("bare").presigned(valid());
        let get = s3.get_object().bucket(SUPRSEND_BUCKET).key("bare").presigned(valid());
        let (host, put) = written(&runtime.block_on(put).expect("a URL"), &body);
        let (_, get) = written(&runtime.block_on(get).expect("a URL"), &[]);
        let mut wire = Wire::new(&host);
        group.bench_function(format!("put {name}"), |bencher| bencher.iter(|| wire.exchange(&put)));
        assert_eq!(wire.exchange(&get), body.len());
        group.bench_function(format!("get {name}"), |bencher| bencher.iter(|| wire.exchange(&get)));
    }
    group.finish();
}

fn throughput(criterion: &mut Criterion) {
    // The servers on a thread of their own, as a process would have them; the client on this one.
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let servers = servers.expect("a runtime");
    let runtime: Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let parts = suprsend();
    let scenario = Scenario::from_parts(parts.text, parts.path, parts.files).expect("a scenario");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let started = Emulator::builder().scenario(scenario).seed(7).listen(listen).start();
    let emulator = servers.block_on(started).expect("an emulator");
    let address = emulator.address().expect("a socket");
    let ours = client(&format!("http://{address}"), ADMINISTRATOR.id, ADMINISTRATOR.secret);

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(SUPRSEND_BUCKET)).expect("a bucket");
    let files = servers.block_on(serve_files(folder.path()));
    let mut clients = vec![
        ("emulator".to_owned(), ours),
        ("peer s3s-fs".to_owned(), client(&format!("http://{files}"), KEY_ID, SECRET)),
    ];
    if let Some((name, endpoint)) =
        std::env::var("PEER").ok().as_deref().and_then(|peer| peer.split_once('='))
    {
        let other = client(endpoint, KEY_ID, SECRET);
        let create = other.create_bucket().bucket(SUPRSEND_BUCKET);
        runtime.block_on(create.send()).expect("a bucket");
        clients.push((format!("peer {name}"), other));
    }

    bare(criterion, &runtime, &clients);
    for (size, bytes) in [("1 KiB", 1 << 10), ("8 MiB", 8 << 20)] {
        let body = Bytes::from(vec![b'0'; bytes]);
        let mut group = criterion.benchmark_group(format!("throughput/{size}"));
        group.sample_size(30);
        group.throughput(Throughput::Bytes(bytes as u64));
        for (name, s3) in &clients {
            group.bench_function(format!("put {name}"), |bencher| {
                bencher.iter(|| {
                    let put = s3.put_object().bucket(SUPRSEND_BUCKET).key("bench");
                    let put = put.body(ByteStream::from(body.clone()));
                    runtime.block_on(put.send()).expect("the object is written")
                });
            });
            group.bench_function(format!("get {name}"), |bencher| {
                bencher.iter(|| {
                    runtime.block_on(async {
                        let got = s3.get_object().bucket(SUPRSEND_BUCKET).key("bench").send().await;
                        got.expect("the object").body.collect().await.expect("its bytes")
                    })
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, throughput);
criterion_main!(benches);
