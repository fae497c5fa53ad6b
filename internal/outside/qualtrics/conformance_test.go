package qualtrics_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// recorded is one line of a corpus: what Segment's destination sent for an event,
// and what it made of the answers.
type recorded struct {
	id, feature, action string
	all                 *jsonvalue.Object
	replies             []reply
	requests            []*jsonvalue.Object
	outcome             *jsonvalue.Object
}

var actionNames = map[string]string{
	"addContactToXmd":          plan.UpsertContact,
	"upsertContactTransaction": plan.UpsertTransaction,
	"triggerXflowWorkflow":     plan.StartWorkflow,
}

func readCorpus(t testing.TB, file string) []recorded {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var out []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		o := parsed(t, lines.Text())
		c := recorded{id: text(o, "id"), feature: text(o, "feature"), action: text(o, "action"), all: o}
		c.outcome, _ = o.Get("outcome").(*jsonvalue.Object)
		for _, r := range list(o, "responses") {
			c.replies = append(c.replies, readReply(r.(*jsonvalue.Object)))
		}
		for _, r := range list(o, "requests") {
			c.requests = append(c.requests, r.(*jsonvalue.Object))
		}
		out = append(out, c)
	}
	require.NoError(t, lines.Err())
	return out
}

func readReply(o *jsonvalue.Object) reply {
	if o.Get("reset") == true {
		return reply{reset: true}
	}
	r := reply{status: int(o.Get("status").(float64)), header: map[string]string{}}
	if o.Has("body") {
		r.body = jsonvalue.Text(o.Get("body"))
		r.header["Content-Type"] = "application/json"
	} else {
		r.body = text(o, "raw")
	}
	headers, _ := o.Get("headers").(*jsonvalue.Object)
	for k, v := range headers.All() {
		r.header[k] = v.(string)
	}
	return r
}

func text(o *jsonvalue.Object, key string) string { s, _ := o.Get(key).(string); return s }

func list(o *jsonvalue.Object, key string) []any { l, _ := o.Get(key).([]any); return l }

// observed is what this package did with the same.
type observed struct {
	status   string // as in the corpus
	err      error
	requests []seen
	payload  *jsonvalue.Object
	choices  []wire.Directory
}

// run takes a case the whole way: filter, mapping, connector.
func (c recorded) run(t testing.TB) observed {
	t.Helper()
	there := newAccount(t, c.replies...)
	var o observed
	o.status, o.err = c.steps(there, &o)
	o.requests = there.seen()
	if o.err != nil {
		o.status = "error"
	}
	return o
}

func (c recorded) steps(there *account, o *observed) (string, error) {
	settings, _ := c.all.Get("settings").(*jsonvalue.Object)
	connect := func() (*qualtrics.Client, error) {
		return qualtrics.New(qualtrics.Options{
			Datacenter: text(settings, "datacenter"), APIToken: text(settings, "apiToken"),
			Transport: there, Now: func() time.Time { return frozen },
		})
	}
	if action, isDelivery := actionNames[c.action]; isDelivery && !strings.HasPrefix(c.feature, "dynamicField") {
		return c.deliver(action, connect, o)
	}
	client, err := connect()
	if err != nil {
		return "", err
	}
	if c.action == "testAuthentication" {
		_, err = client.Whoami(bg())
		return "success", err
	}
	o.choices, err = client.Directories(bg())
	return "success", err
}

func (c recorded) deliver(action string, connect func() (*qualtrics.Client, error), o *observed) (string, error) {
	event, _ := c.all.Get("event").(*jsonvalue.Object)
	filter, err := fql.Compile(text(c.all, "subscribe"))
	if err != nil {
		return "discarded", nil
	}
	if match, err := filter.Match(event); err != nil || !match {
		return "skipped", nil
	}
	fields := jsonvalue.NewObject(16)
	for _, f := range mapping.ActionFields(action) {
		fields.Set(f.Name, nil) // in the corpus a field that is not there has no mapping
	}
	given, _ := c.all.Get("mapping").(*jsonvalue.Object)
	for k, v := range given.All() {
		fields.Set(k, v)
	}
	made, err := mapping.ForAction(action, fields, false)
	if err != nil {
		return "", err
	}
	if o.payload, err = made.Apply(event); err != nil {
		return "", err
	}
	client, err := connect()
	if err != nil {
		return "", err
	}
	out := qualtrics.NewConnector(client).Deliver(bg(), delivery.Attempt{
		Action: action, Payload: o.payload, MessageID: text(event, "messageId"), Accepted: frozen,
	})
	return "success", out.Err
}

// wrong is the first difference from what is recorded, or "".
func (c recorded) wrong(o observed) string {
	if len(o.requests) != len(c.requests) {
		return fmt.Sprintf("%d requests, recorded are %d (%v)", len(o.requests), len(c.requests), o.err)
	}
	for i, want := range c.requests {
		if d := requestDiffers(o.requests[i], want); d != "" {
			return fmt.Sprintf("request %d: %s", i+1, d)
		}
	}
	return c.outcomeDiffers(o)
}

func requestDiffers(have seen, want *jsonvalue.Object) string {
	for _, p := range [][3]string{
		{"method", have.method, text(want, "method")}, {"scheme", have.scheme, text(want, "scheme")},
		{"host", have.host, text(want, "host")}, {"path", have.path, text(want, "path")},
	} {
		if p[1] != p[2] {
			return fmt.Sprintf("%s %q, recorded is %q", p[0], p[1], p[2])
		}
	}
	for k, v := range want.Get("headers").(*jsonvalue.Object).All() {
		if h := have.header.Get(k); h != v {
			return fmt.Sprintf("header %s: %q, recorded is %q", k, h, v)
		}
	}
	if body := withoutKey(have.body); !sameJSON(body, want.Get("body")) {
		return fmt.Sprintf("body\n  %s, recorded is\n  %s", jsonvalue.Text(body), jsonvalue.Text(want.Get("body")))
	}
	return ""
}

