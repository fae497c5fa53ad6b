package jsonvalue

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// ECMA-262, Number::toString.
func TestNumberText_IsJavaScripts(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]float64{
		"0":                       0,
		"5":                       5,
		"-5":                      -5,
		"19.99":                   19.99,
		"0.1":                     0.1,
		"0.000001":                1e-6,
		"1e-7":                    1e-7,
		"1.5e-7":                  1.5e-7,
		"-1e-7":                   -1e-7,
		"100000000000000000000":   1e20,
		"1e+21":                   1e21,
		"1.2345e+25":              1.2345e25,
		"1.7976931348623157e+308": math.MaxFloat64,
		"5e-324":                  math.SmallestNonzeroFloat64,
		"1e-10":                   1e-10,
		"1e+100":                  1e100,
		"9007199254740991":        9007199254740991,
		"123456789012345680000":   123456789012345678901,
		"NaN":                     math.NaN(),
		"Infinity":                math.Inf(1),
		"-Infinity":               math.Inf(-1),
	} {
		require.Equal(t, want, NumberText(f))
	}
	require.Equal(t, "0", NumberText(math.Copysign(0, -1)))
}

func TestText_IsJSONStringify(t *testing.T) {
	t.Parallel()
	o := NewObject(0)
	o.Set("a", "<&>\u2028\"\\\n\r\t\b\f\x01\x1f\x7f é 😀")
	o.Set("gone", Undefined{})
	o.Set("list", []any{nil, Undefined{}, true, math.NaN(), math.Inf(-1), 1e21})
	require.Equal(t, `{"a":"<&>`+"\u2028"+`\"\\\n\r\t\b\f\u0001\u001f`+"\x7f"+` é 😀","list":[null,null,true,null,null,1e+21]}`, Text(o))
	require.Equal(t, `null`, Text(Undefined{}))
	require.Equal(t, `{}`, Text((*Object)(nil)))
	require.Equal(t, "\"a\ufffdb\"", Text("a\xffb"), "bytes that are not UTF-8 never get out")
}

func TestObject_InEncodingJSON_KeepsOrder(t *testing.T) {
	t.Parallel()
	type row struct {
		Data *Object `json:"data"`
	}
	var r row
	require.NoError(t, json.Unmarshal([]byte(`{"data":{"z":1,"a":{"y":2,"b":3}}}`), &r))
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, `{"data":{"z":1,"a":{"y":2,"b":3}}}`, string(b))
	require.Error(t, json.Unmarshal([]byte(`{"data":[1]}`), &r))
}

func FuzzNumberText(f *testing.F) {
	for _, seed := range []float64{0, 1e-7, 1e21, 123.456, math.MaxFloat64} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		back, err := strconv.ParseFloat(NumberText(x), 64)
		require.NoError(t, err)
		require.Equal(t, back, x, "%v reads back as %v", x, back)
		require.True(t, json.Valid([]byte(NumberText(x))))
	})
}
