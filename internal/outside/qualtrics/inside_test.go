package qualtrics

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

func TestTransport_UsesNoProxy(t *testing.T) {
	t.Parallel()
	require.Nil(t, NewTransport().Proxy)
}

func FuzzWorkflowURL_TokenStaysHome(f *testing.F) {
	for _, s := range []string{
		"https://fra1.qualtrics.com/x", "https://a.fra1.qualtrics.com:443", "https://fra1.qualtrics.com@e.test", "https://fra1.qualtrics.com\\@e.test/",
		"https://e.test#fra1.qualtrics.com", "https://fra1.qualtrics.com%2ee.test/", "https://[::1]/", "http://fra1.qualtrics.com", "https://fra1.qualtrics.com.",
	} {
		f.Add(s)
	}
	h, err := newHosts("fra1", nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		u, err := h.workflowURL(text)
		if err != nil {
			return
		}
		// What is called is what the standard library makes of the text.
		req, err := http.NewRequest(http.MethodPost, u.String(), nil)
		if err != nil {
			return
		}
		host := strings.ToLower(req.URL.Hostname())
		require.Equal(t, "https", req.URL.Scheme)
		require.True(t, host == domain || strings.HasSuffix(host, "."+domain), host)
		if h.isHome(req.URL) {
			require.True(t, host == "fra1.qualtrics.com" || strings.HasSuffix(host, ".fra1.qualtrics.com"), host)
		}
	})
}

func FuzzRetryAfter_IsBounded(f *testing.F) {
	for _, s := range []string{"7", "-1", "1e99", "NaN", "Inf", "Fri, 02 Jan 2026 03:04:05 GMT", "x"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		d := retryAfter(text, now)
		require.True(t, d >= 0 && d <= maxRetryAfter, d)
	})
}

func FuzzReadAnswer_NeverPanics(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"meta":5}`, `{"meta":{"error":[]}}`, `{"result":null,"meta":{"requestId":1,"error":{"errorMessage":{}}}}`, `x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, text []byte) {
		a := readAnswer(&http.Response{StatusCode: 200, Header: http.Header{}}, text)
		result[wire.Page[wire.Found]](a)
	})
}
