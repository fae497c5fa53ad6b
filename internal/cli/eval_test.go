package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEvalFilter_Lines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"id":"a","fql":"type = \"track\"","event":{"type":"track"},"valid":true,"x":[{}]}`: `{"id":"a","valid":true,"matches":true}`,
		`{"event":{"type":"page"},"fql":"type = \"track\"","id":{"n":[1, 2]}}`:               `{"id":{"n":[1, 2]},"valid":true,"matches":false}`,
		`{"id":1,"fql":"type = \"track\"","event":null}`:                                     `{"id":1,"valid":true,"matches":false}`,
		`{"fql":"type = \"track\""}`:                                                         `{"id":null,"valid":true,"matches":false}`,
		`{"id":1,"fql":"type","event":{}}`:                                                   `{"id":1,"valid":false,"matches":null,"error":"filter, line 1, column 1: after type an operator and a value are missing"}`,
		`{"id":1,"fql":7,"event":{}}`:                                                        `{"id":1,"valid":false,"matches":null,"error":"fql: want a text, found number"}`,
		`{"id":1}`:                                                                           `{"id":1,"valid":false,"matches":null,"error":"fql: is missing"}`,
		`{"id":1,"fql":"type = \"a\" and ()","event":{"type":"a"}}`:                          `{"id":1,"valid":true,"matches":null,"error":"filter: an empty group () cannot be judged"}`,
		`{"\u0069d":1,"fql":"type = \"x\"","fql":"type = \"a\"","event":{"t\u0079pe":"a"}}`:  `{"id":1,"valid":true,"matches":true}`,
		`{"id":1,"fql":"type = \"a\"","event":{"type":"a"},"event":null}`:                    `{"id":1,"valid":true,"matches":false}`,
		`{"id":1,"fql":"type = \"a\"","event":{"type":"a"},"\u0065vent":{"type":"b"}}`:       `{"id":1,"valid":true,"matches":false}`,
		`{"id":1,"fql":"type = \"a\"","event":{"type":"b"},"fql":"type = \"b\""}`:            `{"id":1,"valid":true,"matches":true}`,
		`{"id":1,"fql":"properties.a = 1","event":{"properties":{"a":1},"properties":{}}}`:   `{"id":1,"valid":true,"matches":false}`,
		`{"id":1,"fql":"properties.a = 1","event":{"properties":{},"properties":{"a":1}}}`:   `{"id":1,"valid":true,"matches":true}`,
	} {
		o := run(t, Program{In: strings.NewReader(in)}, "eval", "filter")
		require.Equal(t, want+"\n", o.out, in)
		require.Equal(t, 0, o.code, o.err)
	}
}

func TestEvalMapping_Lines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"id":"a","mapping":{"x":{"@path":"$.b"}},"payload":{"b":[1,{"z":1,"a":2}]}}`: `{"id":"a","output":{"x":[1,{"z":1,"a":2}]}}`,
		`{"id":"a","mapping":{"@path":"$.none"},"payload":{}}`:                         `{"id":"a","undefined":true}`,
		`{"id":"a","mapping":{"x":{"@nope":1}},"payload":{}}`:                          `{"id":"a","error":true,"kind":"validation","message":"/x has an invalid directive: @nope"}`,
		`{"id":"a","mapping":5,"payload":{}}`:                                          `{"id":"a","error":true,"kind":"validation","message":"/ should be an object but it is a number"}`,
		`{"id":"a","mapping":{},"payload":[]}`:                                         `{"id":"a","error":true,"kind":"runtime","message":"payload: want an object"}`,
		`{"id":"a","mapping":{"x":{"@nope":1}},"payload":7}`:                           `{"id":"a","error":true,"kind":"runtime","message":"payload: want an object"}`,
		`{"id":"a","payload":{}}`:                                                      `{"id":"a","error":true,"kind":"validation","message":"mapping: is missing"}`,
	} {
		o := run(t, Program{In: strings.NewReader(in)}, "eval", "mapping")
		require.Equal(t, want+"\n", o.out, in)
		require.Equal(t, 0, o.code, o.err)
	}
}

