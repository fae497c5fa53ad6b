package jsonvalue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func TestParse_Values(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		` null `:                                nil,
		"\t\r\n true":                           true,
		`false`:                                 false,
		`0`:                                     0.0,
		`-1.5`:                                  -1.5,
		`0.1`:                                   0.1,
		`370.34`:                                370.34,
		`123456789012345`:                       123456789012345.0,
		`12345678901234567890`:                  12345678901234567890.0,
		`9007199254740993`:                      9007199254740992.0,
		`1E5`:                                   1e5,
		`1e-400`:                                0.0,
		`0.0000000000001`:                       1e-13,
		`""`:                                    "",
		`"日本 👩‍🚀"`:                              "日本 👩‍🚀",
		`"a\n\"\\\/\b\f\r\t\u0041"`:             "a\n\"\\/\b\f\r\tA",
		`"\ud83d\ude00!"`:                       "😀!",
		`"\uD83D\uDE00"`:                        "😀",
		`"\u00e9é\u65e5"`:                       "éé日",
		`[]`:                                    []any{},
		`[1, "a" ,null,[ ] ]`:                   []any{1.0, "a", nil, []any{}},
		"\"\x7f\u2028\"":                        "\x7f\u2028",
		`"` + strings.Repeat("x", 5000) + `\n"`: strings.Repeat("x", 5000) + "\n",
	} {
		v, err := Parse([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, v, text)
	}
}

func TestParse_NumberTooBig_IsInfinite(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte(`[1e400,-1e400,` + strings.Repeat("9", 400) + `]`))
	require.NoError(t, err)
	require.Equal(t, []any{math.Inf(1), math.Inf(-1), math.Inf(1)}, v)
	require.Equal(t, `[null,null,null]`, Text(v), "JSON.stringify writes them as null")
}

func TestParse_MinusZero_KeepsSign(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte(`-0`))
	require.NoError(t, err)
	require.True(t, math.Signbit(v.(float64)))
	require.Equal(t, "0", Text(v))
}

