package task

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

type probeConfig struct {
	Text   string            `json:"text"`
	Count  int               `json:"count"`
	Share  float64           `json:"share"`
	On     bool              `json:"on"`
	Maybe  *bool             `json:"maybe"`
	Wait   plan.Duration     `json:"wait"`
	Tags   []string          `json:"tags"`
	Heads  map[string]string `json:"heads"`
	Free   any               `json:"free"`
	Object *jsonvalue.Object `json:"object"`
	Part   struct {
		A string `json:"a"`
	} `json:"part"`
}

type probe struct {
	spec Spec
	run  func(context.Context, Input[probeConfig]) (Output, error)
}

func (p probe) Spec() Spec                 { return p.spec }
func (p probe) Validate(probeConfig) error { return nil }
func (p probe) Run(ctx context.Context, in Input[probeConfig]) (Output, error) {
	return p.run(ctx, in)
}

func probeSpec() Spec {
	s := Spec{Kind: "probe", Title: "Probe", Doc: "Probes.", Timeout: time.Second}
	for _, n := range []string{"text", "count", "share", "on", "maybe", "wait", "tags", "heads", "free", "object", "part"} {
		s.Fields = append(s.Fields, FieldSpec{Name: n, Type: "any", Doc: "x", Required: n == "text", Secret: n == "heads"})
	}
	return s
}

