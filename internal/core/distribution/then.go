package distribution

import "time"

// Then is what follows when something was done for an invitation: the next reminder,
// or the end of the time to answer.
type Then struct {
	Kind    Kind // "": nothing
	Due     time.Time
	Expires time.Time // of the invitation; zero: never
}

// Then says what follows once a message of a kind has had its turn, whether it went
// or not; nothing follows an invitation that did not go, but that is for the caller
// to know. All times count from when the invitation was really sent. A reminder that
// was late does not have the next one on its heels.
func (s Settings) Then(kind Kind, sent, now time.Time) Then {
	var t Then
	if kind == KindExpiry {
		return t
	}
	if s.Expires > 0 {
		t = Then{Kind: KindExpiry, Expires: sent.Add(s.Expires.Std())}
		t.Due = t.Expires
	}
	n, _ := ReminderOf(kind) // 0: the invitation
	if n >= len(s.Reminders) {
		return t
	}
	after, before := s.Reminders[n].After.Std(), time.Duration(0)
	if n > 0 {
		before = s.Reminders[n-1].After.Std()
	}
	due := sent.Add(after)
	if apart := now.Add(after - before); apart.After(due) {
		due = apart
	}
	if !t.Expires.IsZero() && !due.Before(t.Expires) {
		return t
	}
	t.Kind, t.Due = KindReminder(n+1), due
	return t
}
