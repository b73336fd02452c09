-- The memory of an import. Version 1.
CREATE TABLE import_meta (version INTEGER NOT NULL);
INSERT INTO import_meta VALUES (1);

-- A version of a file, as a listing or a notification told of it.
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    bucket TEXT NOT NULL,
    folder TEXT NOT NULL,
    key TEXT NOT NULL,
    etag TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    -- pending, stored (rows and entries), refused (entries alone), gone (deleted or replaced before it was read)
    state TEXT NOT NULL,
    rows INTEGER NOT NULL DEFAULT 0,
    UNIQUE (connection, bucket, key, etag)
);
CREATE INDEX file_pending ON file (state) WHERE state = 'pending';

-- What is said of the rows of a file; told in the report, once there is one.
CREATE TABLE entry (
    file INTEGER NOT NULL REFERENCES file (id),
    entry_id INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    findings TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    report INTEGER REFERENCES report (id),
    PRIMARY KEY (file, entry_id)
);
CREATE INDEX entry_untold ON entry (report) WHERE report IS NULL;

-- A report whose text is settled; written once the bucket has it.
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    bucket TEXT NOT NULL,
    folder TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    written INTEGER NOT NULL DEFAULT 0,
    UNIQUE (bucket, folder, at_ms)
);

-- What a program of version 1 had stored of one file with two rows, of which one was valid.
CREATE TABLE event (
    id BLOB PRIMARY KEY, file INTEGER NOT NULL REFERENCES file (id), row INTEGER NOT NULL,
    "environmentId" TEXT NOT NULL, "trafficTypeId" TEXT NOT NULL, "eventTypeId" TEXT NOT NULL, "key" TEXT NOT NULL,
    "timestamp" INTEGER NOT NULL, "value" REAL, "properties" TEXT
) WITHOUT ROWID;
INSERT INTO file VALUES (1, 'events', 'customer-events', 'my_statuses', 'events/a', '"1"', 9, 1767000001000, 'stored', 2);
INSERT INTO event VALUES (x'00', 1, 0, 'prod', 'user', 'page.load', 'user-0', 1767225599000, 1.5, NULL);
INSERT INTO report VALUES (1, 'customer-events', 'my_statuses', 1767225600000, x'7b7d', 1);
INSERT INTO entry VALUES (1, 1, 1, '[]', 1767225600000, 1);
