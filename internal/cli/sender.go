package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/ops"
)

// sender posts batches to the Tracking API and tries again what may work later.
type sender struct {
	url, key string
	retried  int

	body bytes.Buffer
	zip  *gzip.Writer
	wait func(context.Context, time.Duration) error // nil: sleep
}

const (
	sendTries   = 10
	callTimeout = time.Minute
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
	longestRest = 5 * time.Minute // that a server may ask for
)

// refusedBatch is an answer that will not change.
type refusedBatch struct {
	status int
	all    bool // every batch would be refused
	detail string
}

func (e refusedBatch) Error() string {
	return fmt.Sprintf("the server answered %d: %s", e.status, e.detail)
}

// send posts one batch until it is acknowledged, refused for good (a
// refusedBatch), or tried often enough. Waiting because the server asked for it
// is no try.
func (s *sender) send(ctx context.Context, b *batch) error {
	if err := s.compress(b); err != nil {
		return err
	}
	wait := firstWait
	for try, asked := 1, 0; ; {
		err := s.post(ctx)
		var final refusedBatch
		if err == nil || errors.As(err, &final) || ctx.Err() != nil {
			return err
		}
		rest := fault.RetryAfter(err)
		if rest > 0 && asked < 100 {
			asked++
		} else if try++; try > sendTries {
			return err
		}
		rest = min(max(rest, wait), longestRest)
		wait = min(2*wait, longestWait)
		s.retried++
		if err := s.pause(ctx, rest); err != nil {
			return err
		}
	}
}

func (s *sender) compress(b *batch) error {
	s.body.Reset()
	if s.zip == nil {
		var err error
		if s.zip, err = gzip.NewWriterLevel(&s.body, gzip.BestSpeed); err != nil {
			return err
		}
	}
	s.zip.Reset(&s.body)
	io.WriteString(s.zip, `{"sentAt":"`+time.Now().UTC().Format("2006-01-02T15:04:05.000Z")+`","batch":[`) //nolint:errcheck // Close tells
	s.zip.Write(b.events.Bytes())                                                                          //nolint:errcheck // Close tells
	io.WriteString(s.zip, "]}")                                                                            //nolint:errcheck // Close tells
	return s.zip.Close()
}

func (s *sender) post(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(s.body.Bytes()))
	if err != nil {
		return err
	}
	req.SetBasicAuth(s.key, "")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var at *url.Error // its text would repeat the method and the address
		if errors.As(err, &at) {
			err = at.Err
		}
		return fault.Wrap(fault.Unavailable, err, "no answer from the server")
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // of use for a message only
	switch {
	case res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable:
		return &fault.Error{Kind: fault.RateLimited, Message: "the server asks to come later", RetryAfter: retryAfter(res.Header.Get("Retry-After"))}
	case res.StatusCode == http.StatusRequestTimeout || res.StatusCode >= 500:
		return fault.New(fault.Unavailable, "the server answered %d", res.StatusCode)
	}
	all := res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusNotFound
	return refusedBatch{res.StatusCode, all, detail(res.StatusCode, answer)}
}

// retryAfter reads the header's seconds; a date, which Segue does not send, counts
// as nothing said.
func retryAfter(header string) time.Duration {
	n, err := strconv.Atoi(header)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func (s *sender) pause(ctx context.Context, d time.Duration) error {
	if s.wait != nil {
		return s.wait(ctx, d)
	}
	return sleep(ctx, d)
}

// sleep waits unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// detail is what an answer says for people.
func detail(status int, answer []byte) string {
	var p ops.Problem
	if json.Unmarshal(answer, &p) == nil && p.Detail != "" {
		return p.Detail
	}
	return http.StatusText(status)
}
