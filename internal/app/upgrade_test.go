package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// TestUpgrade_FromEveryRelease_EverythingFinishesOnce opens the databases that
// releases left in the middle of their work: whatever was under way, due, held or
// only stored ends as it would have, once, and the links that were mailed work.
func TestUpgrade_FromEveryRelease_EverythingFinishesOnce(t *testing.T) {
	t.Parallel()
	fixtures, err := filepath.Glob(filepath.Join("testdata", "upgrade", "v*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, fixtures)
	for _, file := range fixtures {
		release, kind := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(release+"/"+kind, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			u := &upgraded{}
			require.NoError(t, json.Unmarshal(text, &u.fixture))
			if time.Now().Before(u.Due) {
				t.Skipf("it was made just now: its timers run until %s", u.Due)
			}
			dir := t.TempDir()
			unpack(t, strings.TrimSuffix(file, ".json")+".tar.gz", dir)
			data := filepath.Join(dir, "data")
			u.database = "sqlite://" + filepath.Join(data, "segue.db")
			if kind == "postgres" {
				u.database = restored(t, filepath.Join(dir, "segue.sql"))
			}
			u.there = standin.New(standin.Options{Token: "TOKEN-1", Dedupe: true})
			account := httptest.NewServer(u.there)
			t.Cleanup(account.Close)
			u.running = startDev(t, func(o *Options) { o.DataDir, o.DatabaseURL, o.QualtricsURL = data, u.database, account.URL })
			u.running.WriteKey = u.fixture.WriteKey
			u.release()
			u.mailsArrive()
			for _, p := range u.People {
				if p.Visit != "" {
					follow(t, u.HTTP, p, p.Visit)
				}
			}
			u.holds()
			u.sendAllAgain()
			u.holds()
		})
	}
}

// restored is a new database with what a dump has.
func restored(t *testing.T, dump string) string {
	t.Helper()
	database := pgtest.URL(t)
	text, err := os.ReadFile(dump)
	require.NoError(t, err)
	c, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer c.Close(t.Context())
	_, err = c.PgConn().Exec(t.Context(), string(text)).ReadAll()
	require.NoError(t, err)
	return database
}

// upgraded is today's program on the databases of a release.
type upgraded struct {
	fixture
	*running
	there    *standin.Account
	database string
}

// release lets everything go that was held: what was paused is resumed, and what
// was off is switched on by the exported plan.
func (u *upgraded) release() {
	u.t.Helper()
	for _, name := range u.Paused {
		u.ask("POST", "destinations/"+name+"/resume", "")
	}
	plan := u.read("plan")
	require.Contains(u.t, plan, "enabled: false")
	u.ask("POST", "plan/apply", fmt.Sprintf(`{"file":"plan.yaml","plan":%q}`, strings.ReplaceAll(plan, "enabled: false", "enabled: true")))
}

// read reads what the API answers as it is.
func (u *upgraded) read(path string) string {
	u.t.Helper()
	req, err := http.NewRequest(http.MethodGet, u.HTTP+"/api/"+path, nil)
	require.NoError(u.t, err)
	req.Header.Set("Authorization", "Bearer "+u.AdminToken)
	return answer(u.t, req)
}

// mails are the subjects that each person got.
func (u *upgraded) mails() map[string][]string {
	mails := map[string][]string{}
	for _, m := range u.list("outbox?limit=500", "mails", some) {
		to, _, _ := strings.Cut(m["to"].(string), "@")
		mails[to] = append(mails[to], m["subject"].(string))
	}
	for _, subjects := range mails {
		slices.Sort(subjects)
	}
	return mails
}

func (u *upgraded) wantedMails() map[string][]string {
	mails := map[string][]string{}
	for _, p := range u.People {
		if len(p.Mails) > 0 {
			mails[p.User] = slices.Sorted(slices.Values(p.Mails))
		}
	}
	return mails
}

// mailsArrive waits for all mails: reminders, what a run asks after its wait, and
// what was held.
func (u *upgraded) mailsArrive() {
	u.t.Helper()
	wanted := u.wantedMails()
	u.eventually(func() bool { return reflect.DeepEqual(wanted, u.mails()) }, func() string { return fmt.Sprint(u.mails(), ", not ", wanted) })
}

// holds waits until nothing is left to do, and checks that everything was done once.
func (u *upgraded) holds() {
	u.t.Helper()
	openTruth(u.t, u.database).settled(2 * time.Minute)
	u.eventually(func() bool { return len(u.there.Distributions()) > 0 }, func() string { return "the account sends nothing" })
	require.Equal(u.t, u.wantedMails(), u.mails())

	have := map[string]int{}
	for name, key := range map[string]string{"contacts": "contacts", "runs": "runs", "invitations": "invitations", "outbox": "mails"} {
		have[name] = len(u.list(name+"?limit=500", key, some))
	}
	for _, c := range u.list("contacts?limit=500", "contacts", some) {
		var page object
		u.get("contacts/"+c["id"].(string)+"/transactions", &page)
		have["transactions"] += len(page["transactions"].([]any))
	}
	for _, d := range u.list("distributions?limit=500", "distributions", func(all []object) bool {
		return !slices.ContainsFunc(all, func(d object) bool { return d["status"] != "standing" })
	}) {
		have["distributions"] += int(d["counts"].(map[string]any)["planned"].(float64))
	}
	require.Equal(u.t, u.Counts, have, "the distributions of single runs are in those of their steps")
	require.Equal(u.t, map[string]int{"contacts": len(u.there.Contacts()), "distributions": len(u.there.Distributions())}, u.Account)

	ids := map[any]bool{}
	for _, r := range u.list("runs?limit=500", "runs", some) {
		require.Equal(u.t, "done", r["status"], "%v", r)
		ids[r["id"]] = true
	}
	for id, workflow := range u.Runs {
		require.True(u.t, ids[id], "a run of %s is gone", workflow)
	}
	for _, e := range u.Events {
		events := u.list("events?message_id="+e.ID, "events", having("status", "processed"))
		require.Len(u.t, events, 1)
		require.Contains(u.t, u.read("events/"+events[0]["id"].(string)+"/why"), e.ID)
	}
	for _, p := range u.People {
		u.cameOut(p)
	}
	for _, path := range []string{"overview", "sources", "destinations", "workflows"} {
		u.read(path)
	}
}

// cameOut checks what is known of somebody in the end.
func (u *upgraded) cameOut(p guest) {
	u.t.Helper()
	contact := u.list("contacts?directory=customers&ext_ref="+p.User, "contacts", some)[0]
	require.Equal(u.t, p.User+"@example.com", contact["email"])
	require.Equal(u.t, p.Unsubscribed, contact["unsubscribed"], p.User)
	if p.Outcome != "" {
		require.Equal(u.t, p.Outcome, contact["embedded_data"].(map[string]any)["outcome"], p.User)
	}
	invitations := u.list("invitations?contact="+contact["id"].(string), "invitations", some)
	require.Equal(u.t, p.Answered, invitations[0]["status"] == "finished", "%s: %v", p.User, invitations[0])
	for _, link := range []string{p.Link, p.OptOut} {
		if link != "" {
			look(u.t, u.HTTP+link)
		}
	}
}

// sendAllAgain sends every event as a client does that has heard no answer.
func (u *upgraded) sendAllAgain() {
	u.t.Helper()
	for _, e := range u.Events {
		u.post(e.Path, string(e.Body))
	}
}

// follow does with a mailed link what somebody does who got it.
func follow(t *testing.T, base string, p guest, visit string) {
	t.Helper()
	switch visit {
	case visitAnswer:
		survey := open(t, base, p)
		page := send(t, survey, url.Values{"rating": {"5"}, "comment": {"fine, says " + p.User}})
		require.Contains(t, page, "Your answer has been sent")
	case visitOptOut:
		require.Contains(t, look(t, base+p.OptOut), `method="post"`, "it asks first")
		require.Contains(t, send(t, base+p.OptOut, nil), "You are unsubscribed")
	default:
		t.Fatal(visit)
	}
}

// open follows somebody's link and returns where the survey is.
func open(t *testing.T, base string, p guest) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(base + p.Link)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusFound, res.StatusCode, p.Link)
	to, err := res.Location()
	require.NoError(t, err)
	require.Contains(t, look(t, base+to.Path), "How was the tour?")
	return base + to.Path
}

// look reads a page.
func look(t *testing.T, page string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, page, nil)
	require.NoError(t, err)
	return answer(t, req)
}

func send(t *testing.T, to string, form url.Values) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return answer(t, req)
}

// answer is what is answered to a request that must be well.
func answer(t *testing.T, req *http.Request) string {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s: %s", req.URL, text)
	return string(text)
}
