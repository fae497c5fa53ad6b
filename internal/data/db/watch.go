package db

import (
	"context"
	"database/sql"
	"runtime"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Transaction is how one transaction went.
type Transaction struct {
	Took   time.Duration // all of it, with its tries and what it waited
	Waited time.Duration // of it, for its turn
	Tries  int           // 1 unless somebody else was quicker
	Err    error
}

// Pools are the connections for writing and for reading, as they are now.
func (d *DB) Pools() (write, read sql.DBStats) { return d.w.Stats(), d.r.Stats() }

// span begins a span for a transaction of what is being traced; nil when nothing is,
// which costs nothing. It has the name of the verb.
func (d *DB) span(ctx context.Context) trace.Span {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return nil
	}
	system := "sqlite"
	if d.postgres {
		system = "postgresql"
	}
	_, span := parent.TracerProvider().Tracer("segue").Start(ctx, "database "+verb(),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system.name", system)))
	return span
}

func endSpan(span trace.Span, t Transaction) {
	if span == nil {
		return
	}
	if t.Tries > 1 {
		span.SetAttributes(attribute.Int("segue.tries", t.Tries))
	}
	if t.Err != nil {
		span.SetStatus(codes.Error, fault.KindOf(t.Err).String()) // its words may speak of people
	}
	span.End()
}

// verb is the exported function that runs a transaction: StoreEvents, CreateRuns.
func verb() string {
	var pcs [12]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs[:])]) // above InTx
	for {
		f, more := frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '.')+1:]
		if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
			return name
		}
		if !more {
			return "transaction"
		}
	}
}
