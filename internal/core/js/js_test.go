package js

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func TestTexts_AreThoseOfJavaScript(t *testing.T) {
	t.Parallel()
	require.Equal(t, "x", Trim("\ufeff\u00a0\n x\u2029"))
	require.Equal(t, "STRASSE İ", Upper("straße İ"))
	require.Equal(t, "ας", Lower("ΑΣ"))
	require.Equal(t, 4, Length("🎉é\n"))
	require.Equal(t, []string{"a", "\ufffd", "\ufffd"}, Units("a🎉"))
	require.Equal(t, "bc", Slice("abcd", 1, -1))
	require.Equal(t, "é🎉", Slice("aé🎉b", 1, 4))
	require.Empty(t, Slice("abc", 2, 1))
	require.Negative(t, Compare("🎉", "\uffff"), "a surrogate comes before the end of the first plane")
	require.Positive(t, Compare("b", "a"))
	require.Zero(t, Compare("é", "é"))
}

func TestValues_BecomeTextsAndNumbers(t *testing.T) {
	t.Parallel()
	o := jsonvalue.NewObject(1)
	o.Set("k", 1.0)
	for _, c := range []struct {
		v      any
		text   string
		number float64
		truthy bool
	}{
		{nil, "null", 0, false},
		{jsonvalue.Undefined{}, "undefined", math.NaN(), false},
		{true, "true", 1, true},
		{1e21, "1e+21", 1e21, true},
		{" 0x1F ", " 0x1F ", 31, true},
		{"", "", 0, false},
		{"1_000", "1_000", math.NaN(), true},
		{"-Infinity", "-Infinity", math.Inf(-1), true},
		{[]any{1.0, nil, []any{2.0}}, "1,,2", math.NaN(), true},
		{[]any{"7"}, "7", 7, true},
		{o, "[object Object]", math.NaN(), true},
	} {
		require.Equal(t, c.text, Text(c.v))
		if math.IsNaN(c.number) {
			require.True(t, math.IsNaN(Number(c.v)), c.text)
		} else {
			require.Equal(t, c.number, Number(c.v), c.text)
		}
		require.Equal(t, c.truthy, Truthy(c.v), c.text)
	}
	require.Equal(t, 1.0, Property(o, "k"))
	require.Equal(t, 2.0, Property([]any{1.0, 2.0}, "length"))
	require.Equal(t, "b", Property("ab", "1"))
	require.Equal(t, jsonvalue.Undefined{}, Property([]any{1.0}, "01"))
	out, ok := DecodeURIComponent("a%20%C3%A9")
	require.True(t, ok)
	require.Equal(t, "a é", out)
	_, ok = DecodeURIComponent("%zz")
	require.False(t, ok)
}

func TestParseDate_ReadsWhatIsClear(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, s := range []string{
		"2026-03-04T05:06:07Z", "2026-03-04T06:06:07+01:00", "2026-03-04 05:06:07", "2026-03-04 05:06:07 UTC", "2026/3/4 05:06:07", "3/4/2026 5:06:07 AM",
		"Wed, 4 Mar 2026 05:06:07 +0000", "Wed Mar 4 2026 05:06:07 GMT+0000 (Coordinated Universal Time)", "4 March 2026 05:06:07", "March 4, 2026 05:06:07",
	} {
		got, ok := ParseDate(s)
		require.True(t, ok, s)
		require.Equal(t, at, got, s)
	}
	for _, s := range []string{"", "x", "4", "01-02-2025", "2025-02-30", "4 Mar 26", "2026-03-04T05:06:07 XYZ"} {
		_, ok := ParseDate(s)
		require.False(t, ok, s)
	}
	_, ok := MillisTime(8.64e15 + 1)
	require.False(t, ok)
}

func TestFormatDate_TooLong_IsRefused(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, format := range []string{"%200Y", "%99999999999Y", "%90N%90N", "%60Y%60Y"} {
		_, ok := FormatDate(at, format, "UTC", 100)
		require.False(t, ok, format)
	}
	out, ok := FormatDate(at, "%5Y %-d %^b %e %P %%", "UTC", 100)
	require.True(t, ok)
	require.Equal(t, "02026 4 MAR  4 am %", out)
}

func FuzzDates(f *testing.F) {
	for _, s := range []string{"2026-03-04T05:06:07Z", "Wed Mar 4 2026 05:06:07 GMT+0000 (x)", "%5Y %-d %^b %e", "%", "%E", "%012N"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := ParseDate(s)
		if !ok {
			at = time.Unix(0, 0).UTC()
		}
		out, ok := FormatDate(at, s, "UTC", 1000)
		if ok {
			require.LessOrEqual(t, len(out), 1000)
			require.True(t, !utf8.ValidString(s) || utf8.ValidString(out))
		}
	})
}
