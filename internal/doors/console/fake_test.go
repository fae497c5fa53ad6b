package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/ops"
)

// now is the time of every test and of the preview's data.
var testNow = time.Date(2026, 10, 22, 5, 3, 10, 0, time.UTC)

// fake is an installation with something of everything, or with nothing.
type fake struct {
	empty bool
	err   error
	// seen are the filters that were asked for, newest last.
	eventFilters   []ops.EventFilter
	contactFilters []ops.ContactFilter
	paging         []ops.Paging
	paused         *ops.Paused // what Pause left
	remote         error       // what a remote account's answers fail with
	tested         ops.Connection
	processed      []ops.ProcessInput
	jobStatus      job.Status // what was done to the job last; "" is running
	asked          int        // how often a remote account was asked
}

// The operations of a fake, one type for each aggregate.
type (
	fakeEvents        struct{ *fake }
	fakeContacts      struct{ *fake }
	fakeRuns          struct{ *fake }
	fakeJobs          struct{ *fake }
	fakeDistributions struct{ *fake }
	fakeInvitations   struct{ *fake }
	fakeOutbox        struct{ *fake }
	fakeSources       struct{ *fake }
	fakeDestinations  struct{ *fake }
	fakeInstallation  struct{ *fake }
	fakeFinder        struct{ *fake }
)

func (f *fake) operations() Operations {
	return Operations{
		Events: fakeEvents{f}, Contacts: fakeContacts{f}, Runs: fakeRuns{f}, Jobs: fakeJobs{f}, Replays: fakeJobs{f}, Distributions: fakeDistributions{f}, Invitations: fakeInvitations{f},
		Outbox: fakeOutbox{f}, Sources: fakeSources{f}, Destinations: fakeDestinations{f}, Installation: fakeInstallation{f}, Finder: fakeFinder{f},
	}
}

func at(ago time.Duration) time.Time { return testNow.Add(-ago) }
func ptr[T any](v T) *T              { return &v }
func idAt(ago time.Duration, n int) id.ID {
	return id.At(at(ago)) + id.ID(n)
}

func object(text string) *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(text))
	if err != nil {
		panic(err)
	}
	return o
}

var (
	eventID        = idAt(3*time.Second, 1)
	contactID      = idAt(90*24*time.Hour, 1)
	runID          = idAt(2*time.Hour, 1)
	distributionID = idAt(time.Hour, 1)
	mailID         = idAt(time.Hour, 2)
	destinationID  = idAt(100*24*time.Hour, 1)
)

func page[T any](f *fake, items []T) (ops.Page[T], error) {
	if f.err != nil || f.empty {
		return ops.Page[T]{}, f.err
	}
	return ops.Page[T]{Items: items, Next: "older"}, nil
}

func (f fakeInstallation) Overview(context.Context) (ops.Overview, error) {
	if f.err != nil {
		return ops.Overview{}, f.err
	}
	o := ops.Overview{Now: testNow, Totals: map[string]int{}}
	for i := range 60 {
		m := ops.Minute{Start: testNow.Truncate(time.Minute).Add(time.Duration(i-59) * time.Minute)}
		if !f.empty {
			m.Processed = 640 + (i*37)%290 + i*3
			if i%9 == 4 {
				m.Failed = 20 + i
			}
			if i > 56 {
				m.Waiting = (i - 56) * 120
			}
		}
		o.Minutes = append(o.Minutes, m)
	}
	if f.empty {
		return o, nil
	}
	o.Waiting, o.OldestWait = 300, 4*time.Second
	o.Totals = map[string]int{"accepted": 48120, "invalid": 3, "done": 47790, "retrying": 12, "held": 3, "rejected": 18, "runs": 1204, "mails": 1090}
	o.Failures = []ops.Cause{
		{Mapping: "acme-contacts", Reason: "token refused (401)", Count: 14, Last: at(2 * time.Minute), Example: eventID},
		{Mapping: "order-as-transaction", Reason: `date: "13/45/2026" is not a date`, Count: 4, Last: at(time.Hour), Example: eventID},
	}
	o.Parts = []ops.Part{
		{Name: "database", Status: "ok", Detail: "SQLite, 3 ms"}, {Name: "temporal", Status: "ok", Detail: "12 ms"},
		{Name: "workers", Status: "ok", Detail: "2 polling"}, {Name: "mail", Status: "held", Detail: "paused by console: 引っ越し中、月曜まで", Destination: idAt(time.Hour, 23), Since: ptr(at(26 * time.Hour))}, {Name: "crm-eu", Status: "held", Detail: "the account's limit is used up", Destination: idAt(time.Hour, 22), Until: ptr(testNow.Add(40 * time.Second))}, {Name: "mail", Status: "ok", Detail: "outbox"},
	}
	o.FirstRun = ops.FirstRun{Source: true, Event: true, Mapping: true}
	return o, nil
}

