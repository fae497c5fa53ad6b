package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

type sendCommand struct {
	File string `short:"f" required:"" placeholder:"FILE" help:"Events, one JSON object a line, or {\"event\": {…}}; - is standard input."`
	writer
	remote
	JSON bool `help:"Write the summary as JSON."`
}

// Help is the long help text.
func (sendCommand) Help() string {
	return "Events go in the file's order, in compressed batches of at most 500 KB and 2,500 events. 429 and its Retry-After are honoured, " +
		"5xx and network errors tried again; an event without a messageId gets one, so that this makes no duplicates. " +
		"Lines that are no event and batches that are refused count as failed, and the exit code is 1."
}

// sendSummary says what became of the events of a file.
type sendSummary struct {
	Events   int     `json:"events"` // read, with those that failed
	Sent     int     `json:"sent"`   // acknowledged
	Batches  int     `json:"batches"`
	Retried  int     `json:"retried"` // requests sent again
	Failed   int     `json:"failed"`  // events
	Seconds  float64 `json:"seconds"`
	PerSec   float64 `json:"events_per_second"`
	progress time.Time
}

// Run runs the command.
func (c *sendCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	in := p.In
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fileError(err)
		}
		defer f.Close()
		in = f
	}
	server, err := c.client()
	if err != nil {
		return err
	}
	key, err := c.key(ctx, server)
	if err != nil {
		return err
	}
	s := sender{url: c.tracking("batch"), key: key}
	sum, err := c.sendAll(ctx, p, &s, in)
	if err != nil {
		return errors.Join(c.report(p, sum), err)
	}
	if err := c.report(p, sum); err != nil {
		return err
	}
	if sum.Failed > 0 {
		return fmt.Errorf("%d of %s failed", sum.Failed, count(sum.Events, "event"))
	}
	return nil
}

// sendAll sends the file batch by batch. The error is for what ends it early.
func (c *sendCommand) sendAll(ctx context.Context, p *Program, s *sender, in io.Reader) (sum sendSummary, err error) {
	start := time.Now()
	sum.progress = start
	defer func() {
		sum.Retried = s.retried
		sum.Seconds = time.Since(start).Seconds()
		sum.PerSec = float64(sum.Sent) / max(sum.Seconds, 1e-9)
	}()
	events := newEventReader(in, "send-"+rand.Text()[:12])
	var b batch
	flush := func() error {
		if b.n == 0 {
			return nil
		}
		sum.Batches++
		err := s.send(ctx, &b)
		var final refusedBatch
		switch {
		case err == nil:
			sum.Sent += b.n
		case errors.As(err, &final) && !final.all:
			sum.Failed += b.n
			fmt.Fprintf(p.Err, "segue: events up to line %d: %v\n", events.line, err)
		default:
			sum.Failed += b.n
			return err
		}
		b.reset()
		if now := time.Now(); now.Sub(sum.progress) >= time.Second {
			sum.progress = now
			fmt.Fprintf(p.Err, "sent %d events, %.0f/s\n", sum.Sent, float64(sum.Sent)/now.Sub(start).Seconds())
		}
		return nil
	}
	for {
		event, err := events.next()
		var bad lineError
		switch {
		case errors.Is(err, io.EOF):
			return sum, flush()
		case errors.As(err, &bad):
		case err != nil:
			return sum, err
		case len(event) > maxBatchBytes-batchRoom:
			bad = lineError{events.line, fmt.Errorf("%d KB do not fit into a batch of %d", len(event)>>10, maxBatchBytes>>10)}
		}
		sum.Events++
		if bad.err != nil {
			sum.Failed++
			fmt.Fprintf(p.Err, "segue: %v\n", bad)
			continue
		}
		if !b.fits(event) {
			if err := flush(); err != nil {
				return sum, err
			}
		}
		b.add(event)
	}
}

func (c *sendCommand) report(p *Program, sum sendSummary) error {
	if c.JSON {
		return p.writeJSON(sum)
	}
	_, err := fmt.Fprintf(p.Out, "sent %d of %s in %s (%.0f/s); %s sent again, %d failed\n",
		sum.Sent, count(sum.Events, "event"), countBatches(sum.Batches), sum.PerSec, count(sum.Retried, "request"), sum.Failed)
	return err
}

func countBatches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}

// Limits of the Tracking API.
const (
	maxBatchBytes  = 500 << 10
	maxBatchEvents = 2500
	batchRoom      = 64 // for what is around the events
)

// batch is the body of a batch request on its way.
type batch struct {
	events bytes.Buffer
	n      int
}

func (b *batch) fits(event []byte) bool {
	return b.n < maxBatchEvents && b.events.Len()+1+len(event)+batchRoom <= maxBatchBytes
}

func (b *batch) add(event []byte) {
	if b.n > 0 {
		b.events.WriteByte(',')
	}
	b.events.Write(event)
	b.n++
}

func (b *batch) reset() {
	b.events.Reset()
	b.n = 0
}
