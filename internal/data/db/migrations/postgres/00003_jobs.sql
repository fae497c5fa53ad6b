-- +goose Up
-- Long work, done in pages. A page's progress, counts and items are written in the
-- transaction of what it did.
CREATE TABLE jobs (
  id         bigint NOT NULL PRIMARY KEY,
  kind       text NOT NULL,
  status     text NOT NULL,
  author     text NOT NULL,
  input      text NOT NULL,   -- JSON: what was asked for
  cursor     text NOT NULL,   -- of the kind: where the next page begins
  pages      bigint NOT NULL, -- that were recorded
  items      bigint NOT NULL, -- rows of the report
  done       bigint NOT NULL,
  total      bigint NOT NULL, -- -1: not known
  counts     text NOT NULL,   -- JSON: word -> number
  reason     text,            -- why it failed, or why a page has to be tried again
  created_at bigint NOT NULL,
  ended_at   bigint
);

-- What a job did, item by item.
CREATE TABLE job_items (
  job     bigint NOT NULL,
  n       bigint NOT NULL,    -- 1, 2, 3 …
  subject bigint NOT NULL,    -- of the kind: an event
  part    bigint NOT NULL,    -- of the kind: a mapping; 0: all of it
  outcome text NOT NULL,
  detail  text,               -- JSON, of the kind; no personal data
  PRIMARY KEY (job, n)
);
CREATE INDEX job_items_outcome ON job_items (job, outcome, n);

-- What a replay wrote. NULL: written when the event was processed, and as it was.
ALTER TABLE deliveries ADD COLUMN job bigint;
ALTER TABLE deliveries ADD COLUMN revision bigint;  -- of the plan that made it; NULL: the event's
ALTER TABLE deliveries ADD COLUMN forced boolean;   -- it was done before, and is done once more
CREATE INDEX deliveries_job ON deliveries (job, status) WHERE job IS NOT NULL;

ALTER TABLE runs ADD COLUMN job bigint;
ALTER TABLE runs ADD COLUMN replay_of bigint;       -- the run that this one repeats
CREATE INDEX runs_replay_of ON runs (replay_of) WHERE replay_of IS NOT NULL;
CREATE UNIQUE INDEX runs_job ON runs (workflow, event, job) WHERE job IS NOT NULL;
