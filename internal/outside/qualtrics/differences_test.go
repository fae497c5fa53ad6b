package qualtrics_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// deliberate is the id of the difference that explains what was observed, or "".
// Each rule says which cases it is about and what must have happened instead.
func (c recorded) deliberate(o observed) string {
	refused := o.err != nil && fault.KindOf(o.err) == fault.Invalid
	untouched := refused && len(o.requests) == 0
	switch {
	case untouched && c.badSettings():
		return qualtrics.SettingsChecked
	case untouched && strings.ContainsAny(text(o.payload, "directoryId"), `/\`):
		return qualtrics.IDChecked
	case untouched && len(c.requests) == 1 && c.action == "triggerXflowWorkflow" && !strings.HasSuffix(text(c.requests[0], "host"), ".qualtrics.com"):
		return qualtrics.TokenAtHome
	case untouched && strings.HasPrefix(o.err.Error(), "transactionDate: ") && c.sentAt(frozen.Format("2006-01-02 15:04:05")):
		return qualtrics.DateRefused
	case refused && len(o.requests) == len(c.requests) && strings.Contains(c.replies[len(o.requests)-1].body, `"unprocessedTransactions":{"$RANDOM16"`):
		return qualtrics.UnprocessedRead
	case o.err != nil && len(o.requests) < len(c.requests) && c.sentWithoutContact():
		return qualtrics.ReplyChecked
	case o.err == nil && c.sameButNested(o):
		return qualtrics.NestedValues
	}
	return ""
}

func (c recorded) badSettings() bool {
	settings, _ := c.all.Get("settings").(*jsonvalue.Object)
	return text(settings, "apiToken") == "" || strings.ContainsAny(text(settings, "datacenter"), "./:@")
}

// sent is the transaction that was recorded, or nil.
func (c recorded) sent() *jsonvalue.Object {
	if len(c.requests) == 0 {
		return nil
	}
	body, _ := c.requests[len(c.requests)-1].Get("body").(*jsonvalue.Object)
	sent, _ := body.Get("$RANDOM16").(*jsonvalue.Object)
	return sent
}

func (c recorded) sentAt(date string) bool { return text(c.sent(), "transactionDate") == date }

func (c recorded) sentWithoutContact() bool { return c.sent() != nil && !c.sent().Has("contactId") }

// sameButNested reports whether a case is the same once nested values of the
// recorded data are what they should have been.
func (c recorded) sameButNested(o observed) bool {
	data, ok := c.sent().Get("data").(*jsonvalue.Object)
	if !ok {
		return false
	}
	given, _ := o.payload.Get("transactionData").(*jsonvalue.Object)
	for k, v := range given.All() {
		switch {
		case v == nil:
			data.Delete(k)
		case jsonvalue.TypeName(v) == "object", jsonvalue.TypeName(v) == "array":
			data.Set(k, jsonvalue.Text(v))
		}
	}
	return c.wrong(o) == ""
}

func TestDifferences_AreNamedOnceAndExplained(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, d := range qualtrics.Differences() {
		require.NotEmpty(t, d.Segment)
		require.NotEmpty(t, d.Here)
		require.False(t, ids[d.ID], d.ID)
		ids[d.ID] = true
	}
}