func TestEvalPath_Lines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"id":"a","path":"$.b[?@ > 1]","document":{"b":[1,2.50,"x",9007199254740991,1e21]},"values":[]}`: `{"id":"a","values":[2.5,9007199254740991,1e+21]}`,
		`{"id":1,"path":"$..*","document":{"z":[{"b":1,"a":null}]}}`:                                      `{"id":1,"values":[[{"b":1,"a":null}],{"b":1,"a":null},1,null]}`,
		`{"id":1,"path":"$.none","document":{}}`:                                                          `{"id":1,"values":[]}`,
		`{"id":1,"path":"$","document":null}`:                                                             `{"id":1,"values":[null]}`,
		`{"id":1,"path":"$.","document":{}}`:                                                              `{"id":1,"error":"not a JSONPath: want a name, found end; other names stand in brackets: ['…'], at character 3"}`,
		`{"id":1,"path":"b.c","document":{}}`:                                                             `{"id":1,"error":"not a JSONPath: a path starts with $, the whole document, at character 1"}`,
		`{"id":1,"path":["$"],"document":{}}`:                                                             `{"id":1,"error":"path: want a text, found array"}`,
		`{"id":1,"document":{}}`:                                                                          `{"id":1,"error":"path: is missing"}`,
		`{"id":1,"path":"$"}`:                                                                             `{"id":1,"error":"document: is missing"}`,
		`{"id":1,"path":"$` + strings.Repeat("[*,*]", 60) + `","document":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`: `{"id":1,"error":"the path comes to more than 100000 values"}`,
	} {
		o := run(t, Program{In: strings.NewReader(in)}, "eval", "path")
		require.Equal(t, want+"\n", o.out, in)
		require.Equal(t, 0, o.code, o.err)
	}
}

func TestEval_NotJSON_IsAnsweredInItsPlaceAndExits1(t *testing.T) {
	t.Parallel()
	good := `{"id":1,"fql":"type = \"track\"","event":{"type":"track"}}`
	want := `{"id":1,"valid":true,"matches":true}`
	for _, bad := range []string{"nonsense", "", "[1]", `{"id":1}x`, `{"id":01,"fql":"type = \"a\"","event":{}}`, `{"id":1,"fql":"type = \"a\"","event":{"a":tru}}`, `{"id":1,"other":[1,]}`, "\xff"} {
		o := run(t, Program{In: strings.NewReader(good + "\r\n" + bad + "\n" + good)}, "eval", "filter")
		lines := strings.Split(o.out, "\n")
		require.Len(t, lines, 4, bad)
		require.Equal(t, []string{want, want, ""}, []string{lines[0], lines[2], lines[3]})
		var e map[string]any
		require.NoError(t, json.Unmarshal([]byte(lines[1]), &e), lines[1])
		require.Len(t, e, 1)
		require.NotEmpty(t, e["error"])
		require.Equal(t, 1, o.code)
		require.Equal(t, "segue: 1 line is not JSON\n", o.err)
	}
}

func TestEval_LongLines_UpTo16MB(t *testing.T) {
	t.Parallel()
	line := func(size int) string {
		s := `{"id":1,"fql":"type = \"track\"","event":{"type":"track","x":"`
		return s + strings.Repeat("y", size-len(s)-3) + `"}}`
	}
	in := line(maxLine) + "\n" + line(maxLine+1) + "\n" + line(3*maxLine) + "\n" + line(100) + "\n" + line(2*maxLine)
	o := run(t, Program{In: strings.NewReader(in)}, "eval", "filter")
	ok, long := `{"id":1,"valid":true,"matches":true}`, `{"error":"the line is over 16 MB"}`
	require.Equal(t, []string{ok, long, long, ok, long, ""}, strings.Split(o.out, "\n"))
	require.Equal(t, 1, o.code)
}

func TestEval_ManyLines_KeepTheirOrder(t *testing.T) {
	t.Parallel()
	const n = 30_000
	var in, want bytes.Buffer
	for i := range n {
		fmt.Fprintf(&in, `{"id":%d,"fql":"properties.n > %d","event":{"properties":{"n":%d},"pad":%q}}`+"\n", i, i%7000, i, strings.Repeat("x", i%300))
		fmt.Fprintf(&want, `{"id":%d,"valid":true,"matches":%v}`+"\n", i, i > i%7000)
	}
	o := run(t, Program{In: &in}, "eval", "filter")
	require.Equal(t, 0, o.code, o.err)
	require.Equal(t, want.String(), o.out)
}

// A person who types, or a program that waits for the answer, gets it at once.
func TestEval_Pause_FlushesWhatWasAsked(t *testing.T) {
	t.Parallel()
	in, typed := io.Pipe()
	shown, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Run([]string{"eval", "filter"}, Program{In: in, Out: out, Err: io.Discard, Environ: []string{}})
	}()
	answers := bufio.NewScanner(shown)
	for i := range 20 {
		_, err := fmt.Fprintf(typed, `{"id":%d,"fql":"type = \"a\"","event":{"type":"a"}}`+"\n", i)
		require.NoError(t, err)
		require.True(t, answers.Scan())
		require.Equal(t, fmt.Sprintf(`{"id":%d,"valid":true,"matches":true}`, i), answers.Text())
	}
	require.NoError(t, typed.Close())
	require.NoError(t, <-done)
}

