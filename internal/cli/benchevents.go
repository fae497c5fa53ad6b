package cli

import (
	"fmt"
	"strconv"
	"time"
)

// generator makes the bench's events: the same for every run but for run, which
// is in the message ids, and the time. Safe for concurrent use.
type generator struct {
	run   string
	users int
	track bool
	time  string
}

func newGenerator(run string, users int, track bool, now time.Time) generator {
	return generator{run: run, users: users, track: track, time: now.UTC().Format("2006-01-02T15:04:05.000Z")}
}

// kind is the type of the events.
func (g *generator) kind() string {
	if g.track {
		return "track"
	}
	return "identify"
}

func (g *generator) messageID(i int) string { return "bench-" + g.run + "-" + strconv.Itoa(i) }

// user is whom event i is about. A large odd factor spreads the people, so that
// the events of one do not come together.
func (g *generator) user(i int) int { return int(uint64(i) * 2654435761 % uint64(g.users)) }

var (
	benchPlans = []string{"free", "pro", "team", "enterprise"}
	benchFirst = []string{"Aiko", "Ben", "Chloé", "Dmitri", "Elif", "Fatou", "Gwen", "Hiro"}
	benchLast  = []string{"Tanaka", "Miller", "Dubois", "Ivanov", "Yılmaz", "Diop", "Evans", "Sato"}
)

// append appends event i as JSON, about 1 KB.
func (g *generator) append(dst []byte, i int) []byte {
	u := g.user(i)
	user := fmt.Sprintf("bench-%07d", u)
	dst = append(dst, `{"type":"`...)
	dst = append(dst, g.kind()...)
	dst = append(dst, `","messageId":"bench-`...)
	dst = append(dst, g.run...)
	dst = append(dst, '-')
	dst = strconv.AppendInt(dst, int64(i), 10)
	dst = append(dst, `","userId":"`...)
	dst = append(dst, user...)
	dst = append(dst, `","anonymousId":"5f6a2c1e-0d3b-4c8f-9a71-0000`...)
	dst = append(dst, user[len("bench-"):]...)
	dst = append(dst, `0","timestamp":"`...)
	dst = append(dst, g.time...)
	dst = append(dst, `",`...)
	traits := func(dst []byte) []byte {
		dst = append(dst, `"traits":{"email":"`...)
		dst = append(dst, user...)
		dst = append(dst, `@example.com","firstName":"`...)
		dst = append(dst, benchFirst[u%len(benchFirst)]...)
		dst = append(dst, `","lastName":"`...)
		dst = append(dst, benchLast[u/8%len(benchLast)]...)
		dst = append(dst, `","phone":"+4930`...)
		dst = append(dst, user[len("bench-"):]...)
		dst = append(dst, `","language":"EN","plan":"`...)
		dst = append(dst, benchPlans[i%len(benchPlans)]...)
		dst = append(dst, `","logins":`...)
		dst = strconv.AppendInt(dst, int64(i%1000), 10)
		return append(dst, `,"company":{"name":"Example Ltd","industry":"Technology","employee_count":420},"address":{"city":"Berlin","country":"DE","postalCode":"10115"}}`...)
	}
	if g.track {
		dst = append(dst, `"event":"Onboarding Tour Completed","properties":{"steps_completed":5,"skipped":false,"tour":"first-steps","variant":"b","duration_seconds":184,"screens":["welcome","import","invite","report","done"]},"context":{`...)
		dst = traits(dst)
		dst = append(dst, ',')
	} else {
		dst = traits(dst)
		dst = append(dst, `,"context":{`...)
	}
	return append(dst, benchContext...)
}

// benchContext is the rest of the context of a browser's event.
const benchContext = `"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"locale":"en-US","timezone":"Europe/Berlin","ip":"192.0.2.10",` +
	`"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",` +
	`"page":{"path":"/account/profile","referrer":"https://app.example.com/","search":"?tab=details","title":"Your profile","url":"https://app.example.com/account/profile?tab=details"}}}`
