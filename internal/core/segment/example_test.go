package segment_test

import (
	"fmt"
	"time"

	"github.com/segue-xm/segue/internal/core/segment"
)

func ExampleParseBatch() {
	body := []byte(`{"sentAt":"2026-03-01T12:00:05Z","batch":[
		{"type":"track","event":"Signed Up","userId":7,"messageId":"m-1","timestamp":"2026-03-01T12:00:00Z"},
		{"type":"track","event":"Nobody's","messageId":"m-2"}]}`)
	now := time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC) // the sender's clock is two hours fast
	events, refusals, err := segment.ParseBatch(body, now, func() string { return "made here" })
	fmt.Println(err)
	for _, e := range events {
		fmt.Println(e.MessageID, e.Name, e.UserID, e.Timestamp)
	}
	for _, r := range refusals {
		fmt.Println(r.Index, r.MessageID, r.Reason)
	}
	// Output:
	// <nil>
	// m-1 Signed Up 7 2026-03-01 10:00:00 +0000 UTC
	// 1 m-2 userId: missing, and anonymousId too; one of them is needed
}