func TestParse_HalfSurrogatePair_BecomesReplacementCharacter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"\ud800"`:             "\ufffd",
		`"\ude00"`:             "\ufffd",
		`"\ude00\ud83d"`:       "\ufffd\ufffd",
		`"\ud83dx"`:            "\ufffdx",
		`"\ud83d\n"`:           "\ufffd\n",
		`"\ud83d\u0041"`:       "\ufffdA",
		`"\ud83d\ud83d\ude00"`: "\ufffd😀",
	} {
		v, err := Parse([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, v, text)
	}
}

func TestUnquote_WhatIsNotUTF8_BecomesReplacementCharacters(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`""`:                         "",
		`"a é 日"`:                    "a é 日",
		`"\u0061\n\/\ud83d\ude00\""`: "a\n/😀\"",
		`"\ud83d\u00e9"`:             "\ufffdé",
		"\"\xff\xfe\"":               "\ufffd\ufffd",
		"\"\\n\xe6\x97x\"":           "\n\ufffd\ufffdx",
	} {
		require.Equal(t, want, Unquote([]byte(raw)), raw)
	}
}

// What is wrong first is said, at its place.
func TestParse_Error_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                       "column 1: want a value, have the end",
		`[1,]`:                   "column 4: want a value, have ']'",
		`[tru]`:                  "column 2: want a value, have 't'",
		`{a`:                     `column 2: want a key in double quotes, have 'a'`,
		`{"é" 1}`:                "column 6: want a colon, have '1'",
		`{"a":1;`:                "column 7: want a comma or }, have ';'",
		`[1 2`:                   "column 4: want a comma or ], have '2'",
		`{"a":1`:                 "column 7: want a comma or }, have the end",
		`-`:                      "column 2: want a digit, have the end",
		`1.e`:                    "column 3: want a digit, have 'e'",
		`-012`:                   "column 2: a number cannot start with 0",
		`"é\x"`:                  "column 4: want an escape, have 'x'",
		`"\`:                     "column 3: want an escape, have the end",
		`"\ud83d\u00-1"`:         "column 12: want four hexadecimal digits, have '-'",
		"\"a\x01":                "column 3: a control character in a string must be escaped",
		`{"a":"b`:                "column 8: a string has no end",
		"\"ab\xff\"":             "column 2: a string is not UTF-8",
		"\"é\\n\xff\\n\"":        "column 5: a string is not UTF-8",
		"\"\xff\\x\"":            "column 2: a string is not UTF-8",
		"\"\\x\xff\"":            "column 3: want an escape, have 'x'",
		"{\"\xff\" 1}":           "column 3: a string is not UTF-8",
		"\"\xff\x01\"":           "column 3: a control character in a string must be escaped",
		`{} []`:                  "column 4: more text after the value",
		"\ufeff{}":               "column 1: it starts with a byte order mark",
		strings.Repeat("[", 201): "column 201: nested deeper than 200 levels",
	} {
		_, err := Parse([]byte(text))
		require.EqualError(t, err, "not JSON, line 1, "+want, "%q", text)
	}
}

func TestParse_NotJSON_IsInvalid(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `1 2`, `{} x`, `{}{}`, `[1]]`, `{"a":1}}`, `truefalse`, `nulll`, `nul`, `True`,
		"1\x00", "\x00", "\"a\x00b\"", "{}\x00", "\ufeff{}", "\u00a01", "\v1", "\f1",
		`01`, `-`, `-01`, `1.`, `.5`, `1e`, `1e+`, `+1`, `0x10`, `1_0`, `NaN`, `Infinity`, `--1`,
		`[1,]`, `[,1]`, `[1 2]`, `[`, `[1`, `]`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{1:1}`, `{"a":1 "b":2}`, `{`, `{"a":1`, `{"a"`, `}`,
		`'a'`, `"abc`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud83d\u12"`, "\"\n\"", "\"\t\"", "\"\\\n\"", `"\`, "// x\n1", `/**/1`,
		"\"\xff\"", "\"\xed\xa0\x80\"", "\"\\n\xc3\"", "{\"\xff\":1}", "\"\xc3\\n\"",
	} {
		_, err := Parse([]byte(text))
		require.Error(t, err, "%q", text)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%q", text)
	}
}

func TestParse_Error_SaysLineAndColumn(t *testing.T) {
	t.Parallel()
	_, err := Parse([]byte("{\n  \"é\": nope}"))
	require.EqualError(t, err, `not JSON, line 2, column 8: want a value, have 'n'`)
}

func TestParse_Depth_IsBounded(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		return []byte(strings.Repeat("[", n) + strings.Repeat("]", n))
	}
	_, err := Parse(nested(MaxDepth))
	require.NoError(t, err)
	_, err = Parse(nested(MaxDepth + 1))
	require.ErrorContains(t, err, "nested deeper than 200 levels")
	_, err = Parse([]byte(strings.Repeat(`{"a":`, MaxDepth+1)))
	require.ErrorContains(t, err, "nested deeper than 200 levels")
}

// A megabyte of opening brackets costs one copy of the text and no more.
func TestParse_DepthBomb_IsCheap(t *testing.T) {
	bomb := bytes.Repeat([]byte("["), 1<<20)
	allocs := testing.AllocsPerRun(5, func() { _, _ = Parse(bomb) })
	require.Less(t, allocs, 20.0)
}

func TestParse_EqualKeys_LastValueAtFirstPlace(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte(`{"a":1,"b":2,"a":3,"\u0062":4}`))
	require.NoError(t, err)
	require.Equal(t, `{"a":3,"b":4}`, Text(v))
}

func TestParse_ObjectsDoNotShareRoom(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte(`[{"a":1},{"b":2},{}]`))
	require.NoError(t, err)
	list := v.([]any)
	list[0].(*Object).Set("x", 1.0)
	list[2].(*Object).Set("y", 1.0)
	require.Equal(t, `[{"a":1,"x":1},{"b":2},{"y":1}]`, Text(v))
}

func TestParse_InputMayChangeAfterwards(t *testing.T) {
	t.Parallel()
	b := []byte(`{"key":"value"}`)
	o, err := ParseObject(b)
	require.NoError(t, err)
	copy(b, bytes.Repeat([]byte("#"), len(b)))
	require.Equal(t, `{"key":"value"}`, Text(o))
}

