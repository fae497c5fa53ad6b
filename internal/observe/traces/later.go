package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/mail"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/worker"
)

// Kept is where the traces of events are looked up.
type Kept interface {
	EventTraces(ctx context.Context, events []id.ID) ([]store.TracedEvent, error)
	RunTrace(ctx context.Context, run id.ID) ([]byte, error)
	InvitationTrace(ctx context.Context, invitation id.ID) ([]byte, error)
}

// lookTime is how long a start waits at most for its trace to be looked up.
const lookTime = 2 * time.Second

// Launcher starts workflows in the traces of the events they are for, whoever asks
// for it: the starter that stored them, or a sweeper of another process.
func (t *Traces) Launcher(l worker.Launcher, kept Kept) worker.Launcher {
	if t == nil {
		return l
	}
	return launcher{l, t, kept}
}

type launcher struct {
	worker.Launcher
	t    *Traces
	kept Kept
}

func (l launcher) ProcessEvents(ctx context.Context, events []id.ID, source string) error {
	ctx, end := l.t.batch(ctx, l.kept, events)
	err := l.Launcher.ProcessEvents(ctx, events, source)
	end(err)
	return err
}

// batch continues the trace of the first event that has one, and links it with those
// of the others, both ways.
func (t *Traces) batch(ctx context.Context, kept Kept, events []id.ID) (context.Context, func(error)) {
	const name = "start ProcessEvents"
	var from []trace.SpanContext
	seen := map[trace.TraceID]bool{}
	look, cancel := context.WithTimeout(ctx, lookTime)
	rows, _ := kept.EventTraces(look, events) // nothing is kept from starting
	cancel()
	for _, r := range rows {
		if c := marked(r.Trace); c.IsValid() && !seen[c.TraceID()] {
			seen[c.TraceID()] = true
			from = append(from, c)
		}
	}
	if len(from) == 0 {
		return ctx, func(error) {}
	}
	size := trace.WithAttributes(attribute.Int("segue.events", len(events)))
	producer := trace.WithSpanKind(trace.SpanKindProducer)
	batch, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, from[0]), name, producer, size, linked(from[1:]...))
	for _, c := range from[1:] {
		_, own := t.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, c), name, producer, size, linked(span.SpanContext()))
		own.End()
	}
	return batch, func(err error) { end(span, err) }
}

func (l launcher) StartRun(ctx context.Context, run id.ID, workflow string) error {
	look, cancel := context.WithTimeout(ctx, lookTime)
	kept, _ := l.kept.RunTrace(look, run)
	cancel()
	from := marked(kept)
	if !from.IsValid() { // whoever asks works for others too
		return l.Launcher.StartRun(untraced(ctx), run, workflow)
	}
	ctx, end := l.t.start(trace.ContextWithRemoteSpanContext(ctx, from), "start RunWorkflow", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("segue.run", run.String())))
	err := l.Launcher.StartRun(ctx, run, workflow)
	end(err)
	return err
}

// WakeDistribution begins no trace and continues none: a queue is worked off for
// whoever is in it.
func (l launcher) WakeDistribution(ctx context.Context, d id.ID) error {
	return l.Launcher.WakeDistribution(untraced(ctx), d)
}

// WakeDelivery is as WakeDistribution.
func (l launcher) WakeDelivery(ctx context.Context, destination id.ID) error {
	return l.Launcher.WakeDelivery(untraced(ctx), destination)
}

func untraced(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContext{})
}

// in begins a span in the trace that was kept, linked with what goes on here; when
// none was, it goes on here.
func (t *Traces) in(ctx context.Context, kept []byte, name string, o ...trace.SpanStartOption) (context.Context, func(error)) {
	if from := marked(kept); from.IsValid() {
		o = append(o, linked(trace.SpanContextFromContext(ctx)))
		ctx = trace.ContextWithRemoteSpanContext(ctx, from)
	}
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, func(error) {}
	}
	return t.start(ctx, name, o...)
}

// Message is for activities.Distributions: what is due for an invitation is in the
// trace of the event that it goes back to. Nil when nothing is traced.
func (t *Traces) Message(kept Kept) func(context.Context, id.ID, distribution.Kind) (context.Context, func(error)) {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, invitation id.ID, kind distribution.Kind) (context.Context, func(error)) {
		from, _ := kept.InvitationTrace(ctx, invitation)
		return t.in(ctx, from, "message "+string(kind), trace.WithAttributes(attribute.String("segue.invitation", invitation.String())))
	}
}

// Mail makes a span of each mail.
func (t *Traces) Mail(s activities.MailSender) activities.MailSender {
	if t == nil {
		return s
	}
	return sender{s, t}
}

type sender struct {
	activities.MailSender
	t *Traces
}

func (s sender) Send(ctx context.Context, m mail.Message) error {
	ctx, end := s.t.in(ctx, nil, "mail", trace.WithSpanKind(trace.SpanKindClient))
	err := s.MailSender.Send(ctx, m)
	end(err)
	return err
}

// Accounts makes a span of each attempt at a remote account, in the trace of the event
// that it is for.
func (t *Traces) Accounts(a courier.Accounts, kept Kept) courier.Accounts {
	if t == nil {
		return a
	}
	return accounts{a, t, kept}
}

type accounts struct {
	courier.Accounts
	t    *Traces
	kept Kept
}

func (a accounts) Open(ctx context.Context, d *routing.Destination, pace string) (courier.Account, error) {
	opened, err := a.Accounts.Open(ctx, d, pace)
	if err != nil {
		return nil, err
	}
	return account{opened, a, d.Def.Name}, nil
}

type account struct {
	courier.Account
	accounts
	destination string
}

func (a account) attempt(ctx context.Context, kept []byte, action string) (context.Context, func(delivery.Outcome)) {
	ctx, end := a.t.in(ctx, kept, "account "+action, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("segue.destination", a.destination)))
	span := trace.SpanFromContext(ctx)
	return ctx, func(o delivery.Outcome) {
		span.SetAttributes(attribute.StringSlice("segue.request_ids", o.RequestIDs))
		end(o.Err)
	}
}

func (a account) Deliver(ctx context.Context, d delivery.Attempt) delivery.Outcome {
	var kept []byte
	if rows, _ := a.kept.EventTraces(ctx, []id.ID{d.Event}); len(rows) == 1 {
		kept = rows[0].Trace
	}
	ctx, end := a.attempt(ctx, kept, d.Action)
	o := a.Account.Deliver(ctx, d)
	end(o)
	return o
}

func (a account) Send(ctx context.Context, m distribution.Outgoing) (distribution.Remote, delivery.Outcome) {
	kept, _ := a.kept.InvitationTrace(ctx, m.Invitation)
	ctx, end := a.attempt(ctx, kept, distribution.ActionDistribute)
	learnt, o := a.Account.Send(ctx, m)
	end(o)
	return learnt, o
}

func (a account) Progress(ctx context.Context, known distribution.Remote) (distribution.Progress, delivery.Outcome) {
	ctx, end := a.attempt(ctx, nil, distribution.ActionProgress)
	p, o := a.Account.Progress(ctx, known)
	end(o)
	return p, o
}
