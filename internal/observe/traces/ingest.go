package traces

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/segue-xm/segue/starter"
)

// Ingest follows requests through a starter; nil when nothing is traced.
func (t *Traces) Ingest() starter.Traces {
	if t == nil {
		return nil
	}
	return ingest{t}
}

type ingest struct{ t *Traces }

// headers reads a request's headers.
type headers func(name string) string

// Get reads one.
func (h headers) Get(name string) string { return h(name) }

// Set does nothing: a request's are not changed.
func (h headers) Set(string, string) {}

// Keys lists none: those that are wanted are known.
func (h headers) Keys() []string { return nil }

// Request continues the trace of a request's traceparent, or begins one.
func (i ingest) Request(ctx context.Context, route string, header func(string) string) (context.Context, func(error)) {
	ctx = propagation.TraceContext{}.Extract(ctx, headers(header))
	return i.t.start(ctx, "POST "+route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", "POST"), attribute.String("http.route", route)))
}

// Mark is what the events of a request keep of it.
func (i ingest) Mark(ctx context.Context) []byte { return mark(trace.SpanContextFromContext(ctx)) }

// Commit is for what is stored together for several requests: in the trace of the
// first that is recorded, with links between it and the others.
func (i ingest) Commit(ctx context.Context, requests []context.Context) (context.Context, func()) {
	var spans []trace.Span
	for _, r := range requests {
		if s := trace.SpanFromContext(r); s.IsRecording() {
			spans = append(spans, s)
		}
	}
	if len(spans) == 0 {
		return ctx, func() {}
	}
	others := make([]trace.SpanContext, 0, len(spans)-1)
	for _, s := range spans[1:] {
		others = append(others, s.SpanContext())
	}
	ctx, span := i.t.tracer.Start(trace.ContextWithSpan(ctx, spans[0]), "commit", linked(others...),
		trace.WithAttributes(attribute.Int("segue.requests", len(requests))))
	for _, s := range spans[1:] {
		s.AddLink(trace.Link{SpanContext: span.SpanContext()})
	}
	return ctx, func() { span.End() }
}
