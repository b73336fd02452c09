"""Data engines and S3 clients of other people against `serve`, each as it comes: what they write they find again.

Usage: engines.py FOLDER, where FOLDER holds the built programs. Everything stays on loopback.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ.update(
    AWS_ACCESS_KEY_ID="AKIAADMINUSEREXAMPLE",
    AWS_SECRET_ACCESS_KEY="administratorSecret/forTests/0EXAMPLEKEY",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)

import deltalake
import duckdb
import minio
import obstore
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.fs
import s3fs

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "fixtures/scenarios/suprsend/scenario.toml"
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
BUCKET = "engines"
ROWS = pyarrow.table({"day": ["mon"] * 3 + ["tue"] * 2, "n": [1, 2, 3, 4, 5], "name": ["a", "b", None, "ü", "+ e"]})

checked = 0


def holds(what, truth):
    global checked
    checked += 1
    if not truth:
        sys.exit(f"does not hold: {what}")


def with_s3fs(endpoint):
    fs = s3fs.S3FileSystem(endpoint_url=endpoint)
    with fs.open(f"{BUCKET}/s3fs/a b+c.txt", "wb") as file:
        file.write(b"hello")
    holds("s3fs reads what it wrote", fs.cat(f"{BUCKET}/s3fs/a b+c.txt") == b"hello")
    # Larger than a block: an upload in parts.
    large = os.urandom(12 * 1024 * 1024)
    with fs.open(f"{BUCKET}/s3fs/large", "wb", block_size=5 * 1024 * 1024) as file:
        file.write(large)
    with fs.open(f"{BUCKET}/s3fs/large", "rb") as file:
        file.seek(6 * 1024 * 1024)
        holds("s3fs seeks", file.read(100) == large[6 * 1024 * 1024 :][:100])
    fs.copy(f"{BUCKET}/s3fs/large", f"{BUCKET}/s3fs/deep/copy")
    fs.mv(f"{BUCKET}/s3fs/a b+c.txt", f"{BUCKET}/s3fs/deep/moved.txt")
    holds("s3fs globs", fs.glob(f"{BUCKET}/s3fs/**/*.txt") == [f"{BUCKET}/s3fs/deep/moved.txt"])
    holds("s3fs walks", fs.du(f"{BUCKET}/s3fs") == 2 * len(large) + 5)
    fs.rm(f"{BUCKET}/s3fs", recursive=True)
    fs.invalidate_cache()
    holds("s3fs removes a tree", not fs.exists(f"{BUCKET}/s3fs"))
    try:
        fs.cat(f"{BUCKET}/s3fs/missing")
        sys.exit("s3fs reads a missing object")
    except FileNotFoundError:
        holds("s3fs misses an object", True)


def with_pyarrow(endpoint):
    fs = pyarrow.fs.S3FileSystem(endpoint_override=endpoint.split("//")[1], scheme="http")
    pyarrow.dataset.write_dataset(
        ROWS, f"{BUCKET}/arrow", format="parquet", partitioning=["day"], partitioning_flavor="hive", filesystem=fs
    )
    found = pyarrow.dataset.dataset(f"{BUCKET}/arrow", format="parquet", partitioning="hive", filesystem=fs)
    holds("pyarrow reads its dataset", found.to_table().sort_by("n")["n"].to_pylist() == [1, 2, 3, 4, 5])
    kinds = {info.path: info.type for info in fs.get_file_info(pyarrow.fs.FileSelector(f"{BUCKET}/arrow"))}
    holds("pyarrow lists folders", set(kinds) == {f"{BUCKET}/arrow/day=mon", f"{BUCKET}/arrow/day=tue"})
    fs.delete_dir(f"{BUCKET}/arrow/day=tue")
    holds("pyarrow removes a folder", fs.get_file_info(f"{BUCKET}/arrow/day=tue").type == pyarrow.fs.FileType.NotFound)


def with_duckdb(endpoint):
    db = duckdb.connect(config={"autoinstall_known_extensions": False})
    import duckdb_extension_httpfs

    extension = next(pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension"))
    db.execute(f"LOAD '{extension}'")
    db.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION 'us-east-1', URL_STYLE 'path', "
        f"USE_SSL false, ENDPOINT '{endpoint.split('//')[1]}')"
    )
    db.register("rows", ROWS)
    db.execute(f"COPY rows TO 's3://{BUCKET}/duck' (FORMAT parquet, PARTITION_BY (day))")
    found = db.execute(
        f"SELECT day, sum(n)::INT FROM read_parquet('s3://{BUCKET}/duck/*/*.parquet', hive_partitioning = true) "
        "GROUP BY day ORDER BY day"
    ).fetchall()
    holds(f"DuckDB reads its partitions: {found}", found == [("mon", 6), ("tue", 9)])
    db.execute(f"COPY (SELECT range AS n FROM range(2000000)) TO 's3://{BUCKET}/duck-large.csv'")
    found = db.execute(f"SELECT count(*), max(n) FROM 's3://{BUCKET}/duck-large.csv'").fetchall()
    holds(f"DuckDB reads a large CSV: {found}", found == [(2000000, 1999999)])


def with_polars(endpoint):
    options = {"aws_endpoint_url": endpoint, "aws_allow_http": "true"}
    polars.from_arrow(ROWS).write_parquet(f"s3://{BUCKET}/polars/rows.parquet", storage_options=options)
    found = polars.scan_parquet(f"s3://{BUCKET}/polars/*.parquet", storage_options=options).collect()
    holds("polars reads what it wrote", found.to_arrow().cast(ROWS.schema).equals(ROWS))


def with_obstore(endpoint):
    store = obstore.store.S3Store(BUCKET, endpoint=endpoint, client_options={"allow_http": True})
    first = obstore.put(store, "obstore/k", b"one")
    try:
        obstore.put(store, "obstore/k", b"two", mode="create")
        sys.exit("obstore creates twice")
    except obstore.exceptions.AlreadyExistsError:
        holds("obstore creates once", True)
    obstore.put(store, "obstore/k", b"two", mode={"e_tag": first["e_tag"]})
    try:
        obstore.put(store, "obstore/k", b"three", mode={"e_tag": first["e_tag"]})
        sys.exit("obstore updates a stale object")
    except obstore.exceptions.PreconditionError:
        holds("obstore updates what it knows", bytes(obstore.get(store, "obstore/k").bytes()) == b"two")
    large = os.urandom(11 * 1024 * 1024)
    obstore.put(store, "obstore/large", large, chunk_size=5 * 1024 * 1024, use_multipart=True)
    ranges = obstore.get_ranges(store, "obstore/large", starts=[0, 7_000_000], lengths=[10, 10])
    holds("obstore reads ranges", [bytes(r) for r in ranges] == [large[:10], large[7_000_000:7_000_010]])
    paths = sorted(meta["path"] for meta in obstore.list(store, "obstore").collect())
    holds("obstore lists", paths == ["obstore/k", "obstore/large"])
    obstore.delete(store, paths)
    holds("obstore removes", list(obstore.list(store, "obstore").collect()) == [])


def with_delta(endpoint):
    options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true", "aws_conditional_put": "etag"}
    table = f"s3://{BUCKET}/delta"
    deltalake.write_deltalake(table, ROWS, partition_by=["day"], storage_options=options)
    deltalake.write_deltalake(table, ROWS, mode="append", storage_options=options)
    found = deltalake.DeltaTable(table, storage_options=options)
    holds("Delta commits twice", found.version() == 1 and len(found.to_pyarrow_table()) == 10)
    found.delete("n = 1")
    holds("Delta deletes", len(deltalake.DeltaTable(table, storage_options=options).to_pyarrow_table()) == 8)


def with_minio(endpoint, folder):
    client = minio.Minio(endpoint.split("//")[1], KEY, SECRET, secure=False, region="us-east-1")
    file = folder / "minio"
    file.write_bytes(os.urandom(6 * 1024 * 1024))
    client.fput_object(BUCKET, "minio/large", str(file), part_size=5 * 1024 * 1024)
    holds("minio stats", client.stat_object(BUCKET, "minio/large").size == 6 * 1024 * 1024)
    client.copy_object(BUCKET, "minio/copy", minio.commonconfig.CopySource(BUCKET, "minio/large"))
    names = sorted(found.object_name for found in client.list_objects(BUCKET, "minio/", recursive=True))
    holds("minio lists", names == ["minio/copy", "minio/large"])
    errors = client.remove_objects(BUCKET, [minio.deleteobjects.DeleteObject(name) for name in names])
    holds("minio removes", list(errors) == [] and list(client.list_objects(BUCKET, "minio/")) == [])


def with_s3cmd(endpoint, folder):
    host = endpoint.split("//")[1]
    file = folder / "s3cmd"
    file.write_bytes(os.urandom(6 * 1024 * 1024))

    def run(*arguments):
        command = [sys.executable, "-W", "ignore", pathlib.Path(sys.executable).parent / "s3cmd", "--no-ssl"]
        command += [f"--host={host}", f"--host-bucket={host}", f"--access_key={KEY}", f"--secret_key={SECRET}"]
        command += ["--config=/dev/null", "--no-progress", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        holds(f"s3cmd {arguments[0]}: {done.stderr}", done.returncode == 0)
        return done.stdout

    run("put", "--multipart-chunk-size-mb=5", str(file), f"s3://{BUCKET}/s3cmd/large")
    holds("s3cmd lists", "s3cmd/large" in run("ls", "-r", f"s3://{BUCKET}/"))
    back = folder / "back"
    run("get", f"s3://{BUCKET}/s3cmd/large", str(back))
    holds("s3cmd gets", back.read_bytes() == file.read_bytes())
    run("del", f"s3://{BUCKET}/s3cmd/large")
    holds("s3cmd removes", "s3cmd/large" not in run("ls", "-r", f"s3://{BUCKET}/"))


def main():
    command = [PROGRAMS / "bucketproof-emulator", "serve", "--listen", "127.0.0.1:0", "--scenario", SCENARIO]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = ""
        while "http://" not in line:
            line = server.stdout.readline()
            if not line:
                sys.exit("the server has ended")
        endpoint = re.search(r"http://[0-9.:]+", line).group()
        s3fs.S3FileSystem(endpoint_url=endpoint).mkdir(BUCKET)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            with_s3fs(endpoint)
            with_pyarrow(endpoint)
            with_duckdb(endpoint)
            with_polars(endpoint)
            with_obstore(endpoint)
            with_delta(endpoint)
            with_minio(endpoint, folder)
            with_s3cmd(endpoint, folder)
    finally:
        server.terminate()
        server.wait()
    print(f"engines: {checked} statements hold")


main()
