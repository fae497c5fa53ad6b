package distribution

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func TestToken_IsShortAndReadsBack(t *testing.T) {
	t.Parallel()
	require.Equal(t, strings.Repeat("a", TokenLength), Token([16]byte{}))
	token := Token([16]byte{0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	require.Len(t, token, TokenLength)
	for _, s := range []string{token, strings.ToUpper(token)} {
		got, err := ParseToken(s)
		require.NoError(t, err)
		require.Equal(t, token, got)
	}
}

func TestParseToken_AnythingElse_IsNotFound(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a", strings.Repeat("a", 25), strings.Repeat("a", 27), strings.Repeat("1", 26), strings.Repeat("a", 25) + "b", strings.Repeat("a", 25) + "\n", "../" + strings.Repeat("a", 23)} {
		_, err := ParseToken(s)
		require.Equal(t, fault.NotFound, fault.KindOf(err), "%q", s)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	require.Equal(t, Kind("reminder-2"), KindReminder(2))
	n, ok := ReminderOf("reminder-2")
	require.True(t, ok)
	require.Equal(t, 2, n)
	for _, kind := range []Kind{KindInvitation, KindThanks, "reminder-", "reminder-0", "reminder-01", "reminder-x"} {
		_, ok := ReminderOf(kind)
		require.False(t, ok, kind)
	}
}

func TestMessageID_SameOnEveryAttempt_OtherForEachMessage(t *testing.T) {
	t.Parallel()
	inv := id.At(now)
	require.Equal(t, inv.String()+".invitation@mail.example.com", MessageID(inv, KindInvitation, "mail.example.com"))
	require.NotEqual(t, MessageID(inv, KindInvitation, "h"), MessageID(inv, KindReminder(1), "h"))
	require.NotEqual(t, MessageID(inv, KindInvitation, "h"), MessageID(inv+1, KindInvitation, "h"))
	require.True(t, strings.HasSuffix(MessageID(inv, KindInvitation, ""), "@localhost"))
}

func TestSnapshot_RoundTrip_KeepsOrder(t *testing.T) {
	t.Parallel()
	const text = `{"contact":{"last_name":"佐藤","first_name":"花子"},"fields":{"z":1,"a":true}}`
	var s Snapshot
	require.NoError(t, json.Unmarshal([]byte(text), &s))
	require.Equal(t, "花子", s.Contact.Get("first_name"))
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, text, string(b))
	require.Equal(t, jsonvalue.Undefined{}, s.Transaction.Get("x"), "absent reads as empty")
}

func TestEligible(t *testing.T) {
	t.Parallel()
	twice := Window{Messages: 2, Per: 30 * day}
	ago := func(days ...int) (ts []time.Time) {
		for _, d := range days {
			ts = append(ts, now.Add(-time.Duration(d)*day))
		}
		return ts
	}
	ok := Person{Email: "ken@example.com", Now: now, Frequency: twice}
	for _, c := range []struct {
		name   string
		change func(*Person)
		reason Reason
		freeAt time.Time
	}{
		{"plain", func(*Person) {}, "", time.Time{}},
		{"directory opt-out", func(p *Person) { p.Unsubscribed = true }, OptedOut, time.Time{}},
		{"list opt-out", func(p *Person) { p.ListOptedOut = true }, OptedOut, time.Time{}},
		{"opt-out holds for reminders too", func(p *Person) { p.Unsubscribed, p.IgnoreFrequency = true, true }, OptedOut, time.Time{}},
		{"no address", func(p *Person) { p.Email = "  " }, NoAddress, time.Time{}},
		{"bad address", func(p *Person) { p.Email = "ken@" }, NoAddress, time.Time{}},
		{"answered", func(p *Person) { p.Responded, p.Unsubscribed = true, true }, Responded, time.Time{}},
		{"expires now", func(p *Person) { p.Expires = now }, TimeOver, time.Time{}},
		{"expires later", func(p *Person) { p.Expires = now.Add(1) }, "", time.Time{}},
		{"one of two", func(p *Person) { p.Sent = ago(1) }, "", time.Time{}},
		{"two of two", func(p *Person) { p.Sent = ago(1, 20) }, TooOften, now.Add(10 * day)},
		{"order does not matter", func(p *Person) { p.Sent = ago(20, 40, 1) }, TooOften, now.Add(10 * day)},
		{"three of two", func(p *Person) { p.Sent = ago(1, 20, 25) }, TooOften, now.Add(10 * day)},
		{"just out of the span", func(p *Person) { p.Sent = ago(1, 30) }, "", time.Time{}},
		{"one instant inside", func(p *Person) { p.Sent = append(ago(1), now.Add(-30*day+1)) }, TooOften, now.Add(1)},
		{"ahead of a clock set back", func(p *Person) { p.Sent = ago(-1, 1) }, TooOften, now.Add(29 * day)},
		{"ignored", func(p *Person) { p.Sent, p.IgnoreFrequency = ago(1, 2, 3), true }, "", time.Time{}},
		{"no rule", func(p *Person) { p.Sent, p.Frequency = ago(1, 2, 3), Window{} }, "", time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := ok
			c.change(&p)
			v := Eligible(p)
			require.Equal(t, c.reason, v.Reason, v.Text)
			require.Equal(t, c.reason == "", v.OK)
			require.Equal(t, c.reason == "", v.Text == "")
			require.Equal(t, c.freeAt, v.FreeAt)
			if v.Reason == TooOften {
				p.Now = v.FreeAt
				require.True(t, Eligible(p).OK, "what FreeAt promises holds")
				p.Now = v.FreeAt.Add(-1)
				require.False(t, Eligible(p).OK, "and not before")
			}
		})
	}
	p := ok
	p.Sent = ago(1, 20)
	require.Equal(t, "has had 2 of 2 messages in 30 days", Eligible(p).Text)
}

