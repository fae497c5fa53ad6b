//go:build !slim

package devserver

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger passes the server's warnings and errors on to slog; the rest is too
// much for whoever wants to see what Segue does.
type logger struct {
	to    *slog.Logger
	quiet *atomic.Bool // set while the server stops
}

var _ log.Logger = (*logger)(nil)
var _ log.WithLogger = (*logger)(nil)

// fatal is what Fatal and Panic panic with.
type fatal string

func newLogger(to *slog.Logger) *logger {
	return &logger{to: to.With("component", "temporal"), quiet: new(atomic.Bool)}
}

func (l *logger) With(tags ...tag.Tag) log.Logger {
	attrs := make([]any, 0, len(tags))
	for _, a := range attributes(tags) {
		attrs = append(attrs, a)
	}
	return &logger{to: l.to.With(attrs...), quiet: l.quiet}
}

func (l *logger) Debug(string, ...tag.Tag) {}
func (l *logger) Info(string, ...tag.Tag)  {}

// Warn leaves out the warning about what is meant to be off.
func (l *logger) Warn(msg string, tags ...tag.Tag) {
	if !strings.HasPrefix(msg, "HTTP API port has not been set") {
		l.write(slog.LevelWarn, msg, tags)
	}
}

func (l *logger) Error(msg string, tags ...tag.Tag)  { l.write(slog.LevelError, msg, tags) }
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// Panic logs and panics, as the server expects.
func (l *logger) Panic(msg string, tags ...tag.Tag) { l.die(msg, tags) }

// Fatal must not return. Unlike the server's own logger it does not end the
// process: during Start its panic becomes an error, later it leaves a trace.
func (l *logger) Fatal(msg string, tags ...tag.Tag) { l.die(msg, tags) }

func (l *logger) write(level slog.Level, msg string, tags []tag.Tag) {
	if !l.quiet.Load() {
		l.to.LogAttrs(context.Background(), level, msg, attributes(tags)...)
	}
}

func (l *logger) die(msg string, tags []tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	for _, a := range attributes(tags) {
		msg += " " + a.String()
	}
	panic(fatal(msg))
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		attrs = append(attrs, slog.Any(t.Key(), t.Value()))
	}
	return attrs
}
