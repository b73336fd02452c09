-- One connection's memory. `PRAGMA user_version` holds the version of this schema.

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- A file that rows are read from, and how far. The fingerprint tells the file from another one of that name.
CREATE TABLE source (
    id          INTEGER PRIMARY KEY,
    dataset     TEXT NOT NULL,
    path        TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('file', 'spool')),
    byte_offset INTEGER NOT NULL DEFAULT 0,
    lines       INTEGER NOT NULL DEFAULT 0,
    fingerprint TEXT NOT NULL DEFAULT '',
    finished    INTEGER NOT NULL DEFAULT 0 CHECK (finished IN (0, 1)),
    UNIQUE (dataset, path)
) STRICT;

-- Rows that are exported together. An open batch is finished before another one of its dataset is sealed.
CREATE TABLE batch (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset       TEXT NOT NULL,
    digest        TEXT NOT NULL,
    rows_read     INTEGER NOT NULL,
    dead_lettered INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open', 'done')),
    sealed_at     TEXT NOT NULL,
    done_at       TEXT
) STRICT;

CREATE TABLE batch_range (
    batch_id    INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    source_id   INTEGER NOT NULL REFERENCES source (id),
    byte_from   INTEGER NOT NULL,
    byte_to     INTEGER NOT NULL,
    line_from   INTEGER NOT NULL,
    line_to     INTEGER NOT NULL,
    digest      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (batch_id, position)
) STRICT;

-- One conditional write: sealed before it is tried, done when its outcome is known.
CREATE TABLE intent (
    id              TEXT PRIMARY KEY,
    batch_id        INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    dataset         TEXT NOT NULL,
    partition_hour  INTEGER NOT NULL,
    object_key      TEXT NOT NULL,
    mode            TEXT NOT NULL CHECK (mode IN ('create', 'replace', 'unchanged')),
    base_etag       TEXT,
    generation      INTEGER NOT NULL,
    content_digest  TEXT NOT NULL,
    body_bytes      INTEGER NOT NULL,
    object_rows     INTEGER NOT NULL,
    written         INTEGER NOT NULL,
    deduplicated    INTEGER NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('sealed', 'done')),
    UNIQUE (batch_id, partition_hour)
) STRICT;

-- The objects this connection wrote last, as it left them.
CREATE TABLE object (
    object_key     TEXT PRIMARY KEY,
    dataset        TEXT NOT NULL,
    partition_hour INTEGER NOT NULL,
    etag           TEXT NOT NULL,
    generation     INTEGER NOT NULL,
    object_rows    INTEGER NOT NULL,
    body_bytes     INTEGER NOT NULL,
    written_at     TEXT NOT NULL
) STRICT;

CREATE TABLE total (
    dataset       TEXT PRIMARY KEY,
    rows_read     INTEGER NOT NULL DEFAULT 0,
    written       INTEGER NOT NULL DEFAULT 0,
    deduplicated  INTEGER NOT NULL DEFAULT 0,
    dead_lettered INTEGER NOT NULL DEFAULT 0,
    batches       INTEGER NOT NULL DEFAULT 0,
    dead_bytes    INTEGER NOT NULL DEFAULT 0,
    last_success  TEXT
) STRICT;
