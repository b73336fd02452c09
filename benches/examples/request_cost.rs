//! What a request takes from the allocator, and a loop of requests for a profiler.
//!
//! `request_cost` prints a line for each kind of request: allocations, and bytes asked for, of one request inside the
//! server, policies enforced, journal on. `request_cost KIND TIMES` sends so many of one kind and prints nothing: what
//! `valgrind --tool=callgrind` counts of it, less what it counts of half as many, is what the requests cost.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program of one purpose, for people at a terminal"
)]

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use bucketproof_emulator::{Emulator, Scenario};
use bucketproof_fixtures::scenario::{ADMINISTRATOR, SUPRSEND_BUCKET, suprsend};
use bytes::Bytes;
use http::{Method, Request};
use tokio::runtime::Runtime;

use signed::signed;

#[path = "../shared/signed.rs"]
mod signed;

const BODY: [u8; 1024] = [b'0'; 1024];
/// Before anything is counted: what is made once is made.
const WARM_UP: usize = 100;
/// The keys of the page that is listed.
const PAGE: usize = 1_000;

/// An emulator with requests for it, each by its name.
struct Bench {
    runtime: Runtime,
    emulator: Emulator,
    requests: Vec<(&'static str, Request<Bytes>)>,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let parts = suprsend();
        let scenario = Scenario::from_parts(parts.text, parts.path, parts.files).expect("a scenario");
        let emulator =
            runtime.block_on(Emulator::builder().scenario(scenario).seed(7).start()).expect("an emulator");
        let body = || Bytes::from_static(&BODY);
        let by_header = |method: Method, target: &str, body: Bytes| {
            signed(&emulator, ADMINISTRATOR.principal, &method, &format!("/{SUPRSEND_BUCKET}{target}"), body)
        };
        let s3 = emulator.s3(ADMINISTRATOR.principal);
        let hour = || PresigningConfig::expires_in(Duration::from_hours(1)).expect("an hour");
        let put = s3.put_object().bucket(SUPRSEND_BUCKET).key("bench").presigned(hour());
        let put = runtime.block_on(put).expect("a URL").uri().to_owned();
        let get = s3.get_object().bucket(SUPRSEND_BUCKET).key("bench").presigned(hour());
        let get = runtime.block_on(get).expect("a URL").uri().to_owned();
        let denied = format!("{}/{SUPRSEND_BUCKET}/bench", emulator.endpoint_url());
        let requests = vec![
            ("put", by_header(Method::PUT, "/bench", body())),
            ("get", by_header(Method::GET, "/bench", Bytes::new())),
            ("head", by_header(Method::HEAD, "/bench", Bytes::new())),
            ("presigned-put", Request::put(put).body(body()).expect("a request")),
            ("presigned-get", Request::get(get).body(Bytes::new()).expect("a request")),
            ("denied", Request::get(denied).body(Bytes::new()).expect("a request")),
            ("page", by_header(Method::GET, "/?list-type=2&prefix=page%2F", Bytes::new())),
        ];
        for number in 0..PAGE {
            let put = by_header(Method::PUT, &format!("/page/{number:04}"), Bytes::new());
            runtime.block_on(emulator.send(put)).expect("an answer");
        }
        Self { runtime, emulator, requests }
    }

    fn send(&self, (name, request): &(&'static str, Request<Bytes>), times: usize) {
        for _ in 0..times {
            let answer = self.runtime.block_on(self.emulator.send(request.clone())).expect("an answer");
            assert_eq!(answer.status().is_success(), *name != "denied", "{name}: {}", answer.status());
        }
    }
}

fn main() {
    let bench = Bench::new();
    let mut arguments = std::env::args().skip(1);
    if let Some(kind) = arguments.next() {
        let times = arguments.next().map_or(1_000, |text| text.parse().expect("a number of requests"));
        // What is read must be there.
        for request in bench.requests.iter().filter(|request| request.0 == "put" || request.0 == kind) {
            bench.send(request, if request.0 == kind { times } else { 1 });
        }
        return;
    }
    for request in &bench.requests {
        bench.send(request, WARM_UP);
        let counted = allocation_counter::measure(|| bench.send(request, 1));
        println!("{:13} {:5} allocations, {:7} bytes", request.0, counted.count_total, counted.bytes_total);
    }
}
