// Package tracestest is a collector for tests: it takes spans over OTLP as any other
// does, and shows them.
package tracestest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that was sent.
type Span struct {
	Name, Service       string
	Trace, ID, Parent   string   // in hexadecimal; Parent "" is a trace's first
	Links               []string // spans it is linked with, as trace-span
	Attributes, Failure string   // Attributes as key=value, sorted, with blanks between
}

// Collector takes spans at URL, which is what OTEL_EXPORTER_OTLP_ENDPOINT wants.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
}

// New returns a collector that ends with the test.
func New(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	var request collector.ExportTraceServiceRequest
	if err := read(r, &request); err != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, fmt.Sprint(r.URL.Path, ": ", err), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, from := range request.ResourceSpans {
		service := ""
		for _, a := range from.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range from.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, spanOf(service, s))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func read(r *http.Request, into proto.Message) error {
	body := r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(r.Body); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return proto.Unmarshal(b, into)
}

func spanOf(service string, s *tracepb.Span) Span {
	out := Span{
		Name: s.Name, Service: service, Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId),
		Parent: hex.EncodeToString(s.ParentSpanId), Attributes: attributes(s.Attributes),
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, hex.EncodeToString(l.TraceId)+"-"+hex.EncodeToString(l.SpanId))
	}
	if s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		out.Failure = s.Status.Message
	}
	return out
}

func attributes(list []*common.KeyValue) string {
	var out []string
	for _, a := range list {
		v := a.Value.GetStringValue()
		if v == "" {
			v = a.Value.String()
		}
		out = append(out, a.Key+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// Spans are those that have come so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Tree draws a trace: each span under its parent, by name, whatever process sent it.
func (c *Collector) Tree(trace string) string {
	children := map[string][]Span{}
	known := map[string]bool{}
	for _, s := range c.Spans() {
		if s.Trace == trace {
			known[s.ID] = true
		}
	}
	for _, s := range c.Spans() {
		if s.Trace == trace {
			parent := s.Parent
			if !known[parent] {
				parent = ""
			}
			children[parent] = append(children[parent], s)
		}
	}
	var draw func(of string, depth int) string
	draw = func(of string, depth int) string {
		var parts []string
		for _, s := range children[of] {
			parts = append(parts, strings.Repeat("  ", depth)+s.Name+"\n"+draw(s.ID, depth+1))
		}
		slices.Sort(parts)
		return strings.Join(parts, "")
	}
	return draw("", 0)
}