func (f fakeEvents) List(_ context.Context, filter ops.EventFilter, p ops.Paging) (ops.Page[ops.Event], error) {
	f.eventFilters, f.paging = append(f.eventFilters, filter), append(f.paging, p)
	var all []ops.Event
	for i := range 50 {
		e := ops.Event{ID: idAt(time.Duration(i*7)*time.Second+3*time.Second, 1), Source: "web", MessageID: fmt.Sprintf("ajs-next-%08d", i), Revision: 128, AcceptedAt: at(time.Duration(i*7)*time.Second + 3*time.Second), UserID: "u_42"}
		e.Key = e.ID.String()
		switch i % 6 {
		case 0:
			e.Type, e.Event, e.Status = "track", "Onboarding Tour Completed", segment.Processed
			e.Deliveries = []ops.Delivery{{Mapping: "tour-finished", Status: "done"}}
		case 1:
			e.Type, e.Status = "identify", segment.Processed
			e.Deliveries = []ops.Delivery{{Mapping: "keep-contacts-current", Status: "done"}, {Mapping: "acme-contacts", Status: "done"}}
		case 2:
			e.Type, e.Event, e.Status = "track", "Cart Viewed", segment.Processed
		case 3:
			e.Type, e.Event, e.Status = "track", "Order Paid", segment.Failed
			e.Deliveries = []ops.Delivery{{Mapping: "order-as-transaction", Status: "rejected", Reason: `amount is text "12,50"`}, {Mapping: "keep-contacts-current", Status: "done"}}
		case 4:
			e.Type, e.Event, e.Status, e.Source = "page", "料金プラン", segment.Retrying, "shop"
			e.Deliveries = []ops.Delivery{{Mapping: "acme-contacts", Status: "retrying", Reason: "503 from fra1"}}
		case 5:
			e.Type, e.Event, e.Status, e.Reason = "track", "", segment.Invalid, "no userId and no anonymousId"
		}
		all = append(all, e)
	}
	return page(f.fake, all)
}

func verdict(text string) *fql.Verdict { return ptr(decoded[fql.Verdict](text)) }

func decoded[T any](text string) (v T) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

