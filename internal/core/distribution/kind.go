package distribution

import (
	"strconv"
	"strings"
)

// Kind is the kind of a message. With the invitation it names a message that is
// sent at most once.
type Kind string

const (
	// KindInvitation is the kind of an invitation's first message.
	KindInvitation Kind = "invitation"
	// KindThanks is the kind of the message that follows an answer.
	KindThanks Kind = "thanks"
	// KindProgress is no message: it is a look at what became of a remote invitation.
	KindProgress Kind = "progress"

	// KindExpiry is no message: it is the end of the time to answer.
	KindExpiry Kind = "expiry"

	reminderPrefix = "reminder-"
)

// KindReminder is the kind of the n-th reminder, counted from 1.
func KindReminder(n int) Kind { return Kind(reminderPrefix + strconv.Itoa(n)) }

// ReminderOf returns n for the kind of the n-th reminder.
func ReminderOf(kind Kind) (n int, ok bool) {
	digits, ok := strings.CutPrefix(string(kind), reminderPrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0 && KindReminder(n) == kind
}

// What a remote account does for distributions, beside the actions of mappings: it
// sends messages, and says what became of invitations.
const (
	ActionDistribute = "distribute"
	ActionProgress   = "progress"
)

// IsAction reports whether an action is one that an account does for distributions.
func IsAction(action string) bool { return action == ActionDistribute || action == ActionProgress }
