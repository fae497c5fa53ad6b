package console

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/doors/api"
)

// now is the time of every test and of the preview's data.
var testNow = time.Date(2026, 10, 22, 5, 3, 10, 0, time.UTC)

// fake is an installation with something of everything, or with nothing.
type fake struct {
	empty bool
	err   error
	// seen are the filters that were asked for, newest last.
	eventFilters   []api.EventFilter
	contactFilters []api.ContactFilter
	paging         []api.Paging
	paused         *api.Paused // what Pause left
	remote         error       // what a remote account's answers fail with
	tested         api.Connection
	asked          int // how often a remote account was asked
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

func page[T any](f *fake, items []T) (api.Page[T], error) {
	if f.err != nil || f.empty {
		return api.Page[T]{}, f.err
	}
	return api.Page[T]{Items: items, Next: "older"}, nil
}

func (f *fake) Overview(context.Context) (api.Overview, error) {
	if f.err != nil {
		return api.Overview{}, f.err
	}
	o := api.Overview{Now: testNow, Totals: map[string]int{}}
	for i := range 60 {
		m := api.Minute{Start: testNow.Truncate(time.Minute).Add(time.Duration(i-59) * time.Minute)}
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
	o.Failures = []api.Cause{
		{Mapping: "acme-contacts", Reason: "token refused (401)", Count: 14, Last: at(2 * time.Minute), Example: eventID},
		{Mapping: "order-as-transaction", Reason: `date: "13/45/2026" is not a date`, Count: 4, Last: at(time.Hour), Example: eventID},
	}
	o.Parts = []api.Part{
		{Name: "database", Status: "ok", Detail: "SQLite, 3 ms"}, {Name: "temporal", Status: "ok", Detail: "12 ms"},
		{Name: "workers", Status: "ok", Detail: "2 polling"}, {Name: "mail", Status: "held", Detail: "paused by console: 引っ越し中、月曜まで", Destination: idAt(time.Hour, 23), Since: ptr(at(26 * time.Hour))}, {Name: "crm-eu", Status: "held", Detail: "the account's limit is used up", Destination: idAt(time.Hour, 22), Until: ptr(testNow.Add(40 * time.Second))}, {Name: "mail", Status: "ok", Detail: "outbox"},
	}
	o.FirstRun = api.FirstRun{Source: true, Event: true, Mapping: true}
	return o, nil
}

func (f *fake) Events(_ context.Context, filter api.EventFilter, p api.Paging) (api.Page[api.Event], error) {
	f.eventFilters, f.paging = append(f.eventFilters, filter), append(f.paging, p)
	var all []api.Event
	for i := range 50 {
		e := api.Event{ID: idAt(time.Duration(i*7)*time.Second+3*time.Second, 1), Source: "web", MessageID: fmt.Sprintf("ajs-next-%08d", i), Revision: 128, AcceptedAt: at(time.Duration(i*7)*time.Second + 3*time.Second), UserID: "u_42"}
		e.Key = e.ID.String()
		switch i % 6 {
		case 0:
			e.Type, e.Event, e.Status = "track", "Onboarding Tour Completed", api.EventProcessed
			e.Deliveries = []api.Delivery{{Mapping: "tour-finished", Status: "done"}}
		case 1:
			e.Type, e.Status = "identify", api.EventProcessed
			e.Deliveries = []api.Delivery{{Mapping: "keep-contacts-current", Status: "done"}, {Mapping: "acme-contacts", Status: "done"}}
		case 2:
			e.Type, e.Event, e.Status = "track", "Cart Viewed", api.EventProcessed
		case 3:
			e.Type, e.Event, e.Status = "track", "Order Paid", api.EventFailed
			e.Deliveries = []api.Delivery{{Mapping: "order-as-transaction", Status: "rejected", Reason: `amount is text "12,50"`}, {Mapping: "keep-contacts-current", Status: "done"}}
		case 4:
			e.Type, e.Event, e.Status, e.Source = "page", "料金プラン", api.EventRetrying, "shop"
			e.Deliveries = []api.Delivery{{Mapping: "acme-contacts", Status: "retrying", Reason: "503 from fra1"}}
		case 5:
			e.Type, e.Event, e.Status, e.Reason = "track", "", api.EventInvalid, "no userId and no anonymousId"
		}
		all = append(all, e)
	}
	return page(f, all)
}

func verdict(text string) any { return object(text) }

func (f *fake) Why(_ context.Context, i id.ID) (api.Why, error) {
	if f.err != nil {
		return api.Why{}, f.err
	}
	if f.empty {
		return api.Why{Event: api.Event{ID: i, Key: i.String()}}, nil
	}
	raw := `{"type":"track","event":"Onboarding Tour Completed","userId":"u_42","messageId":"ajs-next-0001","timestamp":"2026-10-22T05:03:07.412Z","properties":{"steps_completed":5,"skipped":false,"plan":"free","plan name":"無料プラン","when":"13/45/2026","items":[{"sku":"A-1","qty":2},{"sku":"B-7","qty":1}],"note":null},"context":{"ip":"203.0.113.7","library":{"name":"analytics.js","version":"next-1.84.3"},"locale":"ja-JP","page":{"path":"/tour","title":"<b>Tour & more</b>","url":"https://app.example.com/tour"},"traits":{"email":"taro@example.com"}},"integrations":{}}`
	done := api.Delivery{Mapping: "tour-finished", Destination: "xm", Action: "start_workflow", Status: "done", Attempts: 1, Contact: contactID, UpdatedAt: at(2 * time.Second),
		Payload: object(`{"workflow":"onboarding-feedback","eventPayload":{"type":"track","event":"Onboarding Tour Completed","userId":"u_42","properties":{"steps_completed":5}}}`), Result: object(`{"run":"` + runID.String() + `"}`)}
	rejected := api.Delivery{Mapping: "order-as-transaction", Destination: "xm", Action: "upsert_transaction", Status: "rejected", Reason: `date: "13/45/2026" is not a date`, Attempts: 1, UpdatedAt: at(2 * time.Second),
		Payload: object(`{"date":"13/45/2026","amount":"12,50"}`)}
	retrying := api.Delivery{Mapping: "acme-contacts", Destination: "acme", Action: "upsert_contact", Status: "retrying", Reason: "503 from fra1.qualtrics.com", Attempts: 3, UpdatedAt: at(20 * time.Second), NextAttempt: ptr(testNow.Add(80 * time.Second)), Payload: object(`{"extRef":"u_42","email":"taro@example.com"}`),
		Hold: &api.Hold{Action: "upsert_contact", Until: testNow.Add(80 * time.Second), Reason: "the account's limit is used up"}, Result: object(`{"contact":"CID_9","requests":["8a1f-77","8a1f-93"]}`)}
	w := api.Why{
		Event: api.Event{ID: i, Key: i.String(), Source: "web", MessageID: "ajs-next-0001", Type: "track", Event: "Onboarding Tour Completed", UserID: "u_42", Status: api.EventRetrying, AcceptedAt: i.Time(), Revision: 128, Deliveries: []api.Delivery{done, rejected, retrying}},
		Body:  object(raw), Raw: raw, TemporalURL: "/namespaces/default/workflows?query=SegueEvents",
		Mappings: []api.MappingWhy{
			{Mapping: "tour-finished", Destination: "xm", Action: "start_workflow", Matched: true, Filter: `type = "track" and event = "Onboarding Tour Completed"`, Delivery: &done,
				Clauses: verdict(`{"outcome":"true","join":"and","text":"…","children":[{"outcome":"true","text":"type = \"track\"","path":"type","seen":"\"track\""},{"outcome":"true","text":"event = \"Onboarding Tour Completed\"","path":"event","seen":"\"Onboarding Tour Completed\""}]}`),
				Fields:  []any{object(`{"field":"workflow","raw":null,"result":"onboarding-feedback"}`), object(`{"field":"user","directive":"@path","path":"$.userId","raw":"u_42","result":"u_42"}`), object(`{"field":"plan","directive":"@liquid","path":"$.properties.plan","raw":"free","result":"FREE"}`), object(`{"field":"email","directive":"@path","path":"$.traits.email","raw":null,"result":null,"missing":true}`), object(`{"field":"when","directive":"@path","path":"$.properties.when","raw":"13/45/2026","result":null,"error":"not a date"}`)}},
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
		Changes: []api.Change{{Contact: contactID, Event: i, At: at(2 * time.Second), Cause: "event", Diff: object(`{"embedded_data.plan":["free","pro"],"embedded_data.city":[null,"京都"],"embedded_data.beta":[true,null]}`)}},
		Runs:    []api.Run{{ID: runID, Workflow: "onboarding-feedback", Version: 7, Status: "running"}},
	}
	return w, nil
}

func theContact() api.Contact {
	return api.Contact{ID: contactID, Directory: "customers", ExtRef: "u_42", Email: "taro@example.com", Phone: "+81312345678", FirstName: "太郎", LastName: "山田", Language: "ja",
		EmbeddedData: object(`{"plan":"pro","seats":12,"beta":true,"company":{"name":"株式会社テスト"}}`), CreatedAt: contactID.Time(), UpdatedAt: at(2 * time.Second)}
}

func (f *fake) Contacts(_ context.Context, filter api.ContactFilter, p api.Paging) (api.Page[api.Contact], error) {
	f.contactFilters, f.paging = append(f.contactFilters, filter), append(f.paging, p)
	all := []api.Contact{theContact()}
	for i := range 49 {
		all = append(all, api.Contact{ID: idAt(time.Duration(i)*time.Hour, 9), Directory: "customers", ExtRef: fmt.Sprintf("u_%d", i), Email: fmt.Sprintf("person.%d@example.com", i), FirstName: "Aya", LastName: "Lindqvist", Language: "en", Unsubscribed: i%7 == 3, UpdatedAt: at(time.Duration(i) * time.Hour)})
	}
	return page(f, all)
}

func (f *fake) Contact(_ context.Context, i id.ID) (api.Contact, error) {
	if f.empty {
		return api.Contact{ID: i}, f.err
	}
	return theContact(), f.err
}

func (f *fake) Changes(_ context.Context, c id.ID, _ api.Paging) (api.Page[api.Change], error) {
	return page(f, []api.Change{
		{Contact: c, Event: eventID, At: at(2 * time.Second), Cause: "event", Diff: object(`{"embedded_data.plan":["free","pro"]}`)},
		{Contact: c, At: at(48 * time.Hour), Cause: "edit", Diff: object(`{"phone":[null,"+81312345678"],"language":["en","ja"]}`)},
		{Contact: c, Event: eventID, At: at(90 * 24 * time.Hour), Cause: "event", Diff: object(`{"email":[null,"taro@example.com"],"first_name":[null,"太郎"],"last_name":[null,"山田"],"embedded_data.plan":[null,"free"]}`)},
	})
}

func (f *fake) Transactions(context.Context, id.ID, api.Paging) (api.Page[api.Transaction], error) {
	return page(f, []api.Transaction{
		{ID: idAt(time.Hour, 4), MailingList: "everyone", Date: at(50 * time.Hour), Data: object(`{"order":"O-77","total":1200,"currency":"JPY"}`), Event: eventID},
		{ID: idAt(time.Hour, 5), MailingList: "everyone", Date: at(400 * 24 * time.Hour), Data: object(`{"order":"O-12","total":980}`)},
	})
}

func theRun() api.Run {
	end := at(30 * time.Minute)
	_ = end
	return api.Run{
		ID: runID, Workflow: "onboarding-feedback", Version: 7, Event: eventID, Contact: contactID, Status: "running", StartedAt: runID.Time(), TemporalURL: "https://temporal.example.com/run",
		Fields: object(`{"user":"u_42","steps":5,"skipped":false,"plan":null,"total":null}`),
		FieldStates: []any{object(`{"name":"user","type":"string","required":true,"state":"value"}`), object(`{"name":"steps","type":"number","state":"value"}`), object(`{"name":"skipped","type":"boolean","state":"default"}`), object(`{"name":"plan","type":"string","state":"missing"}`),
			object(`{"name":"total","type":"number","state":"wrong_type","found":{"type":"string","text":"\"12,50\""}}`)},
		Steps: []api.RunStep{
			{ID: "pause", Kind: "wait", Status: "done", Attempts: 1, StartedAt: ptr(at(2 * time.Hour)), EndedAt: ptr(at(time.Hour)), Output: object(`{"until":"2026-10-22T04:03:10Z"}`)},
			{ID: "subscribed", Kind: "branch", Status: "done", Attempts: 1, StartedAt: ptr(at(time.Hour)), EndedAt: ptr(at(time.Hour - time.Second))},
			{ID: "crm", Kind: "web_service", Status: "failed", Attempts: 4, StartedAt: ptr(at(time.Hour)), EndedAt: ptr(at(40 * time.Minute)), Input: object(`{"url":"https://crm.example.com/hook"}`), Error: "451 greylisted, gave up after 4 tries"},
			{ID: "ask", Kind: "distribute", Status: "waiting", Attempts: 2, StartedAt: ptr(at(40 * time.Minute)), Input: object(`{"survey":"onboarding","contact":{"ext_ref":"u_42"},"channel":"email"}`), Output: object(`{"distribution":"` + distributionID.String() + `"}`)},
			{ID: "thanks", Kind: "distribute", Status: "skipped", Attempts: 0},
		},
	}
}

func (f *fake) Runs(_ context.Context, filter api.RunFilter, _ api.Paging) (api.Page[api.Run], error) {
	all := []api.Run{theRun()}
	for i, s := range []string{"done", "failed", "not_started", "pending", "cancelled", "done", "done", "done"} {
		r := api.Run{ID: idAt(time.Duration(i+3)*time.Hour, 3), Workflow: "onboarding-feedback", Version: 6, Event: eventID, Status: s, StartedAt: at(time.Duration(i+3) * time.Hour)}
		if s == "failed" || s == "not_started" {
			r.Reason = "user: required field is missing"
		}
		if s == "done" {
			r.EndedAt = ptr(r.StartedAt.Add(73 * time.Minute))
		}
		all = append(all, r)
	}
	return page(f, all)
}

func (f *fake) Run(_ context.Context, i id.ID) (api.Run, error) {
	if f.empty {
		return api.Run{ID: i}, f.err
	}
	return theRun(), f.err
}

func theDistribution() api.Distribution {
	return api.Distribution{ID: distributionID, Run: runID, Step: "ask", Survey: "onboarding", Channel: "email", Status: "waiting", CreatedAt: at(time.Hour),
		Counts: map[string]int{"planned": 1200, "sent": 1090, "opened": 610, "started": 240, "finished": 201, "skipped": 88, "failed": 22, "expired": 5}}
}

func (f *fake) Distributions(context.Context, string, api.Paging) (api.Page[api.Distribution], error) {
	d := theDistribution()
	e := d
	e.ID, e.Status, e.Survey, e.Channel, e.EndedAt = idAt(30*time.Hour, 1), "done", "購入後アンケート", "sms", ptr(at(time.Hour))
	return page(f, []api.Distribution{d, e})
}

func (f *fake) Distribution(_ context.Context, i id.ID) (api.Distribution, error) {
	if f.empty {
		return api.Distribution{ID: i}, f.err
	}
	return theDistribution(), f.err
}

func (f *fake) Invitations(context.Context, api.InvitationFilter, api.Paging) (api.Page[api.Invitation], error) {
	return page(f, []api.Invitation{
		{ID: idAt(time.Hour, 11), Distribution: distributionID, Run: runID, Contact: contactID, Status: "finished", SentAt: ptr(at(time.Hour)), OpenedAt: ptr(at(50 * time.Minute)), Response: object(`{"score":9,"comment":"とても良い"}`), Messages: []api.Message{{Kind: "invitation", Status: "sent", SentAt: ptr(at(time.Hour))}, {Kind: "reminder-1", Status: "failed", Error: "550 no such user"}}},
		{ID: idAt(time.Hour, 12), Distribution: distributionID, Run: runID, Contact: contactID, Status: "skipped", Reason: "had 2 of 2 messages in 30 days, free on 3 Nov"},
		{ID: idAt(time.Hour, 13), Distribution: distributionID, Run: runID, Contact: contactID, Status: "skipped", Reason: "opted out"},
		{ID: idAt(time.Hour, 14), Distribution: distributionID, Run: runID, Contact: contactID, Status: "sent", SentAt: ptr(at(time.Hour))},
	})
}

func theMail() api.Mail {
	return api.Mail{ID: mailID, To: "taro@example.com", Subject: "How was the tour, 太郎?", SentAt: at(time.Hour), Text: "How was the tour?\nhttps://segue.example.com/l/abc",
		HTML:  `<html><body style="font-family:sans-serif;padding:24px"><h1 style="color:#1f5fae">How was the tour?</h1><p>Hello 太郎, two questions only.</p><p><a href="https://segue.example.com/l/abc">Answer</a></p><script>alert(1)</script></body></html>`,
		Links: []string{"https://segue.example.com/l/abc", "https://segue.example.com/u/abc"}, Headers: map[string]any{"From": "Segue <hello@example.com>", "List-Unsubscribe": []string{"<https://segue.example.com/u/abc>"}}}
}

func (f *fake) Outbox(context.Context, api.Paging) (api.Page[api.Mail], error) {
	m := theMail()
	n := m
	n.ID, n.Subject = idAt(2*time.Hour, 2), "オンボーディングはいかがでしたか?"
	return page(f, []api.Mail{m, n})
}

func (f *fake) Mail(_ context.Context, i id.ID) (api.Mail, error) {
	if f.empty {
		return api.Mail{ID: i}, f.err
	}
	return theMail(), f.err
}

func (f *fake) Find(_ context.Context, text string) (string, error) {
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

func (f *fake) Sources(context.Context) (api.SourceList, error) {
	if f.err != nil || f.empty {
		return api.SourceList{}, f.err
	}
	return api.SourceList{Sources: []api.Source{{Name: "web", WriteKeys: []string{"key-1", "key-2"}}, {Name: "shop", WriteKeys: []string{"key-3"}}, {Name: "webhooks"}}}, nil
}

func (f *fake) Destinations(context.Context) (api.DestinationList, error) {
	if f.err != nil || f.empty {
		return api.DestinationList{}, f.err
	}
	acme := api.Destination{ID: destinationID, Name: "acme", Type: "qualtrics", Datacenter: "fra1", Status: "failed", Trouble: &api.Trouble{Since: at(time.Hour), Reason: "the API token is unknown in this data center: check both"},
		Holds:   []api.Hold{{Until: testNow.Add(4 * time.Minute), Reason: "the API token is unknown in this data center: check both"}},
		Waiting: map[string]int{"pending": 1204, "retrying": 62, "held": 3}, OldestAt: ptr(at(62 * time.Minute)), Mappings: []string{"acme-contacts", "acme-orders"}}
	if f.paused != nil {
		acme.Status, acme.Paused = "paused", f.paused
	}
	return api.DestinationList{Destinations: []api.Destination{
		{ID: idAt(time.Hour, 21), Name: "xm", Type: "directory", Directory: "customers", Status: "ok", Holds: []api.Hold{}, Waiting: map[string]int{}, Mappings: []string{"tour-finished", "order-as-transaction", "keep-contacts-current"}},
		acme,
		{ID: idAt(time.Hour, 22), Name: "crm-eu", Type: "qualtrics", Datacenter: "syd1", Status: "held", Holds: []api.Hold{{Action: "upsert_contact", Until: testNow.Add(40 * time.Second), Reason: "the account's limit is used up"}}, Waiting: map[string]int{"pending": 812}, OldestAt: ptr(at(3 * time.Minute)), Mappings: []string{"eu-contacts"}},
		{ID: idAt(time.Hour, 23), Name: "mail", Type: "qualtrics", Datacenter: "iad1", Status: "paused", Paused: &api.Paused{At: at(26 * time.Hour), By: "console", Note: "引っ越し中、月曜まで"}, Holds: []api.Hold{}, Waiting: map[string]int{"held": 7}, OldestAt: ptr(at(25 * time.Hour)), Mappings: []string{"jp-contacts"}},
		{ID: idAt(time.Hour, 24), Name: "later", Type: "qualtrics", Datacenter: "iad1", Status: "off", Holds: []api.Hold{}, Waiting: map[string]int{}, Mappings: []string{}},
	}}, nil
}

func (f *fake) Destination(ctx context.Context, nameOrID string) (api.Destination, error) {
	if f.err != nil || f.empty {
		return api.Destination{Name: nameOrID}, f.err
	}
	all, err := f.Destinations(ctx)
	for _, d := range all.Destinations {
		if d.Name == nameOrID || d.ID.String() == nameOrID {
			return d, err
		}
	}
	return api.Destination{}, fault.New(fault.NotFound, "there is no destination %q in the plan", nameOrID)
}

func (f *fake) TestConnection(context.Context, string, api.ConnectionInput) (api.Connection, error) {
	f.asked++
	return f.tested, f.remote
}

func (f *fake) RemoteDirectories(context.Context, string) (api.RemoteDirectoryList, error) {
	f.asked++
	if f.remote != nil {
		return api.RemoteDirectoryList{}, f.remote
	}
	return api.RemoteDirectoryList{Directories: []api.RemoteDirectory{{ID: "POOL_3fLxq09", Name: "Customers", Default: true}, {ID: "POOL_9aBcd12", Name: "社員"}}}, nil
}

func (f *fake) Pause(ctx context.Context, nameOrID string, in api.PauseInput, by string) (api.Destination, error) {
	f.paused = &api.Paused{At: testNow, By: by, Note: in.Note}
	return f.Destination(ctx, nameOrID)
}

func (f *fake) Resume(ctx context.Context, nameOrID string) (api.Destination, error) {
	f.paused = nil
	return f.Destination(ctx, nameOrID)
}