func (f fakeEvents) Why(_ context.Context, i id.ID) (ops.Why, error) {
	if f.err != nil {
		return ops.Why{}, f.err
	}
	if f.empty {
		return ops.Why{Event: ops.Event{ID: i, Key: i.String()}}, nil
	}
	raw := `{"type":"track","event":"Onboarding Tour Completed","userId":"u_42","messageId":"ajs-next-0001","timestamp":"2026-10-22T05:03:07.412Z","properties":{"steps_completed":5,"skipped":false,"plan":"free","plan name":"無料プラン","when":"13/45/2026","items":[{"sku":"A-1","qty":2},{"sku":"B-7","qty":1}],"note":null},"context":{"ip":"203.0.113.7","library":{"name":"analytics.js","version":"next-1.84.3"},"locale":"ja-JP","page":{"path":"/tour","title":"<b>Tour & more</b>","url":"https://app.example.com/tour"},"traits":{"email":"taro@example.com"}},"integrations":{}}`
	done := ops.Delivery{Mapping: "tour-finished", Destination: "xm", Action: "start_workflow", Status: "done", Attempts: 1, Contact: contactID, UpdatedAt: at(2 * time.Second),
		Payload: object(`{"workflow":"onboarding-feedback","eventPayload":{"type":"track","event":"Onboarding Tour Completed","userId":"u_42","properties":{"steps_completed":5}}}`), Result: object(`{"run":"` + runID.String() + `"}`)}
	rejected := ops.Delivery{Mapping: "order-as-transaction", Destination: "xm", Job: jobID, Action: "upsert_transaction", Status: "rejected", Reason: `date: "13/45/2026" is not a date`, Attempts: 1, UpdatedAt: at(2 * time.Second),
		Payload: object(`{"date":"13/45/2026","amount":"12,50"}`)}
	retrying := ops.Delivery{Mapping: "acme-contacts", Destination: "acme", Action: "upsert_contact", Status: "retrying", Reason: "503 from fra1.qualtrics.com", Attempts: 3, UpdatedAt: at(20 * time.Second), NextAttempt: ptr(testNow.Add(80 * time.Second)), Payload: object(`{"extRef":"u_42","email":"taro@example.com"}`),
		Hold: &ops.Hold{Action: "upsert_contact", Until: testNow.Add(80 * time.Second), Reason: "the account's limit is used up"}, Result: object(`{"contact":"CID_9","requests":["8a1f-77","8a1f-93"]}`)}
	w := ops.Why{
		Event: ops.Event{ID: i, Key: i.String(), Source: "web", MessageID: "ajs-next-0001", Type: "track", Event: "Onboarding Tour Completed", UserID: "u_42", Status: segment.Retrying, AcceptedAt: i.Time(), Revision: 128, Deliveries: []ops.Delivery{done, rejected, retrying}},
		Body:  object(raw), Raw: raw, TemporalURL: "/namespaces/default/workflows?query=SegueEvents",
		Mappings: []ops.MappingWhy{
			{Mapping: "tour-finished", Destination: "xm", Action: "start_workflow", Matched: true, Filter: `type = "track" and event = "Onboarding Tour Completed"`, Delivery: &done,
				Clauses: verdict(`{"outcome":"true","join":"and","text":"…","children":[{"outcome":"true","text":"type = \"track\"","path":"type","seen":"\"track\""},{"outcome":"true","text":"event = \"Onboarding Tour Completed\"","path":"event","seen":"\"Onboarding Tour Completed\""}]}`),
				Fields:  decoded[[]mapping.FieldTrace](`[{"field":"workflow","raw":null,"result":"onboarding-feedback"},{"field":"user","directive":"@path","path":"$.userId","raw":"u_42","result":"u_42"},{"field":"plan","directive":"@liquid","path":"$.properties.plan","raw":"free","result":"FREE"},{"field":"email","directive":"@path","path":"$.traits.email","raw":null,"result":null,"missing":true},{"field":"when","directive":"@path","path":"$.properties.when","raw":"13/45/2026","result":null,"error":"not a date"}]`)},
			{Mapping: "order-as-transaction", Destination: "xm", Action: "upsert_transaction", Matched: true, Filter: `type = "track"`, Delivery: &rejected,
				Clauses: verdict(`{"outcome":"true","text":"type = \"track\"","join":"and","children":[{"outcome":"true","text":"type = \"track\"","path":"type","seen":"\"track\""}]}`)},
			{Mapping: "acme-contacts", Destination: "acme", Action: "upsert_contact", Matched: true, Delivery: &retrying},
			{Mapping: "pro-customers", Destination: "xm", Action: "upsert_contact", Filter: `type = "track" and properties.plan = "pro" and contains(traits.email, "@")`,
				Clauses: verdict(`{"outcome":"false","join":"and","text":"…","children":[{"outcome":"true","text":"type = \"track\"","path":"type","seen":"\"track\""},{"outcome":"false","text":"properties.plan = \"pro\"","path":"properties.plan","seen":"\"free\""},{"outcome":"not_judged","text":"contains(traits.email, \"@\")","path":"traits.email"}]}`)},
			{Mapping: "keep-contacts-current", Destination: "xm", Action: "upsert_contact", Filter: `type = "identify" or (traits.email != null and properties.total > 100)`,
				Clauses: verdict(`{"outcome":"false","join":"or","text":"…","children":[{"outcome":"false","text":"type = \"identify\"","path":"type","seen":"\"track\""},{"outcome":"false","join":"and","text":"(…)","children":[{"outcome":"false","text":"traits.email != null","path":"traits.email","missing":true},{"outcome":"not_judged","text":"properties.total > 100","path":"properties.total"}]}]}`)},
			{Mapping: "old-survey", Destination: "xm", Action: "start_workflow", Off: "switched off"},
			{Mapping: "broken", Destination: "xm", Action: "upsert_contact", Error: "filter: unexpected character '#' at 12", Filter: "type = track #"},
		},
		Changes: []ops.Change{{Contact: contactID, Event: i, At: at(2 * time.Second), Cause: "event", Diff: object(`{"embedded_data.plan":["free","pro"],"embedded_data.city":[null,"京都"],"embedded_data.beta":[true,null]}`)}},
		Runs:    []ops.Run{{ID: runID, Workflow: "onboarding-feedback", Version: 7, Status: "running"}},
	}
	return w, nil
}