func TestValidEmail(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"ken@example.com": true, " ken+tag@mail.example.co.jp ": true, "用户@例え.jp": true, "ken@localhost": true, "o'hara@example.com": true,
		"": false, "ken": false, "@example.com": false, "ken@example": false, "ken@.com": false, "ken@a..b": false, "ken@-a.com": false,
		"Ken <ken@example.com>": false, "a@example.com, b@example.com": false, "a@example.com\r\nBcc: b@example.com": false, "a b@example.com": false,
		strings.Repeat("a", 65) + "@example.com": false, "a@" + strings.Repeat("a", 64) + ".com": false, "a@" + strings.Repeat("abc.", 70) + "com": false,
	} {
		require.Equal(t, want, ValidEmail(s), "%q", s)
	}
}

func FuzzValidEmail(f *testing.F) {
	f.Add("ken@example.com")
	f.Add("\"a b\"@x.y")
	f.Fuzz(func(t *testing.T, s string) {
		if ValidEmail(s) {
			require.NotContains(t, s[:len(strings.TrimRight(s, " \r\n\t\v\f\u0085\u00a0"))], "\x00")
			require.False(t, strings.ContainsAny(strings.TrimSpace(s), "\r\n<>,"))
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add(Token([16]byte{1, 2, 3}))
	f.Fuzz(func(t *testing.T, s string) {
		if token, err := ParseToken(s); err == nil {
			again, err := ParseToken(token)
			require.NoError(t, err)
			require.Equal(t, token, again)
			require.Len(t, token, TokenLength)
		}
	})
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"ja": "ja", "JA": "ja", " ja-JP": "ja", "ja_JP": "ja", "jam": "en", "EN": "en", "de": "en", "": "en"} {
		require.Equal(t, want, Language(tag), tag)
	}
}

func TestLink_HasAddressesAndToken(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(OwnLink("https://segue.example.com", "abc"))
	require.NoError(t, err)
	require.Equal(t, `{"url":"https://segue.example.com/l/abc","token":"abc","opt_out_url":"https://segue.example.com/u/abc"}`, string(b))
}
