package webservice

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/tasktest"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var loopback = Options{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func run(t *testing.T, o Options, settings string) (*jsonvalue.Object, error) {
	t.Helper()
	with, err := jsonvalue.ParseObject([]byte(settings))
	require.NoError(t, err)
	reg := task.NewRegistry()
	task.Add(reg, New(o))
	out, err := reg.Run(t.Context(), Kind, task.RawInput{Context: task.Context{Key: "run/step"}, With: with})
	return out.Values, err
}

func TestConform(t *testing.T) {
	t.Parallel()
	tasktest.Conform(t, tasktest.Cases{
		Good: []string{
			`{"url":"SERVER/a","headers":{"Authorization":"Bearer s3cret-token"},"body":{"a":[1,"x"]},"timeout":"5s"}`,
			`{"method":"PUT","url":"SERVER/b","headers":{"X-Api-Key":"s3cret-token"},"body":"text"}`,
		},
		Bad: []string{
			`{}`, `{"url":""}`, `{"url":"ftp://x.test"}`, `{"url":"http://"}`, `{"url":"https://u:p@x.test"}`, `{"url":"http://x.test","method":"TRACE"}`, `{"url":"http://x.test","timeout":"31s"}`,
			`{"url":"http://x.test","timeout":"soon"}`, `{"url":"http://x.test","method":"GET","body":"x"}`, `{"url":"http://x.test","headers":{"a b":"x"}}`, `{"url":"http://x.test","headers":{"A":"x\ny"}}`,
			`{"url":"http://x.test","headers":{"Idempotency-Key":"x"}}`, `{"url":"http://x.test","headers":{"host":"x"}}`, `{"url":7}`, `{"url":"http://x.test","headers":["x"]}`, `{"url":"http://x.test","headers":{"a":1}}`,
		},
		Secrets: []string{"s3cret-token"},
	}, func(t *testing.T) (task.Task[Config], func() int, func(string) string) {
		var mu sync.Mutex
		keys := map[string]bool{}
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			keys[r.Header.Get("Idempotency-Key")] = true
		})
		effects := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(keys)
		}
		return New(loopback), effects, func(s string) string { return strings.ReplaceAll(s, "SERVER", url) }
	})
}

func TestRun_SendsRequest_GivesAnswer(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("X-Seen", r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Idempotency-Key")+" "+r.Header.Get("X-Mine")+" "+string(b))
		w.Header().Set("Set-Cookie", "session=1")
		w.WriteHeader(201)
		_, _ = w.Write([]byte(`{"ok":true,"z":1,"a":[2]}`))
	})
	out, err := run(t, loopback, `{"url":"`+url+`/p?q=1","body":{"z":1,"a":"x"},"headers":{"x-mine":"m"}}`)
	require.NoError(t, err)
	require.Equal(t, 201.0, out.Get("status"))
	h, _ := out.Get("headers").(*jsonvalue.Object)
	require.Equal(t, `POST /p?q=1 application/json run/step m {"z":1,"a":"x"}`, h.Get("x-seen"))
	require.False(t, h.Has("set-cookie"))
	require.Equal(t, `{"ok":true,"z":1,"a":[2]}`, jsonvalue.Text(out.Get("body")))

	out, err = run(t, loopback, `{"url":"`+url+`","body":"plain"}`)
	require.NoError(t, err)
	h, _ = out.Get("headers").(*jsonvalue.Object)
	require.Contains(t, h.Get("x-seen"), "POST / text/plain; charset=utf-8 run/step")
	out, err = run(t, loopback, `{"url":"`+url+`"}`)
	require.NoError(t, err)
	h, _ = out.Get("headers").(*jsonvalue.Object)
	require.Contains(t, h.Get("x-seen"), "GET /")
}

func TestRun_BodyThatIsNoJSON_IsText(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("ok\xff"))
	})
	out, err := run(t, loopback, `{"url":"`+url+`"}`)
	require.NoError(t, err)
	require.Equal(t, "ok\ufffd", out.Get("body"))
}

