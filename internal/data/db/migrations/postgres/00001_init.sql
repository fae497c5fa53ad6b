-- +goose Up
-- Times are milliseconds since 1970-01-01 UTC; ids are 60-bit numbers of package id.

CREATE TABLE counters (name text PRIMARY KEY, n bigint NOT NULL);

-- Named things of the plan keep their id over all revisions.
CREATE TABLE names (
  id   bigint NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  name text NOT NULL,
  UNIQUE (kind, name)
);

CREATE TABLE revisions (
  id         bigint PRIMARY KEY,
  created_at bigint NOT NULL,
  author     text NOT NULL,
  plan       bytea NOT NULL
);

CREATE TABLE secrets (name text PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL);

CREATE TABLE workflow_versions (
  workflow   bigint NOT NULL,
  version    bigint NOT NULL,
  created_at bigint NOT NULL,
  definition bytea NOT NULL,
  PRIMARY KEY (workflow, version)
);

CREATE TABLE workflow_urls (
  token        bytea NOT NULL PRIMARY KEY, -- SHA-256 of the token in the URL
  workflow     bigint NOT NULL,
  sealed       bytea NOT NULL,
  created_at   bigint NOT NULL,
  last_used_at bigint
);

-- The way of an event.

CREATE TABLE events (
  id          bigint NOT NULL PRIMARY KEY,
  source      bigint NOT NULL,
  type        text NOT NULL,
  name        text NOT NULL,
  user_id     text NOT NULL,
  message_id  text NOT NULL,
  accepted_at bigint NOT NULL,
  revision    bigint NOT NULL,
  refusal     text,           -- why it was refused at the door; NULL for accepted events
  body        bytea NOT NULL
) PARTITION BY RANGE (id);
-- The program makes a partition per day ahead; this one takes what falls outside.
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE INDEX events_user ON events (user_id) WHERE user_id <> '';
CREATE INDEX events_refused ON events (id) WHERE refusal IS NOT NULL;

CREATE TABLE event_keys (
  key   bytea NOT NULL PRIMARY KEY, -- SHA-256(source, message id), 16 bytes
  event bigint NOT NULL
);

CREATE TABLE inbox (
  event       bigint NOT NULL PRIMARY KEY,
  revision    bigint NOT NULL,
  lease_until bigint NOT NULL,
  tries       integer NOT NULL
);

CREATE TABLE deliveries (
  event       bigint NOT NULL,
  mapping     bigint NOT NULL,
  destination bigint NOT NULL,
  action      text NOT NULL,
  status      text NOT NULL,
  attempts    integer NOT NULL,
  occurred_at bigint NOT NULL, -- the earlier of the event's timestamp and its arrival
  updated_at  bigint NOT NULL,
  reason      text,
  contact     bigint,
  result      text,           -- JSON: what was done
  payload     bytea,           -- JSON: the mapped fields
  PRIMARY KEY (event, mapping)
);

-- What a Deliver workflow still has to do; a row leaves with its delivery's end.
CREATE TABLE delivery_queue (
  destination bigint NOT NULL,
  event       bigint NOT NULL,
  mapping     bigint NOT NULL,
  due_at      bigint NOT NULL,
  tries       integer NOT NULL,
  PRIMARY KEY (event, mapping)
);
CREATE INDEX delivery_queue_due ON delivery_queue (destination, due_at);

-- The directory.

CREATE TABLE contacts (
  id            bigint NOT NULL PRIMARY KEY,
  directory     bigint NOT NULL,
  ext_ref       text NOT NULL,
  email         text NOT NULL,
  phone         text NOT NULL,
  first_name    text NOT NULL,
  last_name     text NOT NULL,
  language      text NOT NULL,
  unsubscribed  boolean NOT NULL,
  embedded_data text NOT NULL, -- JSON object
  stamps        text NOT NULL, -- JSON: per field and per embedded key, when and by which event it was set
  created_at    bigint NOT NULL,
  updated_at    bigint NOT NULL
) WITH (fillfactor = 85); -- room for updates in place

CREATE TABLE directory_rules (
  directory bigint NOT NULL,
  rule      text NOT NULL,    -- attributes joined by +
  position  integer NOT NULL, -- order of matching
  region    text NOT NULL,    -- of phone numbers without a country, when the keys were made
  PRIMARY KEY (directory, rule)
);

CREATE TABLE contact_keys (
  key       bytea NOT NULL PRIMARY KEY, -- SHA-256(directory, rule, values), 16 bytes
  directory bigint NOT NULL,
  rule      text NOT NULL,
  contact   bigint NOT NULL
);

CREATE TABLE possible_duplicates (
  key       bytea NOT NULL,
  contact   bigint NOT NULL, -- holds the value
  owner     bigint NOT NULL, -- owned the key when this was seen
  directory bigint NOT NULL,
  rule      text NOT NULL,
  at        bigint NOT NULL,
  event     bigint NOT NULL,
  PRIMARY KEY (key, contact)
);

