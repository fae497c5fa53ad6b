package starter_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocs_ConnectSegment_SaysWhatIsAnswered holds what docs/connect-segment.md
// says that people see when a webhook or a workflow's URL is set up wrongly.
func TestDocs_ConnectSegment_SaysWhatIsAnswered(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/connect-segment.md")
	require.NoError(t, err)
	f := setup(t)
	body := `{"type":"track","event":"Hello","messageId":"hello-1","userId":"u_42","timestamp":"2026-03-04T05:06:07Z"}`
	require.Contains(t, string(text), "BODY='"+body+"'")
	for _, c := range []struct {
		source, signature string
		status            int
		says, printed     string
	}{
		{shop, "", 401, "X-Signature is missing", "X-Signature is missing"},
		{shop, signed(body, webKey), 401, "X-Signature does not match", "X-Signature does not match"},
		{unsigned, signed(body, secret), 401, "the source has no webhook secret to check the signature by", "the source has no webhook secret …"},
		{"nobody", signed(body, secret), 404, `no source is called "nobody"`, "no source is called …"},
	} {
		a := f.send(http.MethodPost, hookPath(c.source), body, "X-Signature", c.signature)
		require.Equal(t, c.status, a.status, a.body)
		require.Equal(t, c.says, a.problem(t).Detail)
		require.Contains(t, string(text), fmt.Sprintf("| %d `%s` |", c.status, c.printed))
	}
	a := f.send(http.MethodPost, hookPath(shop), body, "X-Signature", signed(body, secret))
	require.Equal(t, 200, a.status)
	require.Equal(t, `{"success":true}`, a.body)
	require.Contains(t, string(text), "`"+a.body+"` is right")
}
