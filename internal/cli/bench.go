package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
)

type benchCommand struct {
	Rate        float64       `placeholder:"N" help:"Events per second to offer, whatever the server does (open loop). 0: each connection sends again when it is answered (closed loop)."`
	Connections int           `default:"256" placeholder:"N" help:"Connections at a time. Default ${default}."`
	Batch       int           `default:"1" placeholder:"N" help:"Events per request, at most 500. Default ${default}."`
	Duration    time.Duration `default:"10s" placeholder:"D" help:"How long to send, unless --events says how many. Default ${default}."`
	Events      int           `placeholder:"N" help:"How many events to send."`
	Users       int           `default:"10000" placeholder:"N" help:"How many people the events are about. Default ${default}."`
	Runs        bool          `help:"Send the track events that start the example's workflow, instead of identify events."`
	Idle        int           `placeholder:"N" help:"Instead of load: send N events one at a time, and measure how long each takes until its contact can be read."`
	Patience    time.Duration `default:"10m" placeholder:"D" help:"How long to wait until all is finished. Default ${default}."`
	writer
	remote
	JSON bool `help:"Write JSON."`
}

// Help is the long help text.
func (benchCommand) Help() string {
	return "Events of about 1 KB, the same in every run but for their message ids, go to the Tracking API. " +
		"Acknowledged: events whose request was answered with success, which means stored. Latencies of an open loop count from when a request was due, " +
		"so a server that falls behind shows. Finished: all events sent, divided by the time from the first request until no event waits to be processed and a sample of them is found processed."
}

const (
	maxBenchBatch = 500
	benchSamples  = 20
)

func (c *benchCommand) check() error {
	var errs []error
	for _, f := range []struct {
		name     string
		value    int
		min, max int
	}{{"connections", c.Connections, 1, 65536}, {"batch", c.Batch, 1, maxBenchBatch}, {"events", c.Events, 0, 1 << 30}, {"users", c.Users, 1, 1 << 30}, {"idle", c.Idle, 0, 1 << 20}} {
		if f.value < f.min || f.value > f.max {
			errs = append(errs, fault.Field(f.name, "want %d to %d", f.min, f.max))
		}
	}
	if c.Rate < 0 {
		errs = append(errs, fault.Field("rate", "want 0 or more"))
	}
	if c.Events == 0 && c.Idle == 0 && c.Duration <= 0 {
		errs = append(errs, fault.Field("duration", "want more than 0"))
	}
	return usage(errors.Join(errs...))
}

// Run runs the command.
func (c *benchCommand) Run(p *Program) error {
	if err := c.check(); err != nil {
		return err
	}
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	key, err := c.key(ctx, server)
	if err != nil {
		return err
	}
	if c.Idle > 0 {
		return c.runIdle(ctx, p, server, key)
	}
	return c.runLoad(ctx, p, server, key)
}

// latencies sums up how long something took.
type latencies struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// summarize takes sorted durations.
func summarize(sorted []time.Duration) latencies {
	at := func(q float64) float64 {
		if len(sorted) == 0 {
			return 0
		}
		// Nearest rank: the least that at least this part does not exceed.
		i := max(0, int(q*float64(len(sorted))+0.999999)-1)
		return float64(sorted[min(i, len(sorted)-1)].Microseconds()) / 1000
	}
	return latencies{P50: at(0.50), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

// loadReport is what a load run measured.
type loadReport struct {
	Loop           string    `json:"loop"` // open, closed
	OfferedPerSec  float64   `json:"offered_per_second,omitempty"`
	Connections    int       `json:"connections"`
	Batch          int       `json:"batch"`
	Kind           string    `json:"kind"` // identify, track
	EventBytes     int       `json:"event_bytes"`
	Sent           int       `json:"sent"`         // events of requests that were made
	Acknowledged   int       `json:"acknowledged"` // events
	Retried        int       `json:"retried"`      // requests
	Failed         int       `json:"failed"`       // events given up
	FirstFailure   string    `json:"first_failure,omitempty"`
	SendSeconds    float64   `json:"send_seconds"`
	AckPerSec      float64   `json:"acknowledged_per_second"`
	Latency        latencies `json:"latency"` // per request, to its acknowledgement
	Finished       bool      `json:"finished"`
	FinishSeconds  float64   `json:"finish_seconds,omitempty"` // from the first request
	FinishedPerSec float64   `json:"finished_per_second,omitempty"`
	Note           string    `json:"note,omitempty"`
}

func (r loadReport) text() string {
	rows := [][2]string{
		{"load", fmt.Sprintf("%s loop, %d connections, %d %s of %d bytes per request", r.Loop, r.Connections, r.Batch, r.Kind, r.EventBytes)},
	}
	if r.OfferedPerSec > 0 {
		rows = append(rows, [2]string{"offered", fmt.Sprintf("%.0f events/s", r.OfferedPerSec)})
	}
	rows = append(rows,
		[2]string{"sent", fmt.Sprintf("%s in %.2f s; %s sent again, %d failed", count(r.Sent, "event"), r.SendSeconds, count(r.Retried, "request"), r.Failed)},
		[2]string{"acknowledged", fmt.Sprintf("%d, %.0f events/s", r.Acknowledged, r.AckPerSec)},
		[2]string{"acknowledged after", r.Latency.text()},
	)
	if r.Finished {
		rows = append(rows, [2]string{"finished", fmt.Sprintf("all in %.2f s, %.0f events/s", r.FinishSeconds, r.FinishedPerSec)})
	} else {
		rows = append(rows, [2]string{"finished", "not within the time allowed"})
	}
	if r.FirstFailure != "" {
		rows = append(rows, [2]string{"first failure", r.FirstFailure})
	}
	if r.Note != "" {
		rows = append(rows, [2]string{"note", r.Note})
	}
	return benchTable(rows)
}

func (l latencies) text() string {
	return fmt.Sprintf("p50 %.1f ms · p95 %.1f ms · p99 %.1f ms · max %.1f ms", l.P50, l.P95, l.P99, l.Max)
}

func benchTable(rows [][2]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\n", r[0], r[1])
	}
	w.Flush() //nolint:errcheck // into memory
	return b.String()
}

func (c *benchCommand) report(p *Program, v interface{ text() string }) error {
	if c.JSON {
		return p.writeJSON(v)
	}
	_, err := p.Out.Write([]byte(v.text()))
	return err
}

// poll asks again and again until done says yes; the error is ask's or the end
// of ctx.
func poll(ctx context.Context, every time.Duration, ask func() (done bool, err error)) error {
	for {
		done, err := ask()
		if done || err != nil {
			return err
		}
		if err := sleep(ctx, every); err != nil {
			return err
		}
	}
}
