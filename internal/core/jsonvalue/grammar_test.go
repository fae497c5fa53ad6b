package jsonvalue_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// grammar is RFC 8259 by examples: texts that are JSON with what they are written
// as again, and texts that are not.
var grammar = []struct {
	rule string
	yes  map[string]string
	no   []string
}{
	{"2: a text is one value", map[string]string{
		`0`: `0`, `""`: `""`, `null`: `null`, "[]\n": `[]`, "\r\n\t {} ": `{}`, ` [ 1 , 2 ] `: `[1,2]`, "{\n\"a\"\t:\r1 }": `{"a":1}`,
	}, []string{
		``, ` `, "\n", `1 2`, `[][]`, `{} {}`, `[1]x`, `{"a":true} "x"`, `nullnull`, `""""`, `[1],`, `,[1]`, `{}}`, `[]]`, `[][`, `{}#`, `1//`, `#1`,
		`[1]/**/`, `/**/1`, `<null>`, `*`, "[1]\x00", "\x00", "[\v]", "[\f]", "[\u2060]", "\u00a0[]", "\u2028[]",
		"\ufeff1", "\xef\xbb[]", "\xff\xfe[\x00]\x00", "\x00[\x00]", // byte order marks, other encodings
	}},
	{"3: literal names are in lower case", map[string]string{
		`true`: `true`, `false`: `false`, `[null,true]`: `[null,true]`,
	}, []string{
		`True`, `TRUE`, `nul`, `nulll`, `truth`, `fals`, `[tru]`, `tr ue`, `undefined`, `NaN`, `nan`, `Infinity`, `inf`, `-Infinity`, `-NaN`, `x`, `é`, `[a]`,
	}},
	{"4: an object has keys in quotes, colons and commas", map[string]string{
		`{}`: `{}`, `{"a":[],"b":{}}`: `{"a":[],"b":{}}`, `{"":0}`: `{"":0}`, `{"a b":{"c":[{}]}}`: `{"a b":{"c":[{}]}}`,
		`{"\u0061\"":1}`: `{"a\"":1}`, `{"a\u0000b":1}`: `{"a\u0000b":1}`,
		`{"a":1,"b":2,"a":3}`: `{"a":3,"b":2}`, `{"a":1,"\u0061":1}`: `{"a":1}`, // of equal keys the last value counts
	}, []string{
		`{`, `}`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":"b"`, `{"a":"b}`, `{"a":true,"b"`, `{"a":1]`, `{]`, `{{}}`, `{"a"}`, `{"a":}`, `{:1}`,
		`{,}`, `{"a":1,}`, `{"a":1,,"b":2}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a" 1}`, `{"a","b"}`, `{"a", null}`, `{"a"::1}`, `{"a":1:2}`, `{"a"=1}`, `{;}`, `{"a":1;"b":2}`,
		`{a:1}`, `{'a':1}`, `{1:1}`, `{null:1}`, `{[]:1}`, `{"a":1/**/}`, `{😀:1}`, "{\"\xff\":1}",
	}},
	{"5: an array has commas between its elements", map[string]string{
		`[]`: `[]`, `[[]]`: `[[]]`, `[1,null,"1",{},[true]]`: `[1,null,"1",{},[true]]`, "[\n]": `[]`,
	}, []string{
		`[`, `]`, `[1`, `[1,`, `["a`, `["a",`, `[""`, `[{}`, `[[]`, "[1\n", "[\"a\",\n4\n,", `["\`, `[}`, `[{]`, `[1}`, `[{"a":1]`, `[]1`, `[1]]`, `[1[2]]`,
		`[,`, `[,]`, `[,1]`, `[1,]`, `[1,,2]`, `[1,,]`, `[1 2]`, `[1 true]`, `["a" "b"]`, `["a":1]`, `[1:2]`, `[:]`, `[;]`, `[1;2]`, `[(1)]`, `[*]`, `[@]`,
	}},
	{"6: a number has no more than it needs", map[string]string{
		`-0`: `0`, `-0.0`: `0`, `0e1`: `0`, `0E+1`: `0`, `1E22`: `1e+22`, `1e-2`: `0.01`, `-1.5`: `-1.5`, `98.7e65`: `9.87e+66`, `30e1`: `300`,
		`123456789012345678`: `123456789012345680`, `100000000000000000000`: `100000000000000000000`, `-0.` + strings.Repeat("0", 70) + `1`: `-1e-71`,
		// What no double holds is infinite, which is written as null, or 0.
		`[1e400]`: `[null]`, `[-1E+9999]`: `[null]`, `[0.5e00` + strings.Repeat("7", 40) + `]`: `[null]`, `1e-400`: `0`, `-1e-` + strings.Repeat("7", 40): `0`,
	}, []string{
		`+1`, `++1`, `--1`, `-`, `[-]`, `- 1`, `-a`, `-1x`, `1x`, `01`, `-01`, `00`, `-00`, `012`, `1 000`, `1,000`, `1_000`, `.5`, `-.5`, `1.`, `-2.`, `0.e1`, `2.e3`, `1..2`, `0.1.2`, `.-1`,
		`1e`, `1E`, `1e+`, `1e-`, `1.0e`, `1.0e+`, `1ee2`, `1e1e1`, `1e1.5`, `1eE2`, `e1`, `[1ea]`, `1+2`, `1-2`, `0x10`, `0x`, `0b1`, `1f`, `1L`, `1.5H-3`, `[-foo]`, `１`, "1\xff", "1\xe5",
	}},
	{"7: a string escapes quotes, backslashes and control characters", map[string]string{
		`"\"\\\/\b\f\n\r\t"`: `"\"\\/\b\f\n\r\t"`, `"\u0041\u00e9\u65E5"`: `"Aé日"`, `"\uD83D\uDE00\ud83c\udf0d"`: `"😀🌍"`, `"\u0000\u001f\u007F"`: "\"\\u0000\\u001f\x7f\"",
		`"\\u0041"`: `"\\u0041"`, `"\\\\\""`: `"\\\\\""`, `"/* */ # ,]}"`: `"/* */ # ,]}"`,
		"\"\u2028\u2029\x7f\ufeff\uffff\U0010ffff\"": "\"\u2028\u2029\x7f\ufeff\uffff\U0010ffff\"",
		// Half a surrogate pair becomes U+FFFD.
		`"\ud800"`: "\"\ufffd\"", `"\uDE00"`: "\"\ufffd\"", `"\ud800\n"`: "\"\ufffd\\n\"", `"\ud83d\u65e5"`: "\"\ufffd日\"", `"\ude00\ud83d"`: "\"\ufffd\ufffd\"",
		`"\ud83d\ud83d"`: "\"\ufffd\ufffd\"", `"\ud800abc"`: "\"\ufffdabc\"", `"\ud83d\ud83d\ude00"`: "\"\ufffd😀\"", `{"\ude00":0}`: "{\"\ufffd\":0}",
	}, []string{
		`"`, `"a`, `"\"`, `"\\\"`, `"\`, `'a'`, `a"`, "`a`", `"a"b"`, `"\a"`, `"\0"`, `"\'"`, `"\x41"`, `"\U0041"`, `"\ "`, `"\é"`, `"\😀"`, `\u0022a"`, `"\u0022`, `[\n]`, `["a\]`,
		`"\u"`, `"\u1`, `"\u12`, `"\u123`, `"\u123"`, `"\u 123"`, `"\u+123"`, `"\u{41}"`, `"\u12g4"`, `"\u00"41"`, `"\ud83d\u"`, `"\ud83d\u1"`, `"\ud83d\u1x"`, `"\ud83d\"`, `"\ud83d\ud83d\x"`,
		"\"a\nb\"", "\"\t\"", "\"\x00\"", "\"\x1f\"", "\"\\\n\"", "\"\\\x00\"", "\"\\u\xff123\"",
	}},
	{"8: the bytes are UTF-8", map[string]string{
		"\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\"": "\"\u0080\u0800\ud7ff\ue000\U00010000\"",
	}, []string{
		"\"\xff\"", "\"\x80\"", "\"\xe9\"", "\"\xc3\"", "\"\xe6\x97\"", "\"\xf0\x9f\x98\"", // too short
		"\"\xc0\xaf\"", "\"\xe0\x80\xaf\"", "\"\xf0\x80\x80\xaf\"", // longer than needed
		"\"\xed\xa0\x80\"", "\"\xed\xa0\xbd\xed\xb8\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", // surrogates, beyond U+10FFFF
		"\"a\xc3\\n\"", "\"\\n\xc3\"", "\"\\ud83d\xff\"", "\"\xc3", "[\"\xff", "\"\\\xff\"", "\xff", "[\xe9]", "\xc3\xa9\"\"", "{\"a\":\"\xff\"}",
	}},
}

func TestReaders_Grammar(t *testing.T) {
	t.Parallel()
	for _, rule := range grammar {
		for text, want := range rule.yes {
			for _, text := range []string{text, " \t\r\n" + text + "\n", "[" + text + "]", `{"a":` + text + `}`} {
				_, err := read(t, []byte(text))
				require.NoError(t, err, "%s: %q", rule.rule, text)
			}
			v, _ := jsonvalue.Parse([]byte(text))
			require.Equal(t, want, jsonvalue.Text(v), "%s: %q", rule.rule, text)
		}
		for _, text := range rule.no {
			_, err := read(t, []byte(text))
			require.Error(t, err, "%s: %q", rule.rule, text)
		}
	}
}

// Each byte, and what it is in each place where some bytes have a meaning.
func TestReaders_EveryByte(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for _, place := range []struct{ format, allowed string }{
			{"%s", "0123456789"},
			{"%s1", "123456789- \t\n\r"},
			{"1%s", "0123456789 \t\n\r"},
			{"1%s1", "0123456789.eE"},
			{"[1%s1]", "0123456789.eE,"},
			{"[%s]", "0123456789 \t\n\r"},
			{"{%s}", " \t\n\r"},
			{`{"a"%s1}`, ":"},
			{`{"a":%s}`, "0123456789"},
			{"[[]%s[]]", ","},
			{`%s"a"`, " \t\n\r"},
			{`"a"%s`, " \t\n\r"},
			{`"\%s"`, `"\/bfnrt`},
			{`"\u00%s0"`, "0123456789abcdefABCDEF"},
			{`"\ud83d\ude0%s"`, "0123456789abcdefABCDEF"},
			{"nul%s", "l"},
			{"-%s", "0123456789"},
			{"1e%s1", "0123456789+-"},
		} {
			text := fmt.Sprintf(place.format, string([]byte{byte(c)}))
			_, err := read(t, []byte(text))
			require.Equal(t, strings.IndexByte(place.allowed, byte(c)) >= 0, err == nil, "%q: %v", text, err)
		}
		// A string holds all of ASCII but these.
		for _, pad := range []string{"", "1234567", strings.Repeat("x", 20)} {
			_, err := read(t, []byte(`"`+pad+string([]byte{byte(c)})+pad+`"`))
			require.Equal(t, c >= ' ' && c < 0x80 && c != '"' && c != '\\', err == nil, "%q", c)
		}
	}
}

func TestReaders_EveryNumber(t *testing.T) {
	t.Parallel()
	for _, whole := range []string{"0", "-0", "1", "-9", "10", "1234567890123456"} {
		for _, fraction := range []string{"", ".0", ".5", ".0625", ".12345678901234567"} {
			for _, exponent := range []string{"", "e0", "E1", "e+05", "E-3", "e-0"} {
				text := whole + fraction + exponent
				v, err := read(t, []byte(text))
				require.NoError(t, err, text)
				want, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				require.Equal(t, want, v, text)
			}
		}
	}
}

func TestReaders_CutAnywhere_IsNotJSON(t *testing.T) {
	t.Parallel()
	text := ` {"a":[1,-2.5e+3,true,false,null,{"b":{}},[]],"\u00e9\n":"é\ud83d\ude00\\", "c" : "" }`
	_, err := read(t, []byte(text))
	require.NoError(t, err)
	for i := range text {
		_, err := read(t, []byte(text[:i]))
		require.Error(t, err, text[:i])
	}
}

func TestReaders_Nesting_IsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		opening, closing string
		levels           int // of one opening
	}{{"[", "]", 1}, {`{"a":`, "}", 1}, {`[{"a":`, "}]", 2}, {"[1,", "]", 1}} {
		nested := func(n int) []byte {
			return []byte(strings.Repeat(c.opening, n) + "0" + strings.Repeat(c.closing, n))
		}
		most := jsonvalue.MaxDepth / c.levels
		_, err := read(t, nested(most))
		require.NoError(t, err, c.opening)
		for _, n := range []int{most + 1, 500, 100_000} {
			_, err := read(t, nested(n))
			require.ErrorContains(t, err, "nested deeper than 200 levels", c.opening)
		}
		_, err = read(t, []byte(strings.Repeat(c.opening, 100_000)))
		require.Error(t, err, c.opening)
	}
}