func theContact() ops.Contact {
	return ops.Contact{ID: contactID, Directory: "customers", ExtRef: "u_42", Email: "taro@example.com", Phone: "+81312345678", FirstName: "太郎", LastName: "山田", Language: "ja",
		EmbeddedData: object(`{"plan":"pro","seats":12,"beta":true,"company":{"name":"株式会社テスト"}}`), CreatedAt: contactID.Time(), UpdatedAt: at(2 * time.Second)}
}

func (f fakeContacts) List(_ context.Context, filter ops.ContactFilter, p ops.Paging) (ops.Page[ops.Contact], error) {
	f.contactFilters, f.paging = append(f.contactFilters, filter), append(f.paging, p)
	all := []ops.Contact{theContact()}
	for i := range 49 {
		all = append(all, ops.Contact{ID: idAt(time.Duration(i)*time.Hour, 9), Directory: "customers", ExtRef: fmt.Sprintf("u_%d", i), Email: fmt.Sprintf("person.%d@example.com", i), FirstName: "Aya", LastName: "Lindqvist", Language: "en", Unsubscribed: i%7 == 3, UpdatedAt: at(time.Duration(i) * time.Hour)})
	}
	return page(f.fake, all)
}

func (f fakeContacts) Get(_ context.Context, i id.ID) (ops.Contact, error) {
	if f.empty {
		return ops.Contact{ID: i}, f.err
	}
	return theContact(), f.err
}

func (f fakeContacts) Changes(_ context.Context, c id.ID, _ ops.Paging) (ops.Page[ops.Change], error) {
	return page(f.fake, []ops.Change{
		{Contact: c, Event: eventID, At: at(2 * time.Second), Cause: "event", Diff: object(`{"embedded_data.plan":["free","pro"]}`)},
		{Contact: c, At: at(48 * time.Hour), Cause: "edit", Diff: object(`{"phone":[null,"+81312345678"],"language":["en","ja"]}`)},
		{Contact: c, Event: eventID, At: at(90 * 24 * time.Hour), Cause: "event", Diff: object(`{"email":[null,"taro@example.com"],"first_name":[null,"太郎"],"last_name":[null,"山田"],"embedded_data.plan":[null,"free"]}`)},
	})
}

func (f fakeContacts) Transactions(context.Context, id.ID, ops.Paging) (ops.Page[ops.Transaction], error) {
	return page(f.fake, []ops.Transaction{
		{ID: idAt(time.Hour, 4), MailingList: "everyone", Date: at(50 * time.Hour), Data: object(`{"order":"O-77","total":1200,"currency":"JPY"}`), Event: eventID},
		{ID: idAt(time.Hour, 5), MailingList: "everyone", Date: at(400 * 24 * time.Hour), Data: object(`{"order":"O-12","total":980}`)},
	})
}

