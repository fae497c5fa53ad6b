package mail

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func letter() Letter {
	return Letter{
		ID: "0abc.invitation@segue.example.com", From: "Shop <shop@example.com>", ReplyTo: "care@example.com", To: "ken@example.com",
		Subject: "How was the tour, 健?", Body: "Hello 健,\r\n\r\nplease answer: https://x.example.com/l/abc?a=1&b=2.\nThanks <3",
		UnsubscribeURL: "https://x.example.com/u/abc", Language: "EN",
	}
}

func TestCompose_TextAndHTML_SayTheSame(t *testing.T) {
	t.Parallel()
	m, err := Compose(letter())
	require.NoError(t, err)
	require.Equal(t, "Hello 健,\n\nplease answer: https://x.example.com/l/abc?a=1&b=2.\nThanks <3\n\n-- \nYou are getting this mail because you were invited to give feedback.\nTo get no more invitations: https://x.example.com/u/abc\n", m.Text)
	require.Contains(t, m.HTML, `<html lang="en">`)
	require.Contains(t, m.HTML, `<a href="https://x.example.com/l/abc?a=1&amp;b=2" style="color:#1f5fae">https://x.example.com/l/abc?a=1&amp;b=2</a>.<br>`)
	require.Contains(t, m.HTML, "Thanks &lt;3</p>")
	require.Contains(t, m.HTML, `<a href="https://x.example.com/u/abc"`)
}

func TestCompose_Japanese(t *testing.T) {
	t.Parallel()
	l := letter()
	l.Language, l.Body = "ja-JP", "こちらhttps://x.example.com/l/abcからどうぞ。"
	m, err := Compose(l)
	require.NoError(t, err)
	require.Contains(t, m.HTML, `<html lang="ja">`)
	require.Contains(t, m.HTML, `>https://x.example.com/l/abc</a>からどうぞ。`)
	require.Contains(t, m.Text, "今後のご案内を希望されない場合: https://x.example.com/u/abc")
	require.Contains(t, m.HTML, ">配信を停止する</a>")
}

func TestCompose_NoWayToOptOut_NoFooter(t *testing.T) {
	t.Parallel()
	l := letter()
	l.UnsubscribeURL = ""
	m, err := Compose(l)
	require.NoError(t, err)
	require.NotContains(t, m.Text, "-- ")
	require.NotContains(t, m.HTML, "invitations")
}

func TestCompose_EscapesEverything(t *testing.T) {
	t.Parallel()
	l := letter()
	l.Subject = `</title><script>alert(1)</script>`
	l.Body = `<img src=x onerror=alert(1)> https://x.example.com/"onmouseover="alert(1) javascript:alert(1)`
	m, err := Compose(l)
	require.NoError(t, err)
	require.NotContains(t, m.HTML, "<script")
	require.NotContains(t, m.HTML, "<img")
	require.NotContains(t, m.HTML, `"onmouseover`)
	require.NotContains(t, m.HTML, `href="javascript`)
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"(see https://a.example/b)": `https://a.example/b`,
		"https://a.example/b_(c)":   `https://a.example/b_(c)`,
		"https://a.example/b?!.":    `https://a.example/b`,
		"<https://a.example/b>":     `https://a.example/b`,
		"HTTPS://a.example/%E3":     `HTTPS://a.example/%E3`,
		"「https://a.example」":       `https://a.example`,
		"ftp://a.example":           ``,
		"https://":                  ``,
		"xhttps://a.example":        ``,
	} {
		got := anchors(in)
		if want == "" {
			require.NotContains(t, got, "<a ", in)
			continue
		}
		require.Contains(t, got, `<a href="`+want+`" `, in)
	}
}

func TestCompose_SubjectIsOneLine(t *testing.T) {
	t.Parallel()
	l := letter()
	l.Subject = "Hi\r\nBcc: evil@example.com\x00"
	m, err := Compose(l)
	require.NoError(t, err)
	require.Equal(t, "Hi Bcc: evil@example.com", m.Subject)
}

func TestValidate_NoHeaderCanBeInjected(t *testing.T) {
	t.Parallel()
	good, err := Compose(letter())
	require.NoError(t, err)
	for field, change := range map[string]func(*Message, string){
		"id":              func(m *Message, s string) { m.ID += s },
		"from":            func(m *Message, s string) { m.From = "A" + s + " <a@example.com>" },
		"reply_to":        func(m *Message, s string) { m.ReplyTo += s },
		"to":              func(m *Message, s string) { m.To += s },
		"subject":         func(m *Message, s string) { m.Subject += s },
		"unsubscribe_url": func(m *Message, s string) { m.UnsubscribeURL += s },
	} {
		for _, s := range []string{"\r\nBcc: evil@example.com", "\nX: y", "\rX: y", "\x00", "\u0085X: y", "\u2028X: y"} {
			m := good
			change(&m, s)
			err := m.Validate()
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%s %q", field, s)
			require.ErrorContains(t, err, field)
		}
	}
}

func TestValidate_NamesTheField(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Message){
		"id: want":              func(m *Message) { m.ID = "" },
		"from: want":            func(m *Message) { m.From = "nobody" },
		"to: want":              func(m *Message) { m.To = "a@example.com, b@example.com" },
		"reply_to: want":        func(m *Message) { m.ReplyTo = "x" },
		"unsubscribe_url: want": func(m *Message) { m.UnsubscribeURL = "javascript:alert(1)" },
	} {
		m, err := Compose(letter())
		require.NoError(t, err)
		change(&m)
		require.ErrorContains(t, m.Validate(), want)
	}
}
