package mail

import (
	"html"
	"regexp"
	"strings"
)

// words of the footer, by language.
var words = map[string]struct{ why, optOut, link string }{
	"en": {"You are getting this mail because you were invited to give feedback.", "To get no more invitations", "Stop invitations"},
	"ja": {"このメールは、ご意見をうかがうためにお送りしています。", "今後のご案内を希望されない場合", "配信を停止する"},
}

// Footer is the last lines of a mail's text part: why it came and how to opt
// out. language is "en" or "ja"; anything else is English.
func Footer(language, unsubscribeURL string) string {
	w, ok := words[language]
	if !ok {
		w = words["en"]
	}
	return w.why + "\n" + w.optOut + ": " + unsubscribeURL
}

// page is the HTML part. Everything is escaped; styles are inline, because many
// mail programs drop the others.
func page(lang, title, body, unsubscribeURL string) string {
	font := "system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
	if lang == "ja" {
		font = "'Hiragino Sans','Noto Sans JP','BIZ UDPGothic',Meiryo,sans-serif"
	}
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html>
<html lang="` + lang + `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>` + html.EscapeString(title) + `</title></head>
<body style="margin:0;background:#f7f8f9;color:#1b2129">
<div style="max-width:560px;margin:0 auto;padding:24px 16px;font:16px/1.6 ` + font + `">
<div style="background:#ffffff;border:1px solid #d5dae1;border-radius:6px;padding:24px;overflow-wrap:anywhere">
`)
	for _, paragraph := range blankLines.Split(body, -1) {
		b.WriteString(`<p style="margin:0 0 16px">` + strings.ReplaceAll(anchors(paragraph), "\n", "<br>\n") + "</p>\n")
	}
	b.WriteString("</div>\n")
	if unsubscribeURL != "" {
		w := words[lang]
		b.WriteString(`<p style="margin:16px 8px 0;font-size:13px;color:#55606e">` + html.EscapeString(w.why) + `<br><a href="` + html.EscapeString(unsubscribeURL) +
			`" style="color:#55606e">` + html.EscapeString(w.link) + "</a></p>\n")
	}
	b.WriteString("</div>\n</body></html>\n")
	return b.String()
}

var (
	blankLines = regexp.MustCompile(`\n[ \t]*\n\s*`)
	// ASCII only: in Japanese the sentence goes on right after the address.
	pageURL = regexp.MustCompile(`(?i)\bhttps?://[a-z0-9][!#-;=?-Z_a-z~%@\[\]]*`)
)

// anchors escapes a text and makes links of the page addresses in it.
// Punctuation at the end of an address belongs to the sentence, and so does a
// closing bracket without its opening one.
func anchors(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range pageURL.FindAllStringIndex(s, -1) {
		u := s[m[0]:m[1]]
		for {
			last := u[len(u)-1]
			open := strings.IndexByte(")]", last)
			if strings.IndexByte(".,;:!?'", last) < 0 && (open < 0 || strings.Count(u, "(["[open:open+1]) >= strings.Count(u, string(last))) {
				break
			}
			u = u[:len(u)-1]
		}
		b.WriteString(html.EscapeString(s[at:m[0]]))
		b.WriteString(`<a href="` + html.EscapeString(u) + `" style="color:#1f5fae">` + html.EscapeString(u) + "</a>")
		at = m[0] + len(u)
	}
	b.WriteString(html.EscapeString(s[at:]))
	return b.String()
}
