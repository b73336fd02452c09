-- What reaches an import from outside. Version 3; in version 1 notices had no version, in version 2 nobody noted what waits.
CREATE TABLE inbox_meta (version INTEGER NOT NULL);
INSERT INTO inbox_meta VALUES (3);

-- Messages that were taken; each counts once.
CREATE TABLE message (
    connection TEXT NOT NULL,
    id TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, id)
) WITHOUT ROWID;

-- Files that messages told of and the import has not noted yet.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    bucket TEXT NOT NULL,
    folder TEXT NOT NULL,
    key TEXT NOT NULL,
    etag TEXT NOT NULL,
    -- Empty, if the message named none.
    version TEXT NOT NULL DEFAULT '',
    bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
);

-- How each connection hears of files.
CREATE TABLE subscription (
    connection TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    -- confirmed, ended
    state TEXT NOT NULL,
    arn TEXT NOT NULL,
    since_ms INTEGER NOT NULL
);

-- How each connection fares with its bucket: active, or failed with a cause.
CREATE TABLE access (
    connection TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    state TEXT NOT NULL,
    cause TEXT NOT NULL,
    since_ms INTEGER NOT NULL
);
