-- The memory of an import. Version 2. Version 1 had no `file.version`, no `part`, and events had ids of their own.
CREATE TABLE import_meta (version INTEGER NOT NULL);
INSERT INTO import_meta VALUES (2);

-- A version of a file, as a listing or a notification told of it.
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    bucket TEXT NOT NULL,
    folder TEXT NOT NULL,
    key TEXT NOT NULL,
    etag TEXT NOT NULL,
    -- Empty, where the entity tag alone tells versions apart.
    version TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    -- pending, stored (rows and entries), refused (entries alone), gone (deleted or replaced before it was read)
    state TEXT NOT NULL,
    rows INTEGER NOT NULL DEFAULT 0,
    UNIQUE (connection, bucket, key, etag, version)
);
CREATE INDEX file_pending ON file (state) WHERE state = 'pending';
CREATE INDEX file_content ON file (bucket, key, etag, version);

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

-- A file of a dataset: staged with its row here, and published once it can be seen.
CREATE TABLE part (
    file INTEGER PRIMARY KEY REFERENCES file (id),
    name TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX part_staged ON part (published) WHERE published = 0;
