"""Our paths beside DuckDB, Polars and pyarrow: the same rows, interleaved, each run a process of its own.

    python benches/peers.py [--from ndjson|columns|hour] [--to snappy|zstd|csv|ndjson.gz|recent|scattered] [--rows N]
                            [--rounds N] [--input FILE] [--threads 1|2]

`--from ndjson` (the default) reads NDJSON and writes Parquet. `--from columns` has the rows in memory and measures the
writing alone: Parquet, CSV or compressed NDJSON. `--from hour` has the Parquet file of an hour, merges NDJSON with
changes to one row in a hundred into it, the last ones or some everywhere, and writes the file again (snappy). Needs the packages duckdb, polars and pyarrow, and builds the release
examples of this crate. Prints for each program the median of CPU seconds (user and system; of NDJSON the whole process less
what the same process takes on an empty input; of an hour our whole process, and of the others what they say), of wall seconds, the bytes written, the peak of resident memory, and the
median of the ratios to our own run of the same round.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLES = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release", "examples")
TYPES = {"string": "text", "timestamp": "time", "boolean": "truth", "bigint": "number"}


def columns():
    """Name and type of each column, from the profile's own DDL."""
    ddl = subprocess.run(
        [os.path.join(EXAMPLES, "..", "bucketproof-connector"), "profile", "show", "suprsend_s3_v2", "--ddl"],
        check=True, capture_output=True, text=True).stdout
    table = ddl.split("CREATE EXTERNAL TABLE `messages_objects` (", 1)[1].split("\n)", 1)[0]
    found = re.findall(r"^  `(\w+)` (\w+)", table, re.MULTILINE)
    return [(name, TYPES[kind]) for name, kind in found]


def duckdb(source, target, codec, threads):
    import duckdb as engine

    kinds = {"text": "VARCHAR", "time": "TIMESTAMPTZ", "truth": "BOOLEAN", "number": "BIGINT"}
    # JSON columns are text of JSON here as they are there.
    shape = ",".join(f"'{name}':'{kinds[kind]}'" for name, kind in columns())
    session = engine.connect()
    session.execute(f"SET threads={threads}; SET TimeZone='UTC'")
    level = ", COMPRESSION_LEVEL 1" if codec == "zstd" else ""
    session.execute(
        f"COPY (SELECT * FROM read_json('{source}', format='newline_delimited', columns={{{shape}}})) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION {codec}{level})")


