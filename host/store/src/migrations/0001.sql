-- Version 1. A released file is never edited: the next change is the next file.
-- Times are nanoseconds since the Unix epoch. `record` is the JSON of the model's type.

-- Alarms that are not over: few enough to look through for one by its occurrence.
CREATE TABLE alarms (
    instance   TEXT NOT NULL,
    key        TEXT NOT NULL,
    occurrence INTEGER NOT NULL,
    record     TEXT NOT NULL,
    PRIMARY KEY (instance, key)
) STRICT, WITHOUT ROWID;

-- What happened, in the order in which it was committed.
CREATE TABLE journal (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    occurrence INTEGER,
    subject    TEXT NOT NULL,
    event      TEXT NOT NULL,
    why        TEXT NOT NULL,
    data       TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_occurrence ON journal (occurrence) WHERE occurrence IS NOT NULL;

-- The outbox: every message owed, and what became of it. The key is a hash of the occurrence and
-- more; both together keep neighbours in time on one page, which the hash alone would scatter.
CREATE TABLE deliveries (
    number     INTEGER PRIMARY KEY,
    occurrence INTEGER NOT NULL,
    id         TEXT NOT NULL,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record     TEXT NOT NULL,
    UNIQUE (occurrence, id)
) STRICT;
CREATE INDEX deliveries_open ON deliveries (state) WHERE state IN ('queued', 'sending', 'sent');

-- What rule and function instances remember.
CREATE TABLE plugin_state (
    instance TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    BLOB NOT NULL,
    UNIQUE (instance, key)
) STRICT;

-- When instances wake up.
CREATE TABLE timers (
    instance TEXT NOT NULL PRIMARY KEY,
    wake_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages from phones that were taken in.
CREATE TABLE incoming (
    sink TEXT NOT NULL,
    id   TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (sink, id)
) STRICT, WITHOUT ROWID;

-- Single numbers: `last_occurrence`.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
