CREATE TABLE {schema}.import_meta (version bigint NOT NULL);
INSERT INTO {schema}.import_meta VALUES (1);
CREATE TABLE {schema}.file (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text NOT NULL,
    bucket text NOT NULL,
    folder text NOT NULL,
    key text NOT NULL,
    etag text NOT NULL,
    version text NOT NULL,
    bytes bigint NOT NULL,
    created_ms bigint NOT NULL,
    state text NOT NULL,
    rows bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX file_identity ON {schema}.file (md5(key), connection, bucket, etag, version);
CREATE INDEX file_pending ON {schema}.file (id) WHERE state = 'pending';
CREATE TABLE {schema}.report (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket text NOT NULL,
    folder text NOT NULL,
    at_ms bigint NOT NULL,
    body bytea NOT NULL,
    written boolean NOT NULL DEFAULT false,
    UNIQUE (bucket, folder, at_ms)
);
CREATE TABLE {schema}.entry (
    file bigint NOT NULL REFERENCES {schema}.file (id),
    entry_id bigint NOT NULL,
    rows bigint NOT NULL,
    findings text NOT NULL,
    made_ms bigint NOT NULL,
    report bigint REFERENCES {schema}.report (id),
    PRIMARY KEY (file, entry_id)
);
CREATE INDEX entry_untold ON {schema}.entry (file) WHERE report IS NULL;