func theRun() ops.Run {
	end := at(30 * time.Minute)
	_ = end
	return ops.Run{
		ID: runID, Workflow: "onboarding-feedback", Version: 7, Event: eventID, Contact: contactID, Status: "running", StartedAt: runID.Time(), TemporalURL: "https://temporal.example.com/run",
		Generation: 1, Job: jobID, ReplayOf: idAt(3*time.Hour, 3), RepeatedBy: []ops.Repeat{{Run: idAt(time.Minute, 9), Job: jobID}},
		Fields: object(`{"user":"u_42","steps":5,"skipped":false,"plan":null,"total":null}`),
		FieldStates: decoded[flow.Fields](`[{"name":"user","type":"string","required":true,"state":"value","value":"u_42"},
			{"name":"steps","type":"number","state":"value","value":5},
			{"name":"skipped","type":"boolean","state":"default","value":false},
			{"name":"plan","type":"string","state":"missing"},
			{"name":"total","type":"number","state":"wrong_type","found":{"type":"string","text":"\"12,50\""}}]`),
		Steps: []ops.RunStep{
			{ID: "pause", Kind: "wait", Status: "done", Attempts: 1, StartedAt: ptr(at(2 * time.Hour)), EndedAt: ptr(at(time.Hour)), Output: object(`{"until":"2026-10-22T04:03:10Z"}`)},
			{ID: "subscribed", Kind: "branch", Status: "done", Attempts: 1, StartedAt: ptr(at(time.Hour)), EndedAt: ptr(at(time.Hour - time.Second))},
			{ID: "crm", Kind: "web_service", Status: "failed", Attempts: 4, StartedAt: ptr(at(time.Hour)), EndedAt: ptr(at(40 * time.Minute)), Input: object(`{"url":"https://crm.example.com/hook"}`), Error: "451 greylisted, gave up after 4 tries"},
			{ID: "ask", Kind: "distribute", Status: "waiting", Attempts: 2, StartedAt: ptr(at(40 * time.Minute)), Input: object(`{"survey":"onboarding","contact":{"ext_ref":"u_42"},"channel":"email"}`), Output: object(`{"distribution":"` + distributionID.String() + `"}`)},
			{ID: "thanks", Kind: "distribute", Status: "skipped", Attempts: 0},
		},
	}
}

func (f fakeRuns) List(_ context.Context, filter ops.RunFilter, _ ops.Paging) (ops.Page[ops.Run], error) {
	all := []ops.Run{theRun()}
	for i, s := range []string{"done", "failed", "not_started", "pending", "cancelled", "done", "done", "done"} {
		r := ops.Run{ID: idAt(time.Duration(i+3)*time.Hour, 3), Workflow: "onboarding-feedback", Version: 6, Event: eventID, Status: run.Status(s), StartedAt: at(time.Duration(i+3) * time.Hour)}
		if s == "failed" || s == "not_started" {
			r.Reason = "user: required field is missing"
		}
		if s == "done" {
			r.EndedAt = ptr(r.StartedAt.Add(73 * time.Minute))
		}
		all = append(all, r)
	}
	return page(f.fake, all)
}

func (f fakeRuns) Get(_ context.Context, i id.ID) (ops.Run, error) {
	if f.empty {
		return ops.Run{ID: i}, f.err
	}
	return theRun(), f.err
}

func theDistribution() ops.Distribution {
	return ops.Distribution{ID: distributionID, Workflow: "onboarding-feedback", Step: "ask", Survey: "onboarding", Channel: "email", Status: "standing", CreatedAt: at(time.Hour),
		Counts: map[string]int{"planned": 1200, "pending": 12, "sent": 1090, "opened": 610, "started": 240, "finished": 201, "skipped": 88, "failed": 22, "expired": 5}}
}

