package jsonvalue

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMembers_Text_IsGivenAsWritten(t *testing.T) {
	t.Parallel()
	var got []string
	err := Members([]byte("\t{\"a\" : 1.50e+1 ,\"b\\u0063\":{ \"x\":[ 1,{}] },\"a\":\"é\\n\", \"\": null}\r\n"), func(key, value []byte) error {
		got = append(got, string(key)+"="+string(value))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{`"a"=1.50e+1`, `"b\u0063"={ "x":[ 1,{}] }`, `"a"="é\n"`, `""=null`}, got)
}

func TestMembers_Error_IsTheVisitorsOrParses(t *testing.T) {
	t.Parallel()
	nothing := func(_, _ []byte) error { return nil }
	require.EqualError(t, Members([]byte(`{"a":01}`), nothing), "not JSON, line 1, column 6: a number cannot start with 0")
	require.EqualError(t, Members([]byte(`[1]`), nothing), "want a JSON object, have array")
	calls, stop := 0, errors.New("stop")
	err := Members([]byte(`{"a":1,"b":2}`), func(_, _ []byte) error {
		calls++
		return stop
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, calls)
}

// recorder notes what it is shown, and enters the members named "in".
type recorder struct {
	name string
	log  *[]string
}

func (r recorder) Enter(key []byte) Visitor {
	if string(key) != `"in"` {
		return nil
	}
	return recorder{r.name + ">", r.log}
}

func (r recorder) Member(key, value []byte) error {
	*r.log = append(*r.log, r.name+string(key)+"="+string(value))
	if string(value) == `"stop"` {
		return errors.New("stop")
	}
	return nil
}

func TestWalk_Enter_ShowsTheInsideBeforeTheMember(t *testing.T) {
	t.Parallel()
	var log []string
	require.NoError(t, Walk([]byte(`{"out":{"in":{"a":1}}, "in" : {"a":[{"in":{}}],"in":{"b":2}},"in":3}`), recorder{"", &log}))
	require.Equal(t, []string{`"out"={"in":{"a":1}}`, `>"a"=[{"in":{}}]`, `>>"b"=2`, `>"in"={"b":2}`, `"in"={"a":[{"in":{}}],"in":{"b":2}}`, `"in"=3`}, log)

	require.EqualError(t, Walk([]byte(`{"in":{"a":"stop"}}`), recorder{"", &log}), "stop")
	require.EqualError(t, Walk([]byte(`{"in":{"a":01}}`), recorder{"", &log}), "not JSON, line 1, column 12: a number cannot start with 0")
}

// everywhere enters every object.
type everywhere struct{}

func (everywhere) Enter([]byte) Visitor         { return everywhere{} }
func (everywhere) Member(_, value []byte) error { _, err := Parse(value); return err }

func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{}`, ` {"a":[]} `, `{"a":[1,2.5e-3,-0],"b":{"c":"\ud83d\ude00 é"}}`, `{"a":tru}`, `{"a":1,}`, `{,}`, `{"a":"` + "\xff" + `"}`, `{"a":"\u12"}`,
		`{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":1}x`, `{"a":"` + "\x01" + `"}`, "\xef\xbb\xbf{}", `{"a":[1 2]}`, `{"a"}`, `{`, ``, `{"a":]}`, `{"a":"\`,
		strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, parseErr := ParseObject(text)
		built := NewObject(0)
		err := Members(text, func(key, value []byte) error {
			k, err := Parse(key)
			require.NoError(t, err)
			v, err := Parse(value)
			require.NoError(t, err)
			built.Set(k.(string), v)
			return nil
		})
		require.Equal(t, parseErr, err)
		require.Equal(t, parseErr, Walk(text, everywhere{}))
		if err == nil {
			require.Equal(t, Text(o), Text(built))
		}
	})
}
