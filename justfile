# List the recipes.
default:
    @just --list

# Format.
fmt:
    cargo fmt --all

# Refuse what is not formatted, and every lint.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# All tests.
test:
    cargo test --workspace

# The documentation, without warnings.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# The main job: prove the vendor's export against the emulator.
conformance:
    cargo run --release

# One criterion bench: `just bench encode`.
bench name:
    cargo bench -p bucketproof-benches --bench {{ name }}

# Fuzz a target of the decision core (`document`, `wildcard`, `decision`) for some seconds, on one core.
fuzz target seconds="600":
    cargo afl build --release --manifest-path emulator/authz/fuzz/Cargo.toml --target-dir target/fuzz
    mkdir -p target/fuzz/found
    AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 \
        nice -n 19 cargo afl fuzz -V {{ seconds }} -t 2000 -i emulator/authz/fuzz/corpus/{{ target }} \
        -o target/fuzz/found/{{ target }} -- target/fuzz/release/bucketproof-authz-fuzz {{ target }}

# Take over changed snapshots after reading them with `git diff`.
accept:
    INSTA_UPDATE=always cargo test --workspace

# What CI does.
ci:
    bash .ci/run