// withoutKey writes the corpus' name for a transaction's key.
func withoutKey(body any) any {
	key := keyIn(jsonvalue.Append(nil, body))
	if len(key) != 16 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz123456789") != "" {
		return body
	}
	o := jsonvalue.NewObject(1)
	o.Set("$RANDOM16", body.(*jsonvalue.Object).Get(key))
	return o
}

func (c recorded) outcomeDiffers(o observed) string {
	if strings.HasPrefix(c.feature, "dynamicField") {
		return c.choicesDiffer(o)
	}
	if want := text(c.outcome, "status"); o.status != want {
		return fmt.Sprintf("%s (%v), recorded is %s: %s", o.status, o.err, want, text(c.outcome, "message"))
	}
	if o.err == nil {
		return ""
	}
	kind, final := text(c.outcome, "kind"), fault.KindOf(o.err).Final()
	switch kind {
	case "internal", "authentication": // a failure is enough
		return ""
	case "integration":
		var e *qualtrics.Error
		if !errors.As(o.err, &e) || e.Code != text(c.outcome, "code") {
			return fmt.Sprintf("%v, recorded is %s", o.err, text(c.outcome, "code"))
		}
	case "http":
		var e *qualtrics.Error
		if !errors.As(o.err, &e) || float64(e.Status) != c.outcome.Get("httpStatus") {
			return fmt.Sprintf("%v, recorded is status %v", o.err, c.outcome.Get("httpStatus"))
		}
	}
	if retryable := c.outcome.Get("retryable") == true; retryable == final {
		return fmt.Sprintf("final is %v (%v), recorded is retryable %v", final, o.err, retryable)
	}
	return ""
}

func (c recorded) choicesDiffer(o observed) string {
	result := c.outcome.Get("result").(*jsonvalue.Object)
	if problem, failed := result.Get("error").(*jsonvalue.Object); failed {
		var e *qualtrics.Error
		message := text(problem, "message")
		if !errors.As(o.err, &e) || fmt.Sprint(e.Status) != text(problem, "code") || message != "Unknown Error" && !strings.Contains(e.Error(), message) {
			return fmt.Sprintf("%v, recorded is %s", o.err, jsonvalue.Text(problem))
		}
		return ""
	}
	var have []any
	for _, d := range o.choices {
		choice := jsonvalue.NewObject(2)
		choice.Set("label", d.Name)
		choice.Set("value", d.ID)
		have = append(have, choice)
	}
	if o.err != nil || !sameJSON(have, result.Get("choices")) {
		return fmt.Sprintf("%s (%v), recorded is %s", jsonvalue.Text(have), o.err, jsonvalue.Text(result.Get("choices")))
	}
	return ""
}

func sameJSON(a, b any) bool {
	if jsonvalue.IsUndefined(a) {
		a = nil
	}
	switch a := a.(type) {
	case *jsonvalue.Object:
		o, ok := b.(*jsonvalue.Object)
		if !ok || a.Len() != o.Len() {
			return false
		}
		for k, v := range a.All() {
			if !o.Has(k) || !sameJSON(v, o.Get(k)) {
				return false
			}
		}
		return true
	case []any:
		l, ok := b.([]any)
		if !ok || len(a) != len(l) {
			return false
		}
		for i := range a {
			if !sameJSON(a[i], l[i]) {
				return false
			}
		}
		return true
	}
	return a == b
}

// tally counts, for a feature, what is the same, different on purpose, and wrong.
type tally struct {
	same, wrong int
	deliberate  map[string]int
}

// judge runs a corpus and reports per feature. Nothing may be wrong.
func judge(t *testing.T, file string) {
	t.Helper()
	known := map[string]bool{}
	for _, d := range qualtrics.Differences() {
		known[d.ID] = true
	}
	features := map[string]*tally{}
	for _, c := range readCorpus(t, file) {
		f := features[c.feature]
		if f == nil {
			f = &tally{deliberate: map[string]int{}}
			features[c.feature] = f
		}
		o := c.run(t)
		d := c.wrong(o)
		if d == "" {
			f.same++
			continue
		}
		if reason := c.deliberate(o); known[reason] {
			f.deliberate[reason]++
			continue
		}
		f.wrong++
		t.Errorf("%s %s: %s", c.id, c.feature, d)
	}
	names := make([]string, 0, len(features))
	for n := range features {
		names = append(names, n)
	}
	sort.Strings(names)
	var table strings.Builder
	var total tally
	different := 0
	for _, n := range names {
		f := features[n]
		fmt.Fprintf(&table, "\n%-34s same %3d", n, f.same)
		for reason, k := range f.deliberate {
			fmt.Fprintf(&table, "  %s %d", reason, k)
			different += k
		}
		if f.wrong > 0 {
			fmt.Fprintf(&table, "  wrong %d", f.wrong)
		}
		total.same += f.same
		total.wrong += f.wrong
	}
	t.Logf("%s\ntotal: %d same, %d different on purpose, %d wrong", table.String(), total.same, different, total.wrong)
}

func TestDeliver_Conformance_Selection(t *testing.T) {
	t.Parallel()
	judge(t, "testdata/calls.jsonl")
}

// TestDeliver_Conformance_All holds the package against a whole corpus, when
// SEGUE_CONFORMANCE names a directory with qualtrics_calls.jsonl.
func TestDeliver_Conformance_All(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_CONFORMANCE")
	if dir == "" {
		t.Skip("SEGUE_CONFORMANCE is not set")
	}
	judge(t, filepath.Join(dir, "qualtrics_calls.jsonl"))
}