func TestEval_OutputCloses_EndsWithAnError(t *testing.T) {
	t.Parallel()
	shown, out := io.Pipe()
	require.NoError(t, shown.Close())
	in := strings.NewReader(strings.Repeat(`{"id":1}`+"\n", 1_000_000))
	require.ErrorIs(t, Run([]string{"eval", "filter"}, Program{In: in, Out: out, Err: io.Discard, Environ: []string{}}), io.ErrClosedPipe)
}

// Larger sets with known answers may be at hand: see SEGUE_CONFORMANCE.
func TestEval_ConformanceSets(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_CONFORMANCE")
	if dir == "" {
		t.Skip("SEGUE_CONFORMANCE does not name a directory")
	}
	check := func(name, command string, same func(want, got map[string]any) bool) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		o := run(t, Program{In: bytes.NewReader(text)}, "eval", command)
		require.Equal(t, 0, o.code, o.err)
		answers := strings.Split(strings.TrimSpace(o.out), "\n")
		for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			var want, got map[string]any
			require.NoError(t, json.Unmarshal(line, &want))
			require.NoError(t, json.Unmarshal([]byte(answers[i]), &got))
			require.Equal(t, want["id"], got["id"])
			if want["feature"] != "non-object mapping" { // which we refuse
				require.True(t, same(want, got), "%s\n%s", line, answers[i])
			}
		}
	}
	equal := func(keys ...string) func(want, got map[string]any) bool {
		return func(want, got map[string]any) bool {
			for _, k := range keys {
				a, _ := json.Marshal(want[k])
				b, _ := json.Marshal(got[k])
				if string(a) != string(b) {
					return false
				}
			}
			return true
		}
	}
	check("fql.jsonl", "filter", equal("valid", "matches"))
	check("mapping.jsonl", "mapping", equal("output", "undefined", "error", "kind"))
	check("liquid.jsonl", "template", func(want, got map[string]any) bool {
		return (want["error"] == true) == (got["error"] != nil) && want["output"] == got["output"]
	})
	check("jsonpath.jsonl", "path", func(want, got map[string]any) bool {
		if want["invalid"] == true {
			return got["error"] != nil
		}
		right, several := want["any_of"].([]any)
		if !several {
			right = []any{want["values"]}
		}
		return slices.ContainsFunc(right, func(list any) bool { return reflect.DeepEqual(list, got["values"]) })
	})
}

func BenchmarkEvalFilter(b *testing.B) {
	var in bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&in, `{"id":%d,"fql":"type = \"track\" and event = \"Order Completed\" and properties.total > %d","event":{"type":"track","event":"Order Completed","userId":"u-1","properties":{"total":42,"currency":"JPY","products":[{"sku":"a","price":1.5}]},"context":{"library":{"name":"analytics.js"},"page":{"url":"https://shop.example.com/"}}}}`+"\n", i, i%1000)
	}
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		if err := Run([]string{"eval", "filter"}, Program{In: bytes.NewReader(in.Bytes()), Out: io.Discard, Environ: []string{}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "cases/s")
}
