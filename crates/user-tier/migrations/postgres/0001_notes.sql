-- One row for each owner. `lineage` is random and set once, when the row is created: a version of another row, or of another
-- database, never equals a version of this one. `number` grows by one with each save.
CREATE TABLE notes (
    owner TEXT NOT NULL PRIMARY KEY,
    lineage BIGINT NOT NULL,
    number BIGINT NOT NULL,
    text TEXT NOT NULL,
    saved_at BIGINT NOT NULL
);
CREATE INDEX notes_saved_at ON notes (saved_at);
