// Package traces follows an event from the request that brings it to its last effect,
// over all processes, with OpenTelemetry. It is off unless the standard variables name
// an endpoint; then everything here is nil, and costs nothing.
//
//	t, err := traces.Start(ctx, traces.Options{Service: "segue-worker"})
//	launcher := t.Launcher(launcher, store)
//
// How one trace is held together: a request continues the trace of its traceparent
// header, or begins one. Its events keep the trace in the database (store.NewEvent).
// Temporal's headers carry it from the start of a workflow to its activities
// (Propagator), without spans for workflows themselves: those last for days, and would
// be seen when they end. What is done later, by whoever it is, looks it up: a run's
// start, each message, each attempt at a remote account.
//
// Where many events are dealt with together, the work is in the trace of the first of
// them, and linked with the others': each of these has a span that leads there.
//
// Spans have ids, kinds and statuses, never people or words.
package traces

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Options say who traces.
type Options struct {
	Service string // service.name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has one
	Version string // service.version
	Logger  *slog.Logger
}

// Traces makes spans. A nil one makes none. Safe for concurrent use.
type Traces struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider // nil: somebody else's
}

// New makes spans with a provider.
func New(p trace.TracerProvider) *Traces { return &Traces{tracer: p.Tracer("segue")} }

// Start begins to trace, as the OTEL_* variables say; nil when they name no endpoint
// or switch it off. A collector that is away is no error.
func Start(ctx context.Context, o Options) (*Traces, error) {
	if !wanted() {
		return nil, nil
	}
	exporter, err := exporter(ctx)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", o.Service), attribute.String("service.version", cmp.Or(o.Version, "unknown"))),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "OTEL_RESOURCE_ATTRIBUTES")
	}
	log := o.Logger
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans could not be exported", "error", err) }))
	// Sampler, limits and batches are the SDK's to read from the variables.
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	t := New(p)
	t.provider = p
	log.Info("events are traced, as the OTEL_* variables say")
	return t, nil
}

func wanted() bool {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) != "" &&
		!strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") && os.Getenv("OTEL_TRACES_EXPORTER") != "none"
}

func exporter(ctx context.Context) (*otlptrace.Exporter, error) {
	const variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
	var e *otlptrace.Exporter
	var err error
	switch p := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv(variable), "http/protobuf"); p {
	case "http/protobuf":
		e, err = otlptracehttp.New(ctx)
	case "grpc":
		e, err = otlptracegrpc.New(ctx)
	default:
		return nil, fault.Field(variable, "want http/protobuf or grpc, have %q", p)
	}
	return e, fault.Wrap(fault.Invalid, err, "the OTEL_EXPORTER_OTLP_* settings")
}

// Stop sends what is left, as long as ctx lasts.
func (t *Traces) Stop(ctx context.Context) {
	if t != nil && t.provider != nil {
		_ = t.provider.Shutdown(ctx) // whatever is lost then is only traces
	}
}

// start begins a span; end is told how it went.
func (t *Traces) start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, name, o...)
	return ctx, func(err error) { end(span, err) }
}

// end says the kind of an error, and none of its words: they may speak of people.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, fault.KindOf(err).String())
	}
	span.End()
}

// linked are links to the spans of contexts.
func linked(to ...trace.SpanContext) trace.SpanStartOption {
	var links []trace.Link
	for _, c := range to {
		if c.IsValid() {
			links = append(links, trace.Link{SpanContext: c})
		}
	}
	return trace.WithLinks(links...)
}