func (f fakeDistributions) List(context.Context, ops.DistributionFilter, ops.Paging) (ops.Page[ops.Distribution], error) {
	d := theDistribution()
	e := d
	e.ID, e.Status, e.Survey, e.Channel, e.EndedAt = idAt(30*time.Hour, 1), "done", "購入後アンケート", "sms", ptr(at(time.Hour))
	return page(f.fake, []ops.Distribution{d, e})
}

func (f fakeDistributions) Get(_ context.Context, i id.ID) (ops.Distribution, error) {
	if f.empty {
		return ops.Distribution{ID: i}, f.err
	}
	return theDistribution(), f.err
}

func (f fakeInvitations) List(context.Context, ops.InvitationFilter, ops.Paging) (ops.Page[ops.Invitation], error) {
	return page(f.fake, []ops.Invitation{
		{ID: idAt(time.Hour, 11), Distribution: distributionID, Run: runID, Contact: contactID, Status: "finished", SentAt: ptr(at(time.Hour)), OpenedAt: ptr(at(50 * time.Minute)), Response: object(`{"score":9,"comment":"とても良い"}`), Messages: []ops.Message{{Kind: "invitation", Status: "sent", SentAt: ptr(at(time.Hour))}, {Kind: "reminder-1", Status: "failed", Error: "550 no such user"}}},
		{ID: idAt(time.Hour, 12), Distribution: distributionID, Run: runID, Contact: contactID, Status: "skipped", Reason: "had 2 of 2 messages in 30 days, free on 3 Nov"},
		{ID: idAt(time.Hour, 13), Distribution: distributionID, Run: runID, Contact: contactID, Status: "skipped", Reason: "opted out"},
		{ID: idAt(time.Hour, 14), Distribution: distributionID, Run: runID, Contact: contactID, Status: "sent", SentAt: ptr(at(time.Hour))},
	})
}

func theMail() ops.Mail {
	return ops.Mail{ID: mailID, To: "taro@example.com", Subject: "How was the tour, 太郎?", SentAt: at(time.Hour), Text: "How was the tour?\nhttps://segue.example.com/l/abc",
		HTML:  `<html><body style="font-family:sans-serif;padding:24px"><h1 style="color:#1f5fae">How was the tour?</h1><p>Hello 太郎, two questions only.</p><p><a href="https://segue.example.com/l/abc">Answer</a></p><script>alert(1)</script></body></html>`,
		Links: []string{"https://segue.example.com/l/abc", "https://segue.example.com/u/abc"}, Headers: object(`{"From":"Segue <hello@example.com>","List-Unsubscribe":"<https://segue.example.com/u/abc>"}`)}
}

func (f fakeOutbox) List(context.Context, ops.Paging) (ops.Page[ops.Mail], error) {
	m := theMail()
	n := m
	n.ID, n.Subject = idAt(2*time.Hour, 2), "オンボーディングはいかがでしたか?"
	return page(f.fake, []ops.Mail{m, n})
}

func (f fakeOutbox) Get(_ context.Context, i id.ID) (ops.Mail, error) {
	if f.empty {
		return ops.Mail{ID: i}, f.err
	}
	return theMail(), f.err
}

func (f fakeFinder) Find(_ context.Context, text string) (string, error) {
	switch {
	case f.err != nil:
		return "", f.err
	case text == "elsewhere":
		return "//evil.example.com", nil
	case strings.Contains(text, "@"):
		return "/contacts/" + contactID.String(), nil
	case text == eventID.String():
		return "/events/" + text, nil
	}
	return "", fault.New(fault.NotFound, "nothing is called that")
}

func (f fakeSources) List(context.Context) (ops.SourceList, error) {
	if f.err != nil || f.empty {
		return ops.SourceList{}, f.err
	}
	return ops.SourceList{Sources: []ops.Source{{Name: "web", WriteKeys: []string{"key-1", "key-2"}}, {Name: "shop", WriteKeys: []string{"key-3"}}, {Name: "webhooks"}}}, nil
}