CREATE TABLE contact_changes (
  id      bigint NOT NULL PRIMARY KEY,
  contact bigint NOT NULL,
  event   bigint NOT NULL, -- 0: not by an event
  at      bigint NOT NULL,
  cause   text NOT NULL,   -- event, task, opt_out, edit
  diff    text NOT NULL    -- JSON: field -> [before, after]
);
CREATE INDEX contact_changes_contact ON contact_changes (contact);

CREATE TABLE list_members (
  list      bigint NOT NULL,
  contact   bigint NOT NULL,
  opted_out boolean NOT NULL,
  added_at  bigint NOT NULL,
  PRIMARY KEY (list, contact)
);

CREATE TABLE transactions (
  id      bigint NOT NULL PRIMARY KEY,
  event   bigint NOT NULL,
  mapping bigint NOT NULL,
  contact bigint NOT NULL,
  list    bigint NOT NULL,
  date    bigint NOT NULL,
  data    text NOT NULL,
  UNIQUE (event, mapping)
);
CREATE INDEX transactions_contact ON transactions (contact, date);

-- Runs.

CREATE TABLE runs (
  id         bigint NOT NULL PRIMARY KEY,
  workflow   bigint NOT NULL,
  version    bigint NOT NULL,
  event      bigint NOT NULL,
  generation integer NOT NULL,
  status     text NOT NULL,
  contact    bigint,
  directory  bigint NOT NULL,
  fields     text NOT NULL, -- JSON: the typed fields with their states
  payload    bytea NOT NULL, -- JSON: what the fields were read from
  reason     text,
  created_at bigint NOT NULL,
  ended_at   bigint,
  UNIQUE (workflow, event, generation)
);
CREATE INDEX runs_event ON runs (event);
CREATE INDEX runs_workflow ON runs (workflow, id);
CREATE INDEX runs_contact ON runs (contact) WHERE contact IS NOT NULL;

CREATE TABLE run_tasks (
  run        bigint NOT NULL,
  step       text NOT NULL,
  position   integer NOT NULL,
  kind       text NOT NULL,
  status     text NOT NULL,
  attempts   integer NOT NULL,
  input      text,
  output     text,
  error      text,
  started_at bigint,
  ended_at   bigint,
  PRIMARY KEY (run, step)
);

-- Rows whose Temporal workflow has still to be seen running: kind is run or distribution.
CREATE TABLE handovers (
  kind        text NOT NULL,
  id          bigint NOT NULL,
  lease_until bigint NOT NULL,
  tries       integer NOT NULL,
  PRIMARY KEY (kind, id)
);

-- Distributions.

CREATE TABLE distributions (
  id         bigint NOT NULL PRIMARY KEY,
  run        bigint NOT NULL,
  step       text NOT NULL,
  directory  bigint NOT NULL,
  survey     text NOT NULL,
  channel    text NOT NULL,
  status     text NOT NULL,
  settings   text NOT NULL, -- JSON: subject, message, reminders, expiry …
  created_at bigint NOT NULL,
  ended_at   bigint,
  UNIQUE (run, step)
);

CREATE TABLE invitations (
  id           bigint NOT NULL PRIMARY KEY,
  distribution bigint NOT NULL,
  run          bigint NOT NULL,
  contact      bigint NOT NULL,
  token        text NOT NULL UNIQUE,
  status       text NOT NULL,
  reason       text,
  snapshot     text NOT NULL, -- JSON: contact, transaction, fields as they were
  created_at   bigint NOT NULL,
  sent_at      bigint,
  opened_at    bigint,
  opens        integer NOT NULL,
  started_at   bigint,
  finished_at  bigint,
  expires_at   bigint,
  response     text           -- JSON: status, response_id, answers
);
CREATE INDEX invitations_distribution ON invitations (distribution);
CREATE INDEX invitations_contact ON invitations (contact);
CREATE INDEX invitations_run ON invitations (run);

-- One row per mail that goes, or went, to one invited person.
CREATE TABLE messages (
  invitation bigint NOT NULL,
  kind       text NOT NULL, -- invitation, reminder-1 …
  contact    bigint NOT NULL,
  status     text NOT NULL, -- reserved, sent, failed
  counts     boolean NOT NULL, -- towards the frequency rule
  created_at bigint NOT NULL,
  sent_at    bigint,
  attempts   integer NOT NULL,
  error      text,
  PRIMARY KEY (invitation, kind)
);
CREATE INDEX messages_contact ON messages (contact, created_at);

CREATE TABLE outbox (
  id         bigint NOT NULL PRIMARY KEY,
  message_id text NOT NULL UNIQUE,
  recipient  text NOT NULL,
  subject    text NOT NULL,
  text       text NOT NULL,
  html       text NOT NULL,
  headers    text NOT NULL, -- JSON
  sent_at    bigint NOT NULL
);
