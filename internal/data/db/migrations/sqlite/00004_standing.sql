-- +goose Up
-- A standing distribution: one for a step of a workflow, with the invitations of all
-- its runs. Its workflow stands in run too, so that the key (run, step) holds for
-- it. What was a distribution of one run points to the standing one into which its
-- invitations went.
ALTER TABLE distributions ADD COLUMN workflow bigint;             -- NULL: of one run
ALTER TABLE distributions ADD COLUMN standing bigint;
ALTER TABLE distributions ADD COLUMN awake_until bigint NOT NULL DEFAULT 0; -- while its Distribute looks by itself what is due
CREATE INDEX distributions_workflow ON distributions (workflow) WHERE workflow IS NOT NULL;
CREATE INDEX distributions_listed ON distributions (id) WHERE standing IS NULL;
CREATE INDEX distributions_alone ON distributions (id) WHERE workflow IS NULL AND standing IS NULL;

-- What an invitation asks and says, as the version of its workflow has it. The
-- newest also stands in the distribution, where a process of the version before
-- looks.
CREATE TABLE distribution_versions (
  key          blob NOT NULL PRIMARY KEY, -- SHA-256 of all else, 16 bytes
  distribution bigint NOT NULL,
  version      bigint NOT NULL,            -- of the workflow
  directory    bigint NOT NULL,
  destination  bigint,                     -- NULL: mails of our own
  survey       text NOT NULL,
  channel      text NOT NULL,
  settings     text NOT NULL               -- JSON: subject, message, reminders, expiry …
) WITHOUT ROWID;
CREATE INDEX distribution_versions_of ON distribution_versions (distribution, version);
CREATE INDEX distribution_versions_survey ON distribution_versions (survey);

ALTER TABLE invitations ADD COLUMN version blob; -- of distribution_versions; NULL: as its distribution says
ALTER TABLE invitations ADD COLUMN step text;     -- path of the step in its run; NULL: the distribution's step
CREATE UNIQUE INDEX invitations_step ON invitations (run, step);
DROP INDEX invitations_run;
CREATE INDEX invitations_of ON invitations (distribution, id);
CREATE INDEX invitations_status ON invitations (distribution, status, id);
DROP INDEX invitations_distribution;

-- What is next for an invitation of a standing distribution; its Distribute workflow
-- takes what is due. The kind is a message's, or expiry.
CREATE TABLE distribution_queue (
  invitation   bigint NOT NULL PRIMARY KEY,
  distribution bigint NOT NULL,
  kind         text NOT NULL,
  due_at       bigint NOT NULL,
  tries        integer NOT NULL
) WITHOUT ROWID;
CREATE INDEX distribution_queue_due ON distribution_queue (distribution, due_at);

-- How many invitations of a distribution have a status, and how many of those were
-- sent, opened, started and finished at some time: kept with every write, so that
-- asking costs the same for ten and for ten million. There is one writer, and so one
-- shard.
CREATE TABLE invitation_counts (
  distribution bigint NOT NULL,
  shard        integer NOT NULL,
  status       text NOT NULL,
  n            bigint NOT NULL,
  sent         bigint NOT NULL,
  opened       bigint NOT NULL,
  started      bigint NOT NULL,
  finished     bigint NOT NULL,
  PRIMARY KEY (distribution, shard, status)
) WITHOUT ROWID;
INSERT INTO invitation_counts
  SELECT distribution, 0, status, count(*), count(sent_at), count(coalesce(opened_at, started_at, finished_at)), count(coalesce(started_at, finished_at)), count(finished_at)
  FROM invitations GROUP BY distribution, status;

-- +goose StatementBegin
CREATE TRIGGER count_invitation_made AFTER INSERT ON invitations BEGIN
  INSERT INTO invitation_counts VALUES (NEW.distribution, 0, NEW.status, 1,
    NEW.sent_at IS NOT NULL,
    coalesce(NEW.opened_at, NEW.started_at, NEW.finished_at) IS NOT NULL,
    coalesce(NEW.started_at, NEW.finished_at) IS NOT NULL,
    NEW.finished_at IS NOT NULL)
    ON CONFLICT (distribution, shard, status) DO UPDATE SET n = n + 1, sent = sent + excluded.sent, opened = opened + excluded.opened,
      started = started + excluded.started, finished = finished + excluded.finished;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER count_invitation_moved AFTER UPDATE OF distribution, status, sent_at, opened_at, started_at, finished_at ON invitations BEGIN
  UPDATE invitation_counts SET n = n - 1,
    sent = sent - (OLD.sent_at IS NOT NULL),
    opened = opened - (coalesce(OLD.opened_at, OLD.started_at, OLD.finished_at) IS NOT NULL),
    started = started - (coalesce(OLD.started_at, OLD.finished_at) IS NOT NULL),
    finished = finished - (OLD.finished_at IS NOT NULL)
    WHERE distribution = OLD.distribution AND shard = 0 AND status = OLD.status;
  INSERT INTO invitation_counts VALUES (NEW.distribution, 0, NEW.status, 1,
    NEW.sent_at IS NOT NULL,
    coalesce(NEW.opened_at, NEW.started_at, NEW.finished_at) IS NOT NULL,
    coalesce(NEW.started_at, NEW.finished_at) IS NOT NULL,
    NEW.finished_at IS NOT NULL)
    ON CONFLICT (distribution, shard, status) DO UPDATE SET n = n + 1, sent = sent + excluded.sent, opened = opened + excluded.opened,
      started = started + excluded.started, finished = finished + excluded.finished;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER count_invitation_gone AFTER DELETE ON invitations BEGIN
  UPDATE invitation_counts SET n = n - 1,
    sent = sent - (OLD.sent_at IS NOT NULL),
    opened = opened - (coalesce(OLD.opened_at, OLD.started_at, OLD.finished_at) IS NOT NULL),
    started = started - (coalesce(OLD.started_at, OLD.finished_at) IS NOT NULL),
    finished = finished - (OLD.finished_at IS NOT NULL)
    WHERE distribution = OLD.distribution AND shard = 0 AND status = OLD.status;
END;
-- +goose StatementEnd
