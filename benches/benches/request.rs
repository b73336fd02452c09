//! What does one request cost with policies enforced?
//!
//! PUT and GET of 1 KiB through the SDK over memory. The peer is `s3s-fs` behind the same codec without
//! authentication, policies or a journal, called with ready requests; the SDK's own cost (signing, checksums) is shown
//! by `sdk/...` against `raw/...`.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_emulator::{Emulator, Scenario};
use bucketproof_fixtures::scenario::{ADMINISTRATOR, SUPRSEND_BUCKET, suprsend};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Method, Request};
use s3s::service::S3ServiceBuilder;

use signed::signed;

#[path = "../shared/signed.rs"]
mod signed;

const BODY: [u8; 1024] = [b'0'; 1024];

/// The customer's account, whose administrator has further policies with so many statements together, none of which is about
/// the key that is asked for. No single policy may be as long.
async fn with_statements(count: usize) -> Emulator {
    const IN_ONE_POLICY: usize = 50;
    let statement = |number: usize| {
        format!(
            r#"{{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::{SUPRSEND_BUCKET}/closed-{number}/*"}}"#
        )
    };
    let policy = |first: usize| {
        let statements: Vec<String> = (first..first + IN_ONE_POLICY).map(statement).collect();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        (format!("policies/closed-{first}.json"), text)
    };
    let policies: Vec<(String, String)> = (0..count).step_by(IN_ONE_POLICY).map(policy).collect();
    let parts = suprsend();
    let names: Vec<String> = policies.iter().map(|(path, _)| format!(", \"{path}\"")).collect();
    let own = "\"policies/administrator.json\"";
    let text = parts.text.replace(own, &format!("{own}{}", names.concat()));
    let further = policies.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let files: Vec<(&str, &str)> = parts.files.iter().copied().chain(further).collect();
    let scenario = Scenario::from_parts(&text, parts.path, &files).expect("a scenario");
    Emulator::builder().scenario(scenario).seed(7).start().await.expect("an emulator")
}

fn request(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let parts = suprsend();
    let scenario = Scenario::from_parts(parts.text, parts.path, parts.files).expect("a scenario");
    let emulator =
        runtime.block_on(Emulator::builder().scenario(scenario).seed(7).start()).expect("an emulator");
    let s3 = emulator.s3(ADMINISTRATOR.principal);
    let mut group = criterion.benchmark_group("request");

    group.bench_function("sdk/put 1 KiB", |bencher| {
        bencher.iter(|| {
            let body = ByteStream::from_static(&BODY);
            let put = s3.put_object().bucket(SUPRSEND_BUCKET).key("bench").body(body);
            runtime.block_on(put.send()).expect("the object is written")
        });
    });
    group.bench_function("sdk/get 1 KiB", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let got = s3.get_object().bucket(SUPRSEND_BUCKET).key("bench").send().await;
                got.expect("the object").body.collect().await.expect("its bytes")
            })
        });
    });

    // Presigned once and sent as they are: what the server itself takes for a signed request.
    let config = PresigningConfig::expires_in(Duration::from_hours(1)).expect("an hour");
    let put =
        runtime.block_on(s3.put_object().bucket(SUPRSEND_BUCKET).key("bench").presigned(config.clone()));
    let put = put.expect("a URL").uri().to_owned();
    group.bench_function("raw/presigned put 1 KiB", |bencher| {
        bencher.iter(|| {
            let request = Request::put(&put).body(Bytes::from_static(&BODY)).expect("a request");
            runtime.block_on(emulator.send(request)).expect("an answer")
        });
    });
    let get = runtime.block_on(s3.get_object().bucket(SUPRSEND_BUCKET).key("bench").presigned(config));
    let get = get.expect("a URL").uri().to_owned();
    group.bench_function("raw/presigned get 1 KiB", |bencher| {
        bencher.iter(|| {
            let request = Request::get(&get).body(Bytes::new()).expect("a request");
            runtime.block_on(emulator.send(request)).expect("an answer")
        });
    });

    // The same signed in their headers, which says the hash of the body too.
    let target = format!("/{SUPRSEND_BUCKET}/bench");
    for (name, method, body) in [
        ("raw/signed put 1 KiB", Method::PUT, Bytes::from_static(&BODY)),
        ("raw/signed get 1 KiB", Method::GET, Bytes::new()),
        ("raw/signed head 1 KiB", Method::HEAD, Bytes::new()),
    ] {
        let request = signed(&emulator, ADMINISTRATOR.principal, &method, &target, body);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let answer = runtime.block_on(emulator.send(request.clone())).expect("an answer");
                assert!(answer.status().is_success(), "{}", answer.status());
                answer
            });
        });
    }

    // Policies with a thousand statements.
    let strict = runtime.block_on(with_statements(1_000));
    for (method, body) in [(Method::PUT, Bytes::from_static(&BODY)), (Method::GET, Bytes::new())] {
        let request = signed(&strict, ADMINISTRATOR.principal, &method, &target, body);
        group.bench_function(format!("raw/signed {method} 1 KiB, 1,000 statements"), |bencher| {
            bencher.iter(|| {
                let answer = runtime.block_on(strict.send(request.clone())).expect("an answer");
                assert!(answer.status().is_success(), "{}", answer.status());
                answer
            });
        });
    }

    // Without a signature a request is authenticated as anonymous, decided, denied and worded: the whole way but the
    // state.
    let target = format!("{}/{SUPRSEND_BUCKET}/bench", emulator.endpoint_url());
    group.bench_function("raw/anonymous get, denied", |bencher| {
        bencher.iter(|| {
            let request = Request::get(&target).body(Bytes::new()).expect("a request");
            runtime.block_on(emulator.send(request)).expect("an answer")
        });
    });

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("bench")).expect("a bucket");
    let peer = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).expect("a file system")).build();
    group.bench_function("peer s3s-fs/put 1 KiB, no policies", |bencher| {
        bencher.iter(|| {
            let request = Request::put("http://127.0.0.1/bench/key")
                .header("content-length", BODY.len())
                .body(s3s::Body::from(Bytes::from_static(&BODY)))
                .expect("a request");
            runtime.block_on(peer.call(request)).expect("an answer")
        });
    });
    group.bench_function("peer s3s-fs/get 1 KiB, no policies", |bencher| {
        bencher.iter(|| {
            let request =
                Request::get("http://127.0.0.1/bench/key").body(s3s::Body::empty()).expect("a request");
            runtime.block_on(peer.call(request)).expect("an answer")
        });
    });
    group.finish();
}

criterion_group!(benches, request);
criterion_main!(benches);
