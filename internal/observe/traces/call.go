package traces

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Calls makes a span of each call to a web service, and lets the service go on with
// the trace; nil when nothing is traced.
func (t *Traces) Calls() func(http.RoundTripper) http.RoundTripper {
	if t == nil {
		return nil
	}
	return func(next http.RoundTripper) http.RoundTripper { return calls{t, next} }
}

type calls struct {
	t    *Traces
	next http.RoundTripper
}

// RoundTrip calls. Of where it goes nothing is said: an address may be made of values.
func (c calls) RoundTrip(r *http.Request) (*http.Response, error) {
	if !trace.SpanContextFromContext(r.Context()).IsValid() {
		return c.next.RoundTrip(r)
	}
	ctx, span := c.t.tracer.Start(r.Context(), "call "+r.Method, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("http.request.method", r.Method)))
	r = r.Clone(ctx)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
	answer, err := c.next.RoundTrip(r)
	if err == nil {
		span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode))
	}
	end(span, err)
	return answer, err
}