func TestRun_Status_DecidesWhetherItIsTriedAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	o := loopback
	o.Now = func() time.Time { return now }
	for _, c := range []struct {
		status int
		header string
		kind   fault.Kind
		after  time.Duration
	}{
		{400, "", fault.Invalid, 0}, {401, "", fault.Unauthorized, 0}, {403, "9", fault.Unauthorized, 0}, {404, "", fault.NotFound, 0}, {409, "", fault.Conflict, 0}, {410, "", fault.NotFound, 0}, {422, "", fault.Invalid, 0}, {304, "", fault.Invalid, 0},
		{408, "", fault.Unavailable, 0}, {425, "", fault.Unavailable, 0}, {429, "7", fault.RateLimited, 7 * time.Second}, {429, "", fault.RateLimited, 0},
		{500, "", fault.Unavailable, 0}, {503, "Wed, 04 Mar 2026 05:07:07 GMT", fault.Unavailable, time.Minute}, {503, "soon", fault.Unavailable, 0}, {503, "9999999", fault.Unavailable, 24 * time.Hour}, {503, "-5", fault.Unavailable, 0},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if c.header != "" {
				w.Header().Set("Retry-After", c.header)
			}
			w.WriteHeader(c.status)
			if c.status != 304 {
				_, _ = w.Write([]byte("who@example.com"))
			}
		})
		_, err := run(t, o, `{"url":"`+url+`?email=who@example.com"}`)
		require.Error(t, err, c.status)
		require.Equal(t, c.kind, fault.KindOf(err), c.status)
		require.Equal(t, c.after, fault.RetryAfter(err), c.status)
		require.NotContains(t, err.Error(), "who@")
	}
}

func TestRun_Guard_RefusesPrivateAddresses(t *testing.T) {
	t.Parallel()
	called := false
	url := serve(t, func(http.ResponseWriter, *http.Request) { called = true })
	port := url[strings.LastIndex(url, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.1.2.3", "192.168.0.1", "0.0.0.0", "[::]", "100.64.1.1", "2130706433", "0x7f.1"} {
		_, err := run(t, Options{}, `{"url":"http://`+host+port+`/"}`)
		require.Error(t, err, host)
		if host != "2130706433" && host != "0x7f.1" { // some resolvers know these spellings, others know no such name
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", host, err)
		}
	}
	require.False(t, called)
}

func TestRun_Guard_LooksAtRedirectsToo(t *testing.T) {
	t.Parallel()
	reached := false
	inside := serve(t, func(http.ResponseWriter, *http.Request) { reached = true })
	inside = strings.Replace(inside, "127.0.0.1", "127.0.0.2", 1)
	outside := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside, http.StatusFound) })
	_, err := run(t, Options{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, `{"url":"`+outside+`"}`)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "not a public one")
	require.False(t, reached)
}

func TestRun_Redirects(t *testing.T) {
	t.Parallel()
	var got http.Header
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Clone() })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/end":
			got = r.Header.Clone()
		case "/other":
			http.Redirect(w, r, other, http.StatusTemporaryRedirect)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	})
	const headers = `"headers":{"Authorization":"Bearer abcdef","X-Api-Key":"abcdef","Cookie":"a=b"}`
	_, err := run(t, loopback, `{"url":"`+url+`/same",`+headers+`}`)
	require.NoError(t, err)
	require.Equal(t, "abcdef", got.Get("X-Api-Key"))
	require.Equal(t, "run/step", got.Get("Idempotency-Key"))

	_, err = run(t, loopback, `{"url":"`+url+`/other",`+headers+`}`)
	require.NoError(t, err)
	for _, h := range []string{"Authorization", "X-Api-Key", "Cookie", "Idempotency-Key", "Referer"} {
		require.Empty(t, got.Get(h), h)
	}
	for _, path := range []string{"/loop", "/file"} {
		_, err = run(t, loopback, `{"url":"`+url+path+`"}`)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", path, err)
	}
}

func TestRun_TooLongAnswer_IsAnError(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, maxAnswer+1))
	})
	_, err := run(t, loopback, `{"url":"`+url+`"}`)
	require.ErrorContains(t, err, "1024 KB")
	require.True(t, fault.KindOf(err).Final())
}

func TestRun_NoAnswer_IsTriedAgain(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	_, err := run(t, loopback, `{"url":"`+url+`","timeout":"50ms"}`)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "in time")

	gone := httptest.NewServer(nil)
	gone.Close()
	_, err = run(t, loopback, `{"url":"`+gone.URL+`/?email=who@example.com"}`)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.NotContains(t, err.Error(), "who@")

	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	_, err = New(loopback).Run(ctx, task.Input[Config]{Config: Config{URL: url}})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRun_NoProxyFromTheEnvironment(t *testing.T) {
	tr, ok := New(Options{}).client.Transport.(*http.Transport)
	require.True(t, ok)
	require.Nil(t, tr.Proxy)
}

func TestValidate_TemplatesAreAcceptedAsWritten(t *testing.T) {
	t.Parallel()
	reg := task.NewRegistry()
	task.Add(reg, New(Options{}))
	for text, ok := range map[string]bool{
		`{"url":"{{ fields.url }}","method":"{{ fields.m }}","timeout":"{{ fields.t }}"}`: true,
		`{"url":"https://x.test/{{ fields.id }}","headers":{"X":"{{ fields.x }}"}}`:       true,
		`{"url":"file://{{ fields.id }}"}`:                                                false,
	} {
		with, err := jsonvalue.ParseObject([]byte(text))
		require.NoError(t, err)
		require.Equal(t, ok, reg.Validate(Kind, with) == nil, text)
	}
}
