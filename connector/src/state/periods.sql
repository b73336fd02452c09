-- Rows of periods that are not over, or that late rows can still change: Parquet, in the order in which they came.
CREATE TABLE held (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL,
    slot    INTEGER NOT NULL,
    rows    INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT;

CREATE INDEX held_slot ON held (dataset, slot, id);

-- Periods whose object was written, and through which held rows.
CREATE TABLE period (
    dataset     TEXT NOT NULL,
    slot        INTEGER NOT NULL,
    through     INTEGER NOT NULL,
    object_rows INTEGER NOT NULL,
    written_at  TEXT NOT NULL,
    PRIMARY KEY (dataset, slot)
) STRICT;
