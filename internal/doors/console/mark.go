package console

import "strings"

// Mark is a status as people see it: a shape, a word, and a colour third. Code is
// the status in API and logs, which stays English everywhere.
type Mark struct {
	Shape, Tone, Word, Code string
	Title                   string // word and code, so that both can be searched
}

type look struct{ shape, tone string }

// looks says how each status is drawn. Shapes: done, wait, retry, held, fail,
// skip, alert (symbols of sprite.svg). Tones: ok, info, warn, bad, idle.
var looks = map[string]look{
	// events
	"accepted": {"wait", "info"}, "processed": {"done", "ok"}, "retrying": {"retry", "warn"}, "failed": {"fail", "bad"}, "invalid": {"alert", "bad"},
	// deliveries
	"pending": {"wait", "info"}, "held": {"held", "warn"}, "done": {"done", "ok"}, "rejected": {"fail", "bad"}, "cancelled": {"skip", "idle"},
	// mappings that made no delivery
	"not_matched": {"skip", "idle"}, "matched": {"done", "ok"}, "off": {"skip", "idle"}, "nothing": {"skip", "idle"},
	// runs and steps
	"running": {"wait", "info"}, "waiting": {"wait", "info"}, "not_started": {"skip", "idle"}, "skipped": {"skip", "idle"},
	// distributions, invitations and their messages
	"standing": {"done", "ok"}, "sending": {"wait", "info"}, "sent": {"done", "info"}, "opened": {"done", "info"}, "started": {"wait", "info"},
	"finished": {"done", "ok"}, "expired": {"skip", "idle"}, "reserved": {"wait", "info"},
	// typed fields of a run
	"value": {"done", "ok"}, "default": {"done", "idle"}, "missing": {"skip", "idle"}, "wrong_type": {"alert", "warn"},
	// what a replay makes of an event and a mapping
	"new": {"done", "info"}, "again": {"retry", "info"}, "forced": {"retry", "warn"}, "differs": {"alert", "warn"}, "gone": {"skip", "warn"},
	"unprocessed": {"wait", "info"},
	// contacts
	"subscribed": {"done", "ok"}, "unsubscribed": {"skip", "warn"},
	// clauses of a filter
	"true": {"check", "ok"}, "false": {"cross", "bad"}, "unjudged": {"dash", "idle"},
	// parts of the installation, and destinations
	"ok": {"done", "ok"}, "paused": {"held", "warn"},
	// the verdict of the home page
	"well": {"done", "ok"}, "needs_you": {"alert", "warn"}, "unwell": {"fail", "bad"},
}

// Status is the mark of a status. One that is not known keeps its code as word.
func (v *View) Status(code string) Mark {
	l, ok := looks[code]
	if !ok {
		return Mark{Shape: "wait", Tone: "idle", Word: code, Code: code, Title: code}
	}
	word := v.T("status." + code)
	return Mark{Shape: l.shape, Tone: l.tone, Word: word, Code: code, Title: word + " (" + code + ")"}
}

// open reports whether something may still change by itself, so that its page
// refreshes.
func open[S ~string](status S) bool {
	switch status {
	case "accepted", "retrying", "pending", "held", "running", "waiting", "sending", "started":
		return true
	}
	return false
}

// word is the text of a code that has a fixed set in the catalogue, else the code.
func (v *View) word(prefix, code string) string {
	if v.words.has(prefix + code) {
		return v.T(prefix + code)
	}
	return code
}

// Action is the word for an action of a mapping.
func (v *View) Action(code string) string { return v.word("action.", code) }

// Kind is the word for a kind of message; the number of a reminder stays:
// reminder-2.
func (v *View) Kind(code string) string {
	kind, number, numbered := strings.Cut(code, "-")
	if !numbered {
		return v.word("kind.", code)
	}
	return v.word("kind.", kind) + " " + number
}

// Cause is the word for what changed a contact.
func (v *View) Cause(code string) string { return v.word("cause.", code) }

// Channel is the word for a way to reach people.
func (v *View) Channel(code string) string { return v.word("channel.", code) }

// Part is the word for a part of the installation.
func (v *View) Part(code string) string { return v.word("part.", code) }