def polars(source, target, codec, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as engine

    # Polars has no column of source text for objects: a struct column would be less work done by nobody else, so nested
    # values are given the type they have.
    kinds = {"text": engine.String, "time": engine.String, "truth": engine.Boolean, "number": engine.Int64}
    frame = engine.read_ndjson(source, schema={name: kinds[kind] for name, kind in columns()})
    times = [engine.col(name).str.to_datetime(time_unit="us", time_zone="UTC") for name, kind in columns() if kind == "time"]
    frame.with_columns(times).write_parquet(target, compression=codec, compression_level=1 if codec == "zstd" else None)


def pyarrow(source, target, codec, threads):
    import pyarrow as engine
    import pyarrow.json
    import pyarrow.parquet

    engine.set_cpu_count(threads)
    kinds = {"text": engine.string(), "time": engine.timestamp("us", tz="UTC"), "truth": engine.bool_(), "number": engine.int64()}
    schema = engine.schema([(name, kinds[kind]) for name, kind in columns()])
    table = engine.json.read_json(
        source, read_options=engine.json.ReadOptions(use_threads=threads > 1, block_size=1 << 24),
        parse_options=engine.json.ParseOptions(explicit_schema=schema))
    engine.parquet.write_table(table, target, compression=codec, compression_level=1 if codec == "zstd" else None)


PEERS = {"duckdb": duckdb, "polars": polars, "pyarrow": pyarrow}


def timed(write):
    """CPU and wall seconds of one call."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    write()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "wall": wall}


def duckdb_columns(source, target, form, threads):
    import duckdb as engine

    session = engine.connect()
    session.execute(f"SET threads={threads}; SET TimeZone='UTC'")
    session.execute(f"CREATE TABLE rows AS SELECT * FROM read_parquet('{source}')")
    options = {
        "snappy": "FORMAT parquet, COMPRESSION snappy",
        "zstd": "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1",
        "csv": "FORMAT csv, HEADER",
        "ndjson.gz": "FORMAT json, COMPRESSION gzip",
    }
    return timed(lambda: session.execute(f"COPY rows TO '{target}' ({options[form]})"))


def polars_columns(source, target, form, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as engine

    frame = engine.read_parquet(source)
    return timed({
        "snappy": lambda: frame.write_parquet(target, compression="snappy"),
        "zstd": lambda: frame.write_parquet(target, compression="zstd", compression_level=1),
        "csv": lambda: frame.write_csv(target),
        "ndjson.gz": lambda: frame.write_ndjson(target, compression="gzip", check_extension=False),
    }[form])


def pyarrow_columns(source, target, form, threads):
    import pyarrow as engine
    import pyarrow.csv
    import pyarrow.parquet

    engine.set_cpu_count(threads)
    table = engine.parquet.read_table(source)
    return timed({
        "snappy": lambda: engine.parquet.write_table(table, target, compression="snappy"),
        "zstd": lambda: engine.parquet.write_table(table, target, compression="zstd", compression_level=1),
        "csv": lambda: engine.csv.write_csv(table, target),
    }[form])


def duckdb_hour(base, changes, target, threads):
    import duckdb as engine

    kinds = {"text": "VARCHAR", "time": "TIMESTAMPTZ", "truth": "BOOLEAN", "number": "BIGINT"}
    shape = ",".join(f"'{name}':'{kinds[kind]}'" for name, kind in columns())
    names = ",".join(f'"{name}"' for name, _ in columns())
    session = engine.connect()
    session.execute(f"SET threads={threads}; SET TimeZone='UTC'")

    def write():
        # A change that is older than what the hour has loses.
        session.execute(
            f"CREATE TEMP TABLE winners AS SELECT changes.* FROM read_json('{changes}', format='newline_delimited', "
            f"columns={{{shape}}}) changes LEFT JOIN (SELECT message_id, updated_at AS before FROM read_parquet('{base}')) "
            f"USING (message_id) WHERE before IS NULL OR changes.updated_at >= before")
        session.execute(
            f"COPY (SELECT {names} FROM read_parquet('{base}') ANTI JOIN winners USING (message_id) "
            f"UNION ALL SELECT {names} FROM winners) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")

    return timed(write)


def polars_hour(base, changes, target, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as engine

    kinds = {"text": engine.String, "time": engine.String, "truth": engine.Boolean, "number": engine.Int64}

    def write():
        rows = engine.read_parquet(base)
        news = engine.read_ndjson(changes, schema={name: kinds[kind] for name, kind in columns()})
        news = news.with_columns(
            engine.col(name).str.to_datetime(time_unit="us", time_zone="UTC") for name, kind in columns() if kind == "time")
        news = news.join(rows.select("message_id", before="updated_at"), on="message_id", how="left")
        news = news.filter(engine.col("before").is_null() | (engine.col("updated_at") >= engine.col("before"))).drop("before")
        rows = rows.join(news.select("message_id"), on="message_id", how="anti")
        engine.concat([rows, news]).write_parquet(target, compression="snappy")

    return timed(write)


HOURS = {"duckdb": duckdb_hour, "polars": polars_hour}

WRITERS = {"duckdb": duckdb_columns, "polars": polars_columns, "pyarrow": pyarrow_columns}


def measured(command):
    """CPU seconds, wall seconds and the peak of resident KiB of one process; None where it failed."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, error = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        return error.decode(errors="replace").strip().splitlines()[-1:]
    wall = time.perf_counter() - start
    # A program that writes columns tells what the writing alone took.
    told = json.loads(said) if b'"cpu"' in said else {"cpu": usage.ru_utime + usage.ru_stime, "wall": wall}
    return told["cpu"], told["wall"], usage.ru_maxrss


def flat(source, target):
    """The same rows with nested values as text, for programs that have no column of source text."""
    with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
        for line in lines:
            row = json.loads(line)
            for name, value in row.items():
                if isinstance(value, (dict, list)):
                    row[name] = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            out.write(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--from", dest="begin", choices=["ndjson", "columns", "hour"], default="ndjson")
    options.add_argument("--to", choices=["snappy", "zstd", "csv", "ndjson.gz", "recent", "scattered"])
    options.add_argument("--rows", type=int, default=300_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--input", help="NDJSON of the messages table, instead of rows of our own generator")
    options.add_argument("--threads", type=int, choices=[1, 2], default=1)
    options.add_argument("--built", action="store_true", help="the programs are built already")
    options.add_argument("--peer", nargs=3, metavar=("NAME", "INPUT", "OUTPUT"), help=argparse.SUPPRESS)
    given = options.parse_args()
    forms = {"ndjson": ["snappy", "zstd"], "columns": ["snappy", "zstd", "csv", "ndjson.gz"], "hour": ["recent", "scattered"]}
    given.to = given.to or forms[given.begin][0]
    if given.to not in forms[given.begin]:
        options.error(f"`--from {given.begin}` takes `--to` {', '.join(forms[given.begin])}")
    if given.peer:
        name, source, target = given.peer
        if given.begin == "hour":
            base, changes = source.split(os.pathsep)
            print(json.dumps(HOURS[name](base, changes, target, given.threads)))
        elif given.begin == "columns":
            print(json.dumps(WRITERS[name](source, target, given.to, given.threads)))
        else:
            PEERS[name](source, target, given.to, given.threads)
        return
    if not given.built:
        subprocess.run(["cargo", "build", "--quiet", "--release", "--workspace", "--bins", "--examples"],
                       cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as work:
        source = given.input or os.path.join(work, "rows.ndjson")
        if given.begin == "hour":
            files = {name: os.path.join(work, name) for name in ("base", "recent", "scattered")}
            subprocess.run([os.path.join(EXAMPLES, "hour_replace"), "prepare", str(given.rows), *files.values()], check=True)
            source = files["base"]
            flattened = os.path.join(work, "flat.ndjson")
            flat(files[given.to], flattened)
            inputs = dict.fromkeys(["bucketproof", "duckdb"], source + os.pathsep + files[given.to])
            inputs["polars"], empty = source + os.pathsep + flattened, None
        elif not given.input:
            with open(source, "wb") as out:
                subprocess.run([os.path.join(EXAMPLES, "messages_ndjson"), str(given.rows)], stdout=out, check=True)
        converter = os.path.join(EXAMPLES, "ndjson_to_parquet")
        if given.begin == "hour":
            pass
        elif given.begin == "columns":
            rows = os.path.join(work, "rows.parquet")
            subprocess.run([converter, source, rows, "snappy", "2"], check=True, stdout=subprocess.DEVNULL)
            inputs, empty = dict.fromkeys(["bucketproof", *WRITERS], rows), None
            if given.to == "ndjson.gz":
                del inputs["pyarrow"]  # It writes no JSON.
        else:
            flattened, empty = os.path.join(work, "flat.ndjson"), os.path.join(work, "empty.ndjson")
            flat(source, flattened)
            with open(flattened, encoding="utf-8") as lines, open(empty, "w", encoding="utf-8") as out:
                out.write(lines.readline())
            # DuckDB keeps objects as text by itself; the two others are given text.
            inputs = {"bucketproof": source, "duckdb": source, "polars": flattened, "pyarrow": flattened}

        def command(name, lines, target):
            if name == "bucketproof" and given.begin == "hour":
                return [os.path.join(EXAMPLES, "hour_replace"), "apply", *lines.split(os.pathsep), target]
            if name == "bucketproof":
                program = converter if given.begin == "ndjson" else os.path.join(EXAMPLES, "columns_to_file")
                return [program, lines, target, given.to, str(given.threads)]
            return [sys.executable, os.path.abspath(__file__), "--peer", name, lines, target,
                    "--from", given.begin, "--to", given.to, "--threads", str(given.threads)]

        figures, idle, sizes = {name: [] for name in inputs}, dict.fromkeys(inputs, (0, 0)), {}
        for name in list(inputs):
            first = measured(command(name, empty or inputs[name], os.path.join(work, f"{name}.out")))
            if not isinstance(first, tuple):
                print(f"{name} cannot run: {' '.join(first)}")
                del inputs[name]
            elif empty:
                idle[name] = first
        for _ in range(given.rounds):
            for name, lines in inputs.items():
                target = os.path.join(work, f"{name}.out")
                # A new file: to empty an old one is work of the kernel's that no program asks for.
                if os.path.exists(target):
                    os.remove(target)
                run = measured(command(name, lines, target))
                if not isinstance(run, tuple):
                    print(f"{name} failed: {' '.join(run)}")
                    continue
                cpu, wall, peak = run
                figures[name].append((cpu - idle[name][0], wall - idle[name][1], peak))
                sizes[name] = os.path.getsize(target)
        print(f"{os.path.getsize(source) / 1e6:.0f} MB of {'Parquet' if given.begin == 'hour' else 'NDJSON'}, from {given.begin} to {given.to}, "
              f"{given.threads} thread(s), {given.rounds} rounds")
        print(f"{'program':<12}{'CPU s':>8}{'wall s':>8}{'MB':>8}{'peak MB':>9}{'CPU':>8}{'wall':>8}")
        ours = figures["bucketproof"]
        for name, runs in figures.items():
            if not runs:
                continue
            median = [statistics.median(column) for column in zip(*runs)]
            ratios = [statistics.median(run[at] / own[at] for run, own in zip(runs, ours)) for at in (0, 1)]
            print(f"{name:<12}{median[0]:>8.2f}{median[1]:>8.2f}{sizes[name] / 1e6:>8.1f}{median[2] / 1e3:>9.0f}"
                  f"{ratios[0]:>7.2f}x{ratios[1]:>7.2f}x")


if __name__ == "__main__":
    main()
