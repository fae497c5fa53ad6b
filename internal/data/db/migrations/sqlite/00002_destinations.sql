-- +goose Up
-- A queued delivery knows its action, so that a destination's actions wait apart,
-- and whether an earlier attempt may have had its effect.
ALTER TABLE delivery_queue ADD COLUMN action text NOT NULL DEFAULT '';
ALTER TABLE delivery_queue ADD COLUMN unsure boolean NOT NULL DEFAULT false;
UPDATE delivery_queue SET action = (SELECT d.action FROM deliveries d WHERE d.event = delivery_queue.event AND d.mapping = delivery_queue.mapping);
DROP INDEX delivery_queue_due;
CREATE INDEX delivery_queue_due ON delivery_queue (destination, action, due_at);

-- What is known of a destination beside the plan. A row is there once there is
-- something to know.
CREATE TABLE destination_states (
  destination bigint NOT NULL PRIMARY KEY,
  paused_at   bigint,            -- NULL: not paused
  paused_by   text,
  pause_note  text,
  pace        text,              -- JSON: the remote account's limits and how it answered lately
  trouble     text,              -- why nothing can be delivered for now
  trouble_at  bigint
) WITHOUT ROWID;

-- Until when nothing of an action is tried at a destination, '' for all its actions.
CREATE TABLE destination_holds (
  destination bigint NOT NULL,
  action      text NOT NULL,
  until       bigint NOT NULL,
  revision    bigint NOT NULL,   -- not 0: the next revision of the plan ends it too
  reason      text NOT NULL,
  PRIMARY KEY (destination, action)
) WITHOUT ROWID;

-- Distributions that a remote account sends.
ALTER TABLE distributions ADD COLUMN destination bigint; -- NULL: mails of our own
ALTER TABLE invitations ADD COLUMN remote text;          -- JSON: what the account knows it by

-- Messages that wait for the remote account, and looks at what became of them
-- (kind progress); a row leaves when it is done.
CREATE TABLE message_queue (
  destination bigint NOT NULL,
  invitation  bigint NOT NULL,
  kind        text NOT NULL,
  due_at      bigint NOT NULL,
  tries       integer NOT NULL,
  unsure      boolean NOT NULL,  -- an earlier attempt may have had its effect
  PRIMARY KEY (invitation, kind)
) WITHOUT ROWID;
CREATE INDEX message_queue_due ON message_queue (destination, due_at);
