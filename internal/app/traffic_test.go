package app

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// traffic is a made-up day of a small shop: what is posted, and what it must have
// led to, whatever happened on the way.
type traffic struct {
	events   int
	pages    int // events that no mapping wants
	requests []request
	people   map[string]*expected // by user id
	orders   map[string]int64     // order id -> its timestamp in milliseconds
	tours    int                  // events of finished tours
	started  int                  // those whose run starts
	mails    map[string]int       // address -> invitations that go out
	skipped  int                  // invitations that the frequency rule keeps back
}

// expected is a person's contact at the end.
type expected struct {
	name, plan string
	there      bool // a page view or a run that does not start makes no contact
}

type request struct {
	path, body string
	ids        []string
}

// maxMails is the frequency rule of the onboarding plan: messages per contact.
const maxMails = 5

// makeTraffic makes events: half identify calls, a quarter orders, the rest tours
// and page views. A third of them is sent twice. All identify calls of a person
// carry their own timestamps and travel in any order, so that the newest must win
// and not the last to arrive; tours are newer than all of them.
func makeTraffic(r *rand.Rand, n, people int) *traffic {
	w := &traffic{people: map[string]*expected{}, orders: map[string]int64{}, mails: map[string]int{}}
	begin := time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second)
	type item struct{ id, typ, fields string }
	var items []item
	add := func(typ, user, format string, args ...any) {
		id := fmt.Sprintf("m-%d", len(items))
		items = append(items, item{id, typ, fmt.Sprintf(`"messageId":%q,"userId":%q,`, id, user) + fmt.Sprintf(format, args...)})
	}
	person := func(i int) (user, email string) {
		user = fmt.Sprintf("u-%d", i)
		if w.people[user] == nil {
			w.people[user] = &expected{}
		}
		return user, fmt.Sprintf("p%d@example.com", i)
	}
	stamp := func(k int) time.Time { return begin.Add(time.Duration(k) * time.Second) }

	identifies := n / 2
	for k := range identifies {
		user, email := person(r.IntN(people))
		w.people[user].there = true
		p, traits := w.people[user], fmt.Sprintf(`"email":%q`, email)
		if k%5 != 0 { // the others say nothing of the name, and must not clear it
			p.name = fmt.Sprintf("N%d", k)
			traits += fmt.Sprintf(`,"firstName":%q`, p.name)
		}
		if k%3 != 0 {
			p.plan = fmt.Sprintf("plan%d", k)
			traits += fmt.Sprintf(`,"plan":%q`, p.plan)
		}
		add("identify", user, `"timestamp":%q,"traits":{%s}`, stamp(k).Format(time.RFC3339), traits)
	}
	for k := range n / 4 {
		user, email := person(r.IntN(people))
		w.people[user].there = true
		order := fmt.Sprintf("o-%d", k)
		w.orders[order] = stamp(k).UnixMilli()
		add("track", user, `"event":"Order Completed","timestamp":%q,"context":{"traits":{"email":%q}},"properties":{"order_id":%q,"total":%d.5,"currency":"JPY"}`,
			stamp(k).Format(time.RFC3339), email, order, k)
	}
	tour := func(i, steps int, skipped bool) {
		user, email := person(i)
		w.tours++
		if steps > 2 && !skipped {
			w.started++
			w.people[user].name, w.people[user].there = "T"+user, true
			if w.mails[email] < maxMails {
				w.mails[email]++
			} else {
				w.skipped++
			}
		}
		add("track", user, `"event":"Onboarding Tour Completed","context":{"traits":{"email":%q,"firstName":"T%s","language":"ja"}},"properties":{"steps_completed":%d,"skipped":%t}`,
			email, user, steps, skipped)
	}
	for i := range n * 3 / 20 {
		switch {
		case i < 3: // some cannot get enough
			for range maxMails + 2 {
				tour(i, 5, false)
			}
		case i%11 == 0:
			tour(i, 2, false)
		case i%13 == 0:
			tour(i, 5, true)
		default:
			tour(i%people, 5, false)
		}
	}
	for len(items) < n {
		user, _ := person(r.IntN(people))
		add("page", user, `"name":"Home"`)
		w.pages++
	}
	w.events = len(items)

	all := append([]item(nil), items...)
	for _, i := range r.Perm(len(items))[:len(items)/3] {
		all = append(all, items[i])
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 0 {
		if r.IntN(3) > 0 { // a call of its own
			it := all[0]
			w.requests = append(w.requests, request{"/v1/" + it.typ, "{" + it.fields + "}", []string{it.id}})
			all = all[1:]
			continue
		}
		size := min(len(all), 2+r.IntN(40))
		var q request
		var bodies []string
		for _, it := range all[:size] {
			bodies = append(bodies, fmt.Sprintf(`{"type":%q,%s}`, it.typ, it.fields))
			q.ids = append(q.ids, it.id)
		}
		q.path, q.body = "/v1/batch", `{"batch":[`+strings.Join(bodies, ",")+`]}`
		w.requests = append(w.requests, q)
		all = all[size:]
	}
	return w
}