func TestParseObject_OtherValue_IsInvalid(t *testing.T) {
	t.Parallel()
	_, err := ParseObject([]byte(`[1]`))
	require.EqualError(t, err, "want a JSON object, have array")
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

// Objects share memory, but no object reaches into another's.
func TestParse_ObjectsAreChanged_OthersStayAsTheyWere(t *testing.T) {
	t.Parallel()
	var text []byte
	for i := range 500 {
		text = fmt.Appendf(text, `,{"a":%d,"b":[{"c":[%d,{}]},%d],"a":{"d":%d},"e":"x"}`, i, i, i, i)
	}
	text = append(append([]byte{'['}, text[1:]...), ']')
	v, err := Parse(text)
	require.NoError(t, err)
	list := v.([]any)
	require.Len(t, list, 500)
	for i, e := range list {
		o := e.(*Object)
		require.Equal(t, fmt.Sprintf(`{"a":{"d":%d},"b":[{"c":[%d,{}]},%d],"e":"x"}`, i, i, i), Text(o))
		inner := o.Get("b").([]any)[0].(*Object)
		for _, o := range []*Object{o, o.Get("a").(*Object), inner, inner.Get("c").([]any)[1].(*Object)} {
			o.Set("new", 1.0)
			o.Set("newer", 2.0)
		}
	}
	changed := `{"a":{"d":%d,"new":1,"newer":2},"b":[{"c":[%d,{"new":1,"newer":2}],"new":1,"newer":2},%d],"e":"x","new":1,"newer":2}`
	for i, e := range list {
		require.Equal(t, fmt.Sprintf(changed, i, i, i), Text(e))
	}
}

// FuzzParse holds Parse to encoding/json: the same texts are valid, but for what
// Parse's comment says, and the values are the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,true,false,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":{}}}`, `[1e400]`, `"\ud800"`, "\"\xff\"", `01`, `1.`, `{"a":}`, `{}{}`,
		`[[[[]]]]`, `{"a":1,"a":2}`, `123456789012345.6`, `0.000001`, `-0`, ` [ ] `, `"\/"`, `{"a" : 1 , "b":[ ] }`, "\ufeff1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Parse(b)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			if json.Valid(b) && utf8.Valid(b) {
				require.ErrorContains(t, err, "nested deeper")
			}
			return
		}
		require.True(t, json.Valid(b) && utf8.Valid(b), "accepted %q", b)
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var want any
		require.NoError(t, d.Decode(&want))
		requireSame(t, want, v)
		if o, ok := v.(*Object); ok {
			requireOrder(t, b, o)
		}

		text := Append(nil, v)
		again, err := Parse(text)
		require.NoError(t, err)
		require.Equal(t, string(text), Text(again), "printing and reading again changes nothing")
	})
}

func requireSame(t *testing.T, want, have any) {
	t.Helper()
	switch want := want.(type) {
	case json.Number:
		f, _ := strconv.ParseFloat(string(want), 64)
		require.Equal(t, f, have, "%s", want)
	case []any:
		list := have.([]any)
		require.Len(t, list, len(want))
		for i := range want {
			requireSame(t, want[i], list[i])
		}
	case map[string]any:
		o := have.(*Object)
		require.Equal(t, len(want), o.Len())
		for k, v := range want {
			requireSame(t, v, o.Get(k))
		}
	default:
		require.Equal(t, want, have)
	}
}

// requireOrder holds the keys to the text's order: whole numbers ascending, then
// the others by their first place.
func requireOrder(t *testing.T, text []byte, o *Object) {
	t.Helper()
	var numbers []uint64
	var others []string
	seen := map[string]bool{}
	require.NoError(t, Members(text, func(key, _ []byte) error {
		k, err := Parse(key)
		require.NoError(t, err)
		name := k.(string)
		if n, err := strconv.ParseUint(name, 10, 32); err == nil && n < math.MaxUint32 && strconv.FormatUint(n, 10) == name {
			numbers = append(numbers, n)
		} else if !seen[name] {
			others = append(others, name)
		}
		seen[name] = true
		return nil
	}))
	slices.Sort(numbers)
	var want []string
	for _, n := range slices.Compact(numbers) {
		want = append(want, strconv.FormatUint(n, 10))
	}
	require.Equal(t, strings.Join(append(want, others...), "\x00"), strings.Join(o.Keys(), "\x00"))
}

// averageEvent is a track event of average size.
var averageEvent = []byte(`{"anonymousId":"24ec5a06-0e40-4043-9287-b12eb1660015","userId":"cust/1793","messageId":"ajs-next-1091521283-9ae6dac6","channel":"mobile",` +
	`"timestamp":"2025-08-13T22:06:28.407Z","integrations":{"All":false,"Qualtrics":true},"context":{"library":{"name":"analytics-ios","version":"4.1.4"},` +
	`"app":{"name":"Shop","version":"5.9.0","build":"108","namespace":"com.example.shop"},"device":{"id":"57A6C255","adTrackingEnabled":true,"manufacturer":"Apple",` +
	`"model":"iPhone16,1","name":"Ngọc’s iPhone","type":"ios"},"os":{"name":"iOS","version":"17.5"},"screen":{"width":390,"height":844,"density":3},"locale":"ar-EG",` +
	`"timezone":"Asia/Kolkata","ip":"198.51.100.17"},"type":"track","event":"Coupon Applied","properties":{"order_id":"5909f9d9d4b","total":370.34,"revenue":260.9,` +
	`"shipping":3,"tax":210.15,"discount":0,"coupon":"hasbros","currency":"EUR","products":[{"product_id":"9f0549ce","sku":"SKU-290","price":4.5,"quantity":2}]}}`)

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(averageEvent)))
	for b.Loop() {
		if _, err := Parse(averageEvent); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleParse() {
	v, _ := Parse([]byte(`{"b": 1e21, "a": 0.10, "2": true, "1": null}`))
	fmt.Println(Text(v))
	// Output: {"1":null,"2":true,"b":1e+21,"a":0.1}
}
