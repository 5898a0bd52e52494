-- Version 2. What stages keep of their own: delays, shelvings, escalations, bundles.
CREATE TABLE stage_rows (
    stage  TEXT NOT NULL,
    key    TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (stage, key)
) STRICT, WITHOUT ROWID;
