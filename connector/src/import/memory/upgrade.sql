-- From version 1 to 2, foreign keys off; the events follow, as their columns are the profile's.
CREATE TABLE file_2 (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    bucket TEXT NOT NULL,
    folder TEXT NOT NULL,
    key TEXT NOT NULL,
    etag TEXT NOT NULL,
    version TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    rows INTEGER NOT NULL DEFAULT 0,
    UNIQUE (connection, bucket, key, etag, version)
);
INSERT INTO file_2 SELECT id, connection, bucket, folder, key, etag, '', bytes, created_ms, state, rows FROM file;
DROP TABLE file;
ALTER TABLE file_2 RENAME TO file;
CREATE INDEX file_pending ON file (state) WHERE state = 'pending';
CREATE INDEX file_content ON file (bucket, key, etag, version);
CREATE TABLE part (
    file INTEGER PRIMARY KEY REFERENCES file (id),
    name TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX part_staged ON part (published) WHERE published = 0;
ALTER TABLE event RENAME TO event_1;
UPDATE import_meta SET version = 2;
