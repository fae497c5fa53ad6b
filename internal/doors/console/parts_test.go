package console

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/ops"
)

func testView(t *testing.T, lang, zone string) *View {
	t.Helper()
	z, name := readZone(zone)
	return &View{Lang: lang, Now: testNow, zone: z, ZoneName: name, words: catalogues(t)[lang]}
}

func TestTime_ListAndDetail(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "Asia/Tokyo")
	x := time.Date(2026, 10, 22, 5, 3, 7, 412e6, time.UTC)
	require.Equal(t, Stamp{ISO: "2026-10-22T05:03:07.412Z", Text: "10-22 14:03:07", Title: "2026-10-22 05:03:07.412 UTC · 2 s ago"}, func() Stamp { v.Now = x.Add(2 * time.Second); return v.Time(x) }())
	require.Equal(t, "2026-10-22 14:03:07.412 JST", v.Moment(x).Text)
	require.Equal(t, "2024-01-01 09:00", v.Time(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).Text, "another year shows it")
	require.Equal(t, "JST", v.Zone())
	require.Equal(t, Stamp{}, v.Time(time.Time{}), "nothing happened yet")
	require.Equal(t, Stamp{}, v.MomentOf(nil))
	require.Equal(t, "UTC+0530", testView(t, "en", "Asia/Colombo").Zone(), "a zone without letters")
}

func TestDuration_TwoLargestUnits(t *testing.T) {
	t.Parallel()
	en, ja := testView(t, "en", ""), testView(t, "ja", "")
	for _, c := range []struct {
		d      time.Duration
		en, ja string
	}{
		{0, "0 ms", "0 ミリ秒"}, {41 * time.Millisecond, "41 ms", "41 ミリ秒"}, {80 * time.Second, "1 min 20 s", "1 分20 秒"}, {time.Hour, "1 h", "1 時間"},
		{73 * time.Minute, "1 h 13 min", "1 時間13 分"}, {50 * time.Hour, "2 d 2 h", "2 日2 時間"}, {400 * 24 * time.Hour, "400 d", "400 日"},
	} {
		require.Equal(t, c.en, en.Duration(c.d))
		require.Equal(t, c.ja, ja.Duration(c.d))
	}
	require.Equal(t, "in 1 min 20 s", en.Ago(testNow.Add(80*time.Second)))
	require.Equal(t, "3 分前", ja.Ago(testNow.Add(-3*time.Minute)))
}

func TestPersonName_OrderByLanguageAndScript(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, last, lang, want string }{
		{"太郎", "山田", "ja", "山田 太郎"}, {"太郎", "山田", "", "山田 太郎"}, {"Taro", "Yamada", "en", "Taro Yamada"}, {"Taro", "Yamada", "JA", "Yamada Taro"},
		{"민수", "김", "ko-KR", "김 민수"}, {"Aya", "", "en", "Aya"}, {"", "山田", "ja", "山田"}, {" ", "", "", ""}, {"太郎", "Smith", "en", "太郎 Smith"},
	} {
		require.Equal(t, c.want, personName(ops.Contact{FirstName: c.first, LastName: c.last, Language: c.lang}))
	}
}

func TestTree_PathsCanBePasted(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "")
	n := v.ObjectTree("$", object(`{"a":{"b c":[{"d.e":1}],"it's":null,"1x":true,"_ok":"x"}}`))
	var paths []string
	var walk func(Node)
	walk = func(n Node) {
		paths = append(paths, n.Path)
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(n)
	require.Equal(t, []string{"$", "$.a", "$.a['b c']", "$.a['b c'][0]", "$.a['b c'][0]['d.e']", `$.a['it\'s']`, "$.a['1x']", "$.a._ok"}, paths)
}

func TestTree_LargePayload_IsBounded(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "")
	list := make([]any, 5000)
	for i := range list {
		list[i] = float64(i)
	}
	o := jsonvalue.NewObject(1)
	o.Set("list", list)
	n := v.ObjectTree("$", o)
	require.LessOrEqual(t, len(n.Children[0].Children), maxNodes)
	require.NotEmpty(t, n.Children[0].Note, "what is left out is said")
	require.Equal(t, "5,000 items", n.Children[0].Count)
}

