//! What does one decision cost?
//!
//! The aims: below 2 us for five policies of ten statements with everything kept that its trace needs, below 1 us where
//! it allows, linear in the number of statements, and bounded for hostile wildcards. A trace is made when somebody
//! asks for it; `traced` and `explained` show what that adds.
//!
//! Measured on one of two shared virtual cores (Rust 1.95, the `bench` profile), the least of batches of 200 decisions,
//! since other load only ever adds: 0.71 us where five policies of ten statements and a sixth allow, 0.65 us where they
//! deny, 0.58 and 0.53 us for the outcome alone; 0.24, 1.2, 10.7 and 170 us for 10, 100, 1,000 and 10,000 statements (the
//! last no longer fit the cache). `valgrind --tool=callgrind` counts 12,400 instructions for the allowed decision; two
//! thirds of them are in the statements whose gate is open (`policy/gate.rs`), a quarter in their conditions. How often
//! a decision allocates is a test, `emulator/authz/tests/allocations.rs`.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use std::hint::black_box;

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide, decide_owned, outcome,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const ACCOUNT: &str = "111122223333";

/// A session of a role reads an object, with the condition keys that every request has.
fn request(key: &str) -> Request {
    let account = AccountId::new(ACCOUNT).expect("an account id");
    let arn = |text: String| Arn::new(text).expect("an ARN");
    let mut context = Context::new();
    context
        .set("aws:CurrentTime", "2026-07-01T12:00:00Z")
        .set("aws:EpochTime", "1782907200")
        .set("aws:PrincipalAccount", ACCOUNT)
        .set("aws:PrincipalArn", format!("arn:aws:iam::{ACCOUNT}:role/svc/loader"))
        .set("aws:PrincipalType", "AssumedRole")
        .set("aws:RequestedRegion", "eu-west-1")
        .set("aws:ResourceAccount", ACCOUNT)
        .set("aws:SecureTransport", "true")
        .set("aws:SourceIp", "203.0.113.7")
        .set("aws:userid", "AROA310E90BE8A8871852:job-7")
        .set("aws:UserAgent", "aws-sdk-rust/1.3")
        .set("s3:authType", "REST-HEADER")
        .set("s3:signatureversion", "AWS4-HMAC-SHA256");
    Request {
        ids: PrincipalIds::default(),
        principal: Principal::AssumedRole {
            session_arn: arn(format!("arn:aws:sts::{ACCOUNT}:assumed-role/loader/job-7")),
            role_arn: arn(format!("arn:aws:iam::{ACCOUNT}:role/svc/loader")),
            account: account.clone(),
        },
        action: "s3:GetObject".to_owned(),
        resource: Resource { arn: format!("arn:aws:s3:::events/{key}"), account: Some(account) },
        context,
    }
}

/// Statements that speak of the request's service and partly of its action, but not of its object.
fn statement(number: usize) -> String {
    let condition = match number % 5 {
        0 => r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcd123456"}}"#,
        1 => r#","Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}}"#,
        _ => "",
    };
    let effect = if number.is_multiple_of(7) { "Deny" } else { "Allow" };
    let resource = match number % 5 {
        0 | 1 => "arn:aws:s3:::events/*".to_owned(),
        other => format!("arn:aws:s3:::bucket-{number}/{other}/*"),
    };
    format!(
        r#"{{"Sid":"S{number}","Effect":"{effect}","Action":["s3:Get*","s3:List*","s3:PutObject"],"Resource":"{resource}"{condition}}}"#
    )
}

fn policy(statements: impl Iterator<Item = String>) -> Policy {
    let statements = statements.collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Policy::parse(&text, PolicySource::new(PolicyKind::Identity, "bench")).expect("a policy")
}

fn allowing(resource: &str) -> Policy {
    policy(std::iter::once(format!(
        r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}","Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}"#
    )))
}

fn five_by_ten(criterion: &mut Criterion) {
    let request = request("raw/2026/07/part-0001.parquet");
    let refusing: Vec<Policy> = (0..5).map(|n| policy((n * 10..n * 10 + 10).map(statement))).collect();
    let mut granting = refusing.clone();
    granting.push(allowing("arn:aws:s3:::events/raw/*"));
    let denied = Policies { identity: &refusing, ..Policies::default() };
    let allowed = Policies { identity: &granting, ..Policies::default() };
    assert!(decide(&request, &allowed).is_allowed() && !decide(&request, &denied).is_allowed());

    let mut group = criterion.benchmark_group("decision/5x10");
    for (name, policies) in [("allowed", &allowed), ("denied", &denied)] {
        group.bench_function(name, |bencher| bencher.iter(|| decide(black_box(&request), policies)));
        group.bench_function(format!("{name}/owned"), |bencher| {
            bencher.iter_batched(
                || request.clone(),
                |request| decide_owned(request, policies),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("{name}/outcome"), |bencher| {
            bencher.iter(|| outcome(black_box(&request), policies));
        });
        group.bench_function(format!("{name}/traced"), |bencher| {
            bencher.iter(|| decide(black_box(&request), policies).trace().policies.len());
        });
        group.bench_function(format!("{name}/explained"), |bencher| {
            bencher.iter(|| decide(black_box(&request), policies).explain());
        });
    }
    group.finish();
}

fn many_statements(criterion: &mut Criterion) {
    let request = request("raw/2026/07/part-0001.parquet");
    let mut group = criterion.benchmark_group("decision/statements");
    for count in [10, 100, 1_000, 10_000] {
        let all = [policy((0..count).map(statement))];
        let policies = Policies { identity: &all, ..Policies::default() };
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &policies, |bencher, policies| {
            bencher.iter(|| decide(black_box(&request), policies));
        });
    }
    group.finish();
}

fn hostile_wildcards(criterion: &mut Criterion) {
    let request = request(&"a".repeat(1_024));
    let mut group = criterion.benchmark_group("decision/hostile");
    for (name, pattern) in [
        ("many-stars", format!("{}b", "*a".repeat(500))),
        ("long-run", format!("*{}b", "a".repeat(1_000))),
        ("single-characters", format!("*{}b", "?a".repeat(250))),
    ] {
        let all = [allowing(&format!("arn:aws:s3:::events/{pattern}"))];
        let policies = Policies { identity: &all, ..Policies::default() };
        group.bench_function(name, |bencher| bencher.iter(|| outcome(black_box(&request), &policies)));
    }
    group.finish();
}

fn documents(criterion: &mut Criterion) {
    let texts: Vec<String> =
        [10, 1_000].map(|count| policy((0..count).map(statement)).text().to_owned()).into_iter().collect();
    let mut group = criterion.benchmark_group("decision/parse");
    for text in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(text.len()), text, |bencher, text| {
            bencher.iter(|| Policy::parse(text, PolicySource::new(PolicyKind::Identity, "bench")));
        });
    }
    group.finish();
}

criterion_group!(benches, five_by_ten, many_statements, hostile_wildcards, documents);
criterion_main!(benches);
