package traces

import (
	"go.opentelemetry.io/otel/trace"
)

// markSize is that of a trace context as it is kept: trace, span, flags.
const markSize = 16 + 8 + 1

// mark is a trace context as it is kept with an event; nil when nobody records it:
// then nothing of the event is traced, wherever it goes.
func mark(c trace.SpanContext) []byte {
	if !c.IsValid() || !c.IsSampled() {
		return nil
	}
	traceID, spanID := c.TraceID(), c.SpanID()
	b := make([]byte, 0, markSize)
	b = append(append(b, traceID[:]...), spanID[:]...)
	return append(b, byte(c.TraceFlags()))
}

// marked is the trace context of a mark; one that is not valid for what is none.
func marked(b []byte) trace.SpanContext {
	if len(b) != markSize {
		return trace.SpanContext{}
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(b[:16]), SpanID: trace.SpanID(b[16:24]), TraceFlags: trace.TraceFlags(b[24]), Remote: true,
	})
}
