-- +goose Up
-- The W3C trace context in which an event came in, 25 bytes: trace, span, flags. NULL
-- when it is not traced. What is done for the event later goes on in the same trace.
ALTER TABLE events ADD COLUMN trace bytea;
