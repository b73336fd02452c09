-- What each connection owes its bucket: files that wait for their report.
CREATE TABLE reporting (
    connection TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    -- When it was first imported from; what lay there before waits from then on.
    begun_ms INTEGER NOT NULL,
    files INTEGER NOT NULL DEFAULT 0,
    -- Since when the oldest of them waits.
    since_ms INTEGER,
    late INTEGER NOT NULL DEFAULT 0,
    -- How often the oldest waited too long.
    missed INTEGER NOT NULL DEFAULT 0
);
