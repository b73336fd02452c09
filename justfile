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

# Take over changed snapshots after reading them with `git diff`.
accept:
    INSTA_UPDATE=always cargo test --workspace

# What CI does.
ci:
    bash .ci/run
