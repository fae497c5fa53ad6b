package segment

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestWriteKey_Forms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, header, body, key string }{
		{"basic with colon", basic("wk:"), `{}`, "wk"},
		{"basic without colon", basic("wk"), ``, "wk"},
		{"basic with password", basic("wk:secret"), ``, "wk"},
		{"basic in small letters", "b" + basic("wk:")[1:], ``, "wk"},
		{"basic without padding", strings.TrimRight(basic("wk:"), "="), ``, "wk"},
		{"body", "", `{"event":"a","writeKey":"wk"}`, "wk"},
		{"body with bearer", "Bearer abc.def", ` { "writeKey" : "wk" } `, "wk"},
		{"header wins", basic("head:"), `{"writeKey":"body"}`, "head"},
		{"broken header, key in body", "Basic ???", `{"writeKey":"body"}`, "body"},
		{"empty user, key in body", basic(":"), `{"writeKey":"body"}`, "body"},
		{"after a broken item", "", `{"batch":[{"a":tru,"b":"\q"}],"writeKey":"wk"}`, "wk"},
		{"in an item only", "", `{"batch":[{"writeKey":"wk"}]}`, ""},
		{"bearer alone", "Bearer abc", `{}`, ""},
		{"number", "", `{"writeKey":5}`, ""},
		{"empty", "", `{"writeKey":""}`, ""},
		{"control character", "", `{"writeKey":"a\u0000"}`, ""},
		{"too long", "", `{"writeKey":"` + strings.Repeat("k", 300) + `"}`, ""},
		{"nothing", "", ``, ""},
		{"array", "", `[{"writeKey":"wk"}]`, ""},
		{"cut off", "", `{"writeKey":`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key, ok := WriteKey(c.header, []byte(c.body))
			require.Equal(t, c.key != "", ok)
			if ok {
				require.Equal(t, c.key, key)
			}
		})
	}
}

func TestSign_KnownAnswer(t *testing.T) {
	t.Parallel()
	// RFC 2202, section 3, test case 2.
	require.Equal(t, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", Sign([]byte("what do ya want for nothing?"), "Jefe"))
}

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	object := []byte(`{"b":1.0, "a":"é"}`)
	array := []byte("[ {\"b\":1.0, \"a\":\"é\"} , {\"x\":2}]\n")
	broken := []byte(`[{"b":tru},{"x":2}]`)
	for _, c := range []struct {
		name    string
		body    []byte
		header  string
		secrets []string
		ok      bool
	}{
		{"object", object, Sign(object, "s"), []string{"s"}, true},
		{"whole array", array, Sign(array, "s"), []string{"s"}, true},
		{"first element, as it was spelled", array, Sign(object, "s"), []string{"s"}, true},
		{"first element respelled", array, Sign([]byte(`{"b":1,"a":"é"}`), "s"), []string{"s"}, false},
		{"second element", array, Sign([]byte(`{"x":2}`), "s"), []string{"s"}, false},
		{"broken first element", broken, Sign([]byte(`{"b":tru}`), "s"), []string{"s"}, true},
		{"second secret while rotating", object, Sign(object, "new"), []string{"old", "new"}, true},
		{"other secret", object, Sign(object, "t"), []string{"s"}, false},
		{"no secrets", object, Sign(object, ""), nil, false},
		{"empty secret never verifies", object, Sign(object, ""), []string{""}, false},
		{"no header", object, "", []string{"s"}, false},
		{"not hex", object, strings.Repeat("z", 40), []string{"s"}, false},
		{"cut short", object, Sign(object, "s")[:38], []string{"s"}, false},
		{"empty array", []byte("[]"), Sign(nil, "s"), []string{"s"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.ok, VerifySignature(c.body, c.header, c.secrets))
		})
	}
}
