//! How long does an emulator take to start in-process? The limit is one millisecond.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use bucketproof_emulator::{Emulator, Scenario};
use bucketproof_fixtures::scenario::suprsend;
use criterion::{Criterion, criterion_group, criterion_main};

/// Five accounts, each with a user, a role and a bucket.
fn five_accounts() -> String {
    let account = |number: u8| {
        format!(
            r#"
[[account]]
id = "11112222333{number}"
name = "account-{number}"
[[account.user]]
name = "user-{number}"
policies = ['{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*"}}]}}']
[[account.user.access_key]]
id = "AKIABENCHUSER{number}EXAMPLE"
secret = "benchUser{number}Secret"
[[account.role]]
name = "role-{number}"
trust = '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"11112222333{number}"}},"Action":"sts:AssumeRole"}}]}}'
[[account.bucket]]
name = "bucket-{number}"
"#
        )
    };
    (1..=5).map(account).collect()
}

fn start(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let parts = suprsend();
    let text = five_accounts();
    let mut group = criterion.benchmark_group("startup");
    group.bench_function("vendor scenario, read and started", |bencher| {
        bencher.iter(|| {
            let scenario = Scenario::from_parts(parts.text, parts.path, parts.files).expect("a scenario");
            runtime.block_on(Emulator::builder().scenario(scenario).seed(7).start()).expect("an emulator")
        });
    });
    group.bench_function("five accounts, read and started", |bencher| {
        bencher.iter(|| {
            let scenario = Scenario::from_toml(&text).expect("a scenario");
            runtime.block_on(Emulator::builder().scenario(scenario).seed(7).start()).expect("an emulator")
        });
    });
    group.finish();
}

criterion_group!(benches, start);
criterion_main!(benches);
