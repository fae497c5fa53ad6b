package distribution

import (
	"fmt"
	"net/mail"
	"strings"
	"time"
)

// Reason is the code of why somebody gets nothing. It is stored and shown.
type Reason string

// The reasons, in the order they are looked at.
const (
	Responded Reason = "responded"  // has answered already
	TimeOver  Reason = "expired"    // the time to answer is over
	OptedOut  Reason = "opted_out"  // of the directory, or of the mailing list
	NoAddress Reason = "no_address" // none, or one that cannot work
	TooOften  Reason = "frequency"  // enough messages for now; FreeAt says when
)

// Window is a frequency rule: at most Messages in any span of Per. The zero
// Window allows everything.
type Window struct {
	Messages int
	Per      time.Duration
}

// Person is what eligibility looks at. All of it is read right before sending,
// in the transaction that reserves the message.
type Person struct {
	Unsubscribed bool   // opted out of the directory
	ListOptedOut bool   // opted out of the mailing list that is written to
	Email        string // the address that would be used

	Responded bool
	Expires   time.Time // zero: never

	Frequency       Window
	Sent            []time.Time // messages that count: sent or reserved, any order
	IgnoreFrequency bool        // the task says so, or it is a reminder

	Now time.Time
}

// Verdict is the answer. Text is for people.
type Verdict struct {
	OK     bool
	Reason Reason // "" when OK
	Text   string
	FreeAt time.Time // for TooOften: the earliest instant that may work, else zero
}

// Eligible decides whether a message may go out now. It is asked again before
// every message, reminders too: what was true at the invitation may have
// changed.
func Eligible(p Person) Verdict {
	switch {
	case p.Responded:
		return Verdict{Reason: Responded, Text: "has answered already"}
	case !p.Expires.IsZero() && !p.Now.Before(p.Expires):
		return Verdict{Reason: TimeOver, Text: "the time to answer is over"}
	case p.Unsubscribed:
		return Verdict{Reason: OptedOut, Text: "opted out of the directory"}
	case p.ListOptedOut:
		return Verdict{Reason: OptedOut, Text: "opted out of the mailing list"}
	case strings.TrimSpace(p.Email) == "":
		return Verdict{Reason: NoAddress, Text: "has no email address"}
	case !ValidEmail(p.Email):
		return Verdict{Reason: NoAddress, Text: "the email address cannot work"}
	case p.IgnoreFrequency:
		return Verdict{OK: true}
	}
	if free := p.Frequency.FreeAt(p.Sent, p.Now); free.After(p.Now) {
		return Verdict{
			Reason: TooOften,
			Text:   fmt.Sprintf("has had %d of %d messages in %s", p.Frequency.count(p.Sent, p.Now), p.Frequency.Messages, span(p.Frequency.Per)),
			FreeAt: free,
		}
	}
	return Verdict{OK: true}
}

// count is how many of sent lie in the span that ends at now. A message exactly
// Per ago is outside; one in the future (a clock set back) counts.
func (w Window) count(sent []time.Time, now time.Time) int {
	n := 0
	for _, t := range sent {
		if t.After(now.Add(-w.Per)) {
			n++
		}
	}
	return n
}

// FreeAt is the first instant from now on at which one more message fits.
func (w Window) FreeAt(sent []time.Time, now time.Time) time.Time {
	if w.Messages <= 0 || w.Per <= 0 {
		return now
	}
	var inside []time.Time // sorted, the oldest first; equal ones count each
	for _, t := range sent {
		if t.After(now.Add(-w.Per)) {
			k := len(inside)
			inside = append(inside, t)
			for ; k > 0 && inside[k-1].After(t); k-- {
				inside[k] = inside[k-1]
			}
			inside[k] = t
		}
	}
	if len(inside) < w.Messages {
		return now
	}
	// When the Messages-th newest leaves the span, one fits.
	return inside[len(inside)-w.Messages].Add(w.Per)
}

// span spells a duration in days where it is whole days.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "1 day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// ValidEmail reports whether a mail can be addressed to s: one plain address of
// RFC 5322 without name or comment, with a domain of at least two labels (or
// localhost), within SMTP's lengths. Blanks around it do not matter. It says
// nothing about whether the mailbox exists.
func ValidEmail(s string) bool {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 || strings.ContainsAny(s, "\r\n\x00<>(),;: \t") {
		return false
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" {
		return false
	}
	domain := s[at+1:]
	if domain == "localhost" {
		return true
	}
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	return len(labels) > 1
}