func object(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func newProbe(run func(context.Context, Input[probeConfig]) (Output, error)) *Registry {
	r := NewRegistry()
	Add(r, probe{probeSpec(), run})
	return r
}

func TestAdd_WrongSpec_PanicsAtStart(t *testing.T) {
	t.Parallel()
	r := newProbe(nil)
	require.PanicsWithValue(t, `task "probe": this kind is registered twice`, func() { Add(r, probe{spec: probeSpec()}) })
	for want, change := range map[string]func(*Spec){
		"kind":      func(s *Spec) { s.Kind = "Web Service" },
		"timeout":   func(s *Spec) { s.Timeout = 0 },
		"describes": func(s *Spec) { s.Fields = s.Fields[1:] },
	} {
		s := probeSpec()
		change(&s)
		err := func() (err any) {
			defer func() { err = recover() }()
			Add(NewRegistry(), probe{spec: s})
			return nil
		}()
		require.Contains(t, err, want)
	}
}

func TestRun_DecodesRenderedSettings(t *testing.T) {
	t.Parallel()
	var got probeConfig
	r := newProbe(func(_ context.Context, in Input[probeConfig]) (Output, error) {
		got = in.Config
		return Output{}, nil
	})
	_, err := r.Run(t.Context(), "probe", RawInput{With: object(t, `{"text":"{{ kept }}","count":"42","share":" 0.5 ","on":"TRUE","maybe":false,"wait":"1h30m","tags":["a","b"],"heads":{"k":"v"},"free":[1,{"x":null}],"object":{"b":1,"a":2},"part":{"a":"x"}}`)})
	require.NoError(t, err)
	require.Equal(t, "{{ kept }}", got.Text)
	require.Equal(t, 42, got.Count)
	require.InDelta(t, 0.5, got.Share, 0)
	require.True(t, got.On)
	require.False(t, *got.Maybe)
	require.Equal(t, 90*time.Minute, got.Wait.Std())
	require.Equal(t, []string{"a", "b"}, got.Tags)
	require.Equal(t, map[string]string{"k": "v"}, got.Heads)
	require.Equal(t, `[1,{"x":null}]`, jsonvalue.Text(got.Free))
	require.Equal(t, `{"b":1,"a":2}`, jsonvalue.Text(got.Object))
	require.Equal(t, "x", got.Part.A)
}

func TestValidate_Settings(t *testing.T) {
	t.Parallel()
	r := newProbe(nil)
	for text, want := range map[string]string{
		`{"text":"x"}`: "",
		`{"text":"x","count":"{{ fields.n }}","on":"{{ a }}","wait":"{{ b }}","share":"{% if x %}1{% endif %}","maybe":"{{ x }}"}`: "",
		`{"text":"x","free":null,"maybe":null}`: "",
		`{}`:                                    "text: is needed",
		`{"text":" "}`:                          "text: is needed",
		`{"text":"x","tex":1}`:                  "tex: there is no such setting; there are count,",
		`{"text":5}`:                            "text: want text, have number",
		`{"text":"x","count":1.5}`:              "count: want a whole number",
		`{"text":"x","count":"many"}`:           "count: want a number",
		`{"text":"x","on":1}`:                   "on: want true or false",
		`{"text":"x","wait":3}`:                 "wait: want text",
		`{"text":"x","wait":"soon"}`:            "wait: ",
		`{"text":"x","tags":"a"}`:               "tags: want a list",
		`{"text":"x","tags":["a",1]}`:           "tags[1]: want text",
		`{"text":"x","heads":{"k":1}}`:          "heads.k: want text",
		`{"text":"x","part":{"b":"x"}}`:         "part.b: there is no such setting",
		`{"text":"x","object":[1]}`:             "object: want an object",
		`{"text":"x","share":"Infinity"}`:       "share: want a number",
	} {
		err := r.Validate("probe", object(t, text))
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.ErrorContains(t, r.Validate("nope", nil), `there is no task "nope"; there are probe`)
	require.ErrorContains(t, r.Validate("probe", nil), "text: is needed")
}

func TestRun_TemplateLeftInANumber_IsRefused(t *testing.T) {
	t.Parallel()
	r := newProbe(func(context.Context, Input[probeConfig]) (Output, error) { return Output{}, nil })
	_, err := r.Run(t.Context(), "probe", RawInput{With: object(t, `{"text":"x","count":"{{ fields.n }}"}`)})
	require.ErrorContains(t, err, "count: want a number")
}

func TestRun_PanicIsAnError_SecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	with := object(t, `{"text":"x","heads":{"k":"hunter2-hunter2"}}`)
	r := newProbe(func(context.Context, Input[probeConfig]) (Output, error) { panic("boom hunter2-hunter2") })
	_, err := r.Run(t.Context(), "probe", RawInput{With: with})
	require.Equal(t, fault.Internal, fault.KindOf(err))
	require.Contains(t, err.Error(), "boom •••")

	r = newProbe(func(context.Context, Input[probeConfig]) (Output, error) {
		return Output{}, &fault.Error{Kind: fault.RateLimited, Message: "sent hunter2-hunter2", RetryAfter: time.Minute}
	})
	_, err = r.Run(t.Context(), "probe", RawInput{With: with})
	require.EqualError(t, err, "sent •••")
	require.Equal(t, fault.RateLimited, fault.KindOf(err))
	require.Equal(t, time.Minute, fault.RetryAfter(err))
	require.Equal(t, `{"text":"x","heads":{"k":"•••"}}`, jsonvalue.Text(r.Redact("probe", with)))
	require.NotContains(t, jsonvalue.Text(r.Redact("nope", with)), "hunter2")
}

func TestRun_HasTheSpecsTimeout(t *testing.T) {
	t.Parallel()
	r := newProbe(func(ctx context.Context, _ Input[probeConfig]) (Output, error) {
		at, ok := ctx.Deadline()
		if !ok || time.Until(at) > time.Second {
			return Output{}, errors.New("no deadline")
		}
		return Output{}, nil
	})
	_, err := r.Run(t.Context(), "probe", RawInput{With: object(t, `{"text":"x"}`)})
	require.NoError(t, err)
}

func TestNotYet_OnlyForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	require.NoError(t, NotYet(nil))
	gone := NotYet(fault.New(fault.NotFound, "no contact"))
	require.Equal(t, fault.Unavailable, fault.KindOf(gone))
	require.False(t, fault.KindOf(gone).Final())
	require.True(t, IsNotYet(gone))
	other := fault.New(fault.Unavailable, "database")
	require.Equal(t, error(other), NotYet(other))
	require.False(t, IsNotYet(other))
	require.False(t, IsNotYet(nil))
}
