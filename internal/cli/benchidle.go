package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/ops"
)

// idleReport is what an idle run measured: per event, from the start of its
// request until its contact was read.
type idleReport struct {
	Events       int       `json:"events"`
	Acknowledged latencies `json:"acknowledged"`
	Visible      latencies `json:"visible"`
}

func (r idleReport) text() string {
	return benchTable([][2]string{
		{"load", count(r.Events, "event") + ", one at a time"},
		{"acknowledged after", r.Acknowledged.text()},
		{"contact there after", r.Visible.text()},
	})
}

// idlePause lies between two events, so that each finds the server idle.
const idlePause = 50 * time.Millisecond

// runIdle measures how long one event takes when nothing else happens. Every
// event is about somebody new.
func (c *benchCommand) runIdle(ctx context.Context, p *Program, server *client.Client, key string) error {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	l := newLoad(c.tracking("identify"), key, 1)
	run := benchRun()
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI(l.url)
	req.Header.SetContentType("application/json")
	req.Header.Set("Authorization", l.auth)
	var acknowledged, visible []time.Duration
	for i := range c.Idle {
		user := fmt.Sprintf("bench-idle-%s-%d", run, i)
		req.SetBodyString(fmt.Sprintf(`{"type":"identify","messageId":%q,"userId":%q,"traits":{"email":"%s@example.com","firstName":"Idle"}}`, user, user, user))
		start := time.Now()
		if _, err := l.acknowledge(ctx, req, res); err != nil {
			return err
		}
		acknowledged = append(acknowledged, time.Since(start))
		err := poll(ctx, 2*time.Millisecond, func() (bool, error) {
			page, err := server.Contacts(ctx, ops.ContactFilter{ExtRef: user}, ops.Paging{Limit: 1})
			return len(page.Items) > 0, err
		})
		if err != nil {
			return fmt.Errorf("wait for the contact of %s (is there a mapping for identify?): %w", user, err)
		}
		visible = append(visible, time.Since(start))
		if err := sleep(ctx, idlePause); err != nil {
			return err
		}
	}
	slices.Sort(acknowledged)
	slices.Sort(visible)
	return c.report(p, idleReport{Events: c.Idle, Acknowledged: summarize(acknowledged), Visible: summarize(visible)})
}