func (f fakeDestinations) List(context.Context) (ops.DestinationList, error) {
	if f.err != nil || f.empty {
		return ops.DestinationList{}, f.err
	}
	acme := ops.Destination{ID: destinationID, Name: "acme", Type: "qualtrics", Datacenter: "fra1", Status: "failed", Trouble: &ops.Trouble{Since: at(time.Hour), Reason: "the API token is unknown in this data center: check both"},
		Holds:   []ops.Hold{{Until: testNow.Add(4 * time.Minute), Reason: "the API token is unknown in this data center: check both"}},
		Waiting: map[string]int{"pending": 1204, "retrying": 62, "held": 3}, OldestAt: ptr(at(62 * time.Minute)), Mappings: []string{"acme-contacts", "acme-orders"}}
	if f.paused != nil {
		acme.Status, acme.Paused = "paused", f.paused
	}
	return ops.DestinationList{Destinations: []ops.Destination{
		{ID: idAt(time.Hour, 21), Name: "xm", Type: "directory", Directory: "customers", Status: "ok", Holds: []ops.Hold{}, Waiting: map[string]int{}, Mappings: []string{"tour-finished", "order-as-transaction", "keep-contacts-current"}},
		acme,
		{ID: idAt(time.Hour, 22), Name: "crm-eu", Type: "qualtrics", Datacenter: "syd1", Status: "held", Holds: []ops.Hold{{Action: "upsert_contact", Until: testNow.Add(40 * time.Second), Reason: "the account's limit is used up"}}, Waiting: map[string]int{"pending": 812}, OldestAt: ptr(at(3 * time.Minute)), Mappings: []string{"eu-contacts"}},
		{ID: idAt(time.Hour, 23), Name: "mail", Type: "qualtrics", Datacenter: "iad1", Status: "paused", Paused: &ops.Paused{At: at(26 * time.Hour), By: "console", Note: "引っ越し中、月曜まで"}, Holds: []ops.Hold{}, Waiting: map[string]int{"held": 7}, OldestAt: ptr(at(25 * time.Hour)), Mappings: []string{"jp-contacts"}},
		{ID: idAt(time.Hour, 24), Name: "later", Type: "qualtrics", Datacenter: "iad1", Status: "off", Holds: []ops.Hold{}, Waiting: map[string]int{}, Mappings: []string{}},
	}}, nil
}

func (f fakeDestinations) Get(ctx context.Context, nameOrID string) (ops.Destination, error) {
	if f.err != nil || f.empty {
		return ops.Destination{Name: nameOrID}, f.err
	}
	all, err := f.List(ctx)
	for _, d := range all.Destinations {
		if d.Name == nameOrID || d.ID.String() == nameOrID {
			return d, err
		}
	}
	return ops.Destination{}, fault.New(fault.NotFound, "there is no destination %q in the plan", nameOrID)
}

func (f fakeDestinations) TestConnection(context.Context, string, ops.ConnectionInput) (ops.Connection, error) {
	f.asked++
	return f.tested, f.remote
}

func (f fakeDestinations) RemoteDirectories(context.Context, string) (ops.RemoteDirectoryList, error) {
	f.asked++
	if f.remote != nil {
		return ops.RemoteDirectoryList{}, f.remote
	}
	return ops.RemoteDirectoryList{Directories: []ops.RemoteDirectory{{ID: "POOL_3fLxq09", Name: "Customers", Default: true}, {ID: "POOL_9aBcd12", Name: "社員"}}}, nil
}

func (f fakeDestinations) Pause(ctx context.Context, nameOrID string, in ops.PauseInput, by string) (ops.Destination, error) {
	f.paused = &ops.Paused{At: testNow, By: by, Note: in.Note}
	return f.Get(ctx, nameOrID)
}

func (f fakeDestinations) Resume(ctx context.Context, nameOrID string) (ops.Destination, error) {
	f.paused = nil
	return f.Get(ctx, nameOrID)
}