func TestChart_StacksWithinItsHeightAndKeepsSmallNumbersVisible(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "")
	minutes := []ops.Minute{{Start: testNow, Processed: 10000, Failed: 1}, {Start: testNow.Add(time.Minute), Waiting: 1}, {Start: testNow.Add(2 * time.Minute)}}
	c := v.chart(minutes)
	require.Equal(t, "12,000", c.Top)
	for _, b := range c.Bars {
		y := chartHeight
		for _, s := range b.Segments {
			require.GreaterOrEqual(t, s.H, minSegment)
			require.Equal(t, y-s.H, s.Y, "segments stand on each other")
			y = s.Y
		}
		require.GreaterOrEqual(t, y, 0)
	}
	require.Len(t, c.Bars[0].Segments, 2)
	require.Empty(t, c.Bars[2].Segments)
	require.Equal(t, "/events?since=2026-10-22T05%3A03%3A10Z&until=2026-10-22T05%3A04%3A10Z", c.Bars[0].Link)
	require.Len(t, c.Rows, 3)
}

func TestRoundUp_HoldsAndIsEven(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 9, 10, 11, 99, 100, 1310, 48120, 999999} {
		top := roundUp(n)
		require.GreaterOrEqual(t, top, n)
		require.Zero(t, top%2)
		require.LessOrEqual(t, top, max(2, n*2))
	}
}

func TestWhy_ReadsRealVerdictsAndTraces(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "")
	event := object(`{"type":"track","event":"Order Paid","userId":"u_42","properties":{"plan":"free"}}`)
	filter, err := fql.Compile(`type = "track" and properties.plan = "pro" and properties.total > 3`)
	require.NoError(t, err)
	lines := v.clauseLines(ptr(filter.Explain(event)))
	require.Len(t, lines, 3)
	require.Equal(t, []string{"true", "false", "unjudged"}, []string{lines[0].Mark.Code, lines[1].Mark.Code, lines[2].Mark.Code})
	require.Equal(t, `saw "free"`, lines[1].Saw)
	require.Equal(t, `properties.plan = "pro"`, lines[1].Text)
	require.Empty(t, lines[2].Saw)

	either, err := fql.Compile(`type = "page" or properties.none = "x"`)
	require.NoError(t, err)
	lines = v.clauseLines(ptr(either.Explain(event)))
	require.Len(t, lines, 1)
	require.Equal(t, "any of", lines[0].Join)
	require.Equal(t, "saw nothing there", lines[0].Children[1].Saw)

	m, err := mapping.Compile(object(`{"extRef":{"@path":"$.userId"},"kind":"fixed","email":{"@path":"$.traits.email"}}`))
	require.NoError(t, err)
	fields := v.fieldLines(m.Explain(event))
	require.Len(t, fields, 3)
	require.Equal(t, "$.userId", fields[0].From)
	require.Equal(t, `"u_42"`, fields[0].Text)
	require.Equal(t, "constant", fields[1].From)
	require.Equal(t, `"fixed"`, fields[1].Text)
	require.Equal(t, "missing", fields[2].Mark.Code)
}

func TestWhy_NoFilterAndNoMatch_ShowNoLines(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "")
	require.Empty(t, v.clauseLines(nil))
	require.Empty(t, v.fieldLines(nil))
}

func TestRunFields_SayHowTheyCameToTheirValues(t *testing.T) {
	t.Parallel()
	v := testView(t, "en", "")
	fields := v.runFields(ops.Run{FieldStates: flow.Fields{
		{Name: "a", Type: "number", State: flow.WrongType, Found: &flow.Found{Type: "string", Text: "x"}},
		{Name: "b", Type: "string", State: flow.Value, Value: "y", Required: true},
		{Name: "c", Type: "boolean", State: flow.Missing},
	}})
	require.Len(t, fields, 3)
	require.Equal(t, "wrong_type", fields[0].Mark.Code)
	require.Contains(t, fields[0].Note, "x")
	require.Equal(t, `"y"`, fields[1].Text)
	require.True(t, fields[1].Required)
	require.Empty(t, fields[2].Text)
	require.Empty(t, v.runFields(ops.Run{}))
}

// What the server marks for the scripts and what the scripts look for agree.
func TestScripts_AttributesTheyUse_AreOnThePages(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	all := ""
	for _, path := range pages() {
		all += b.get(path).body
	}
	b.header.Set("X-Part", "newer")
	b.header.Set("X-Since", idAt(17*time.Second, 1).String())
	all += b.get("/events").body
	files, err := filepath.Glob("assets/*.js")
	require.NoError(t, err)
	selector := regexp.MustCompile(`\[(data-[a-z-]+)`)
	for _, file := range files {
		js, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range selector.FindAllStringSubmatch(string(js), -1) {
			require.Contains(t, all, m[1], "%s looks for %s", file, m[1])
		}
	}
	for _, m := range regexp.MustCompile(`data-into="([a-z]+)"`).FindAllStringSubmatch(all, -1) {
		require.Contains(t, all, fmt.Sprintf(`id="part-%s"`, m[1]), "data-into=%q has no part", m[1])
	}
}
