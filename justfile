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

# So many random schedules under faults: of exports of every profile, of two writers, of tails, of pauses and toggles, and of
# imports into each target.
schedules cases="10000": (import-schedules cases)
    PROPTEST_CASES={{ cases }} cargo test --workspace --test export -- writers:: tails:: toggles:: vendors::schedules
    PROPTEST_CASES={{ cases }} cargo test --workspace --lib -- splice::

# So many random schedules of imports (notices lost, late, twice, forged; files replaced and deleted; crashes at every step) into
# each target: SQLite, a dataset of Parquet and, if the machine has one, PostgreSQL.
import-schedules cases="10000":
    BUCKETPROOF_SCHEDULES={{ cases }} cargo test --workspace --test import -- model::

# The connector's memory against the size of its input: `just memory 1000000,10000000`. Takes as much disk as the input.
memory rows="1000000,3000000" *options="":
    cargo build --release --workspace
    python3 .ci/memory.py target/release --rows {{ rows }} {{ options }}

# What 1 % changed rows of an hour cost: rewritten, spliced, with a tail.
tails rows="1000000":
    cargo build --release --workspace
    python3 .ci/tails.py target/release --rows {{ rows }}

# Our paths beside DuckDB, Polars and pyarrow (in the Python at hand): `just peers --from columns --to csv`.
peers *options:
    python3 benches/peers.py {{ options }}

# Instructions of the encoding path for 10,000 rows, which a busy machine does not change: compare two commits with it.
instructions codec="snappy":
    cargo build --quiet --release --workspace --examples
    target/release/examples/messages_ndjson 10000 > target/instructions.ndjson
    valgrind --tool=callgrind --callgrind-out-file=target/callgrind.out \
        target/release/examples/ndjson_to_parquet target/instructions.ndjson target/instructions.parquet {{ codec }} 1
    callgrind_annotate target/callgrind.out | head -40

# Allocations of requests, and the instructions of one kind (`put`, `get`, `head`, `page`, ...) inside the server.
request-instructions kind="get" times="2000":
    cargo build --quiet --release --workspace --examples
    target/release/examples/request_cost
    valgrind --tool=callgrind --callgrind-out-file=target/callgrind.out \
        target/release/examples/request_cost {{ kind }} {{ times }}
    callgrind_annotate target/callgrind.out | head -40

# Which lines of the decision core its own tests run: the total, and the lines they leave out.
coverage:
    cargo llvm-cov --package bucketproof-authz --show-missing-lines --fail-under-lines 95

# Change the decision core in every small way and see whether a test notices: `.cargo/mutants.toml`.
mutants:
    cargo mutants --package bucketproof-authz --output target

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
