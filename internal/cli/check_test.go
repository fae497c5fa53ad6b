package cli

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const upgradeAnswer = `{"revision": 3, "findings": [
 {"place": "workflows/ask/fields/user/path", "text": "properties.total", "what": "an old form", "was": "it is read as its rewrite", "rewrite": "$.properties.total"},
 {"place": "workflows/ask/steps/send/with/message", "version": 2, "line": 4, "text": "Hi\n{{ x }}", "what": "filter date", "was": "another"}
]}`

func TestCheckUpgrade_EachFindingIsALine_AndExits1(t *testing.T) {
	t.Parallel()
	answer := upgradeAnswer
	url := server(t, map[string]http.HandlerFunc{
		"GET /api/check/upgrade": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) },
	})
	require.Equal(t, outcome{out: `▲ workflows/ask/fields/user/path: an old form: it is read as its rewrite: properties.total → $.properties.total
▲ workflows/ask/steps/send/with/message (version 2, with runs or invitations under way), line 4: filter date: another: Hi⏎{{ x }}
`, err: "segue: 2 texts to look at\n", code: 1}, run(t, Program{}, "check", "--upgrade", "--url", url))
	o := run(t, Program{}, "check", "--upgrade", "--json", "--url", url)
	require.Equal(t, 1, o.code)
	require.JSONEq(t, upgradeAnswer, o.out)

	answer = `{"revision": 3, "findings": []}`
	require.Equal(t, outcome{out: "● nothing that is stored is read in another way\n"}, run(t, Program{}, "check", "--upgrade", "--url", url))
	require.JSONEq(t, answer, run(t, Program{}, "check", "--upgrade", "--json", "--url", url).out)
}

func TestCheck_WithoutWhat_Exits2(t *testing.T) {
	t.Parallel()
	require.Equal(t, outcome{err: "segue: say what to check: --upgrade is what this version can do\n", code: 2}, run(t, Program{}, "check"))
}
