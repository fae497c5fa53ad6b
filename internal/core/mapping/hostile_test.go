package mapping

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// repeated is n copies of a text with commas between.
func repeated(text string, n int) string { return strings.Repeat(text+",", n-1) + text }

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// chain is @transform within @transform: each doubles what the one before made.
func chain(n int) string {
	inner := `{"a":{"@path":"$.a"}}`
	for range n {
		inner = `{"@transform":{"apply":{"a":[{"@path":"$.a"},{"@path":"$.a"}]},"mapping":` + inner + `}}`
	}
	return inner
}

// encoded is @json within @json: each escapes what the one before escaped.
func encoded(n int) string {
	inner := `{"@path":""}`
	for range n {
		inner = `{"@json":{"mode":"encode","value":` + inner + `}}`
	}
	return inner
}

// What these mappings would do to one event grows out of all proportion to both.
func TestApply_HostileMapping_FailsAndSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60_000)
	numbers := repeated("1", 30_000)
	event := `{"long":"` + long + `","open":"` + strings.Repeat("{", 50_000) + `","list":[` + numbers + `],"quotes":"` + strings.Repeat(`\"`, 30_000) +
		`","people":[` + repeated(`{"name":"n"}`, 4000) + `],"html":"` + strings.Repeat("<script>", 7000) + `"}`
	for name, c := range map[string]struct{ mapping, path, reason string }{
		"a long text many times": {`{"@template":` + quoted(strings.Repeat("{{long}}", 1000)) + `}`, "/v/@template", tooLarge},
		"many templates of it":   {`[` + repeated(`{"@template":"{{long}}{{long}}{{long}}"}`, 1000) + `]`, "/v/", tooMuch},
		"many of its length":     {`[` + repeated(`{"@path":"$.long.length"}`, 9_000) + `]`, "/v", tooMuch},
		"many of its letters":    {`[` + repeated(`{"@path":"$.long.59999"}`, 9_000) + `]`, "/v", tooMuch},
		"replace that grows":     {`{"@replace":{"value":{"@path":"$.long"},"pattern":"a","replacement":"aaaaaaaaaa","pattern2":"a","replacement2":"aaaaaaaaaa"}}`, "/v/@replace", tooLarge},
		"replace that repeats":   {"{\"@replace\":{\"value\":{\"@path\":\"$.long\"},\"pattern\":\"a\",\"replacement\":\"$`\"}}", "/v/@replace", tooLarge},
		"large shape, each item": {`{"@arrayPath":["$.list",{` + func() string {
			var fields []string
			for i := range 1000 {
				fields = append(fields, fmt.Sprintf(`"f%d":{"@path":"$.x"}`, i))
			}
			return strings.Join(fields, ",")
		}() + `}]}`, "/v/@arrayPath", tooMuch},
		"lists in lists":                {`{"@arrayPath":["$.people",{"@transform":{"apply":{"l":{"@literal":[` + numbers[:20_001] + `]}},"mapping":{"@arrayPath":["$.l",{"a":{"@path":""}}]}}}]}`, "/v/@arrayPath", tooMuch},
		"doubling transforms":           {chain(40), "@transform", tooLarge},
		"merges of texts":               {`{"@merge":{"direction":"right","objects":[` + repeated(`{"@path":"$.long"}`, 200) + `]}}`, "/v/@merge", tooMuch},
		"merge of merges":               {`{"@merge":{"direction":"right","objects":[` + repeated(`{"a":{"@path":""},"b":{"@path":""},"c":{"@path":""}}`, 20) + `]}}`, "/v/@merge", tooMuch},
		"flatten with a long separator": {`{"@flatten":{"separator":` + quoted(strings.Repeat("-", 60_000)) + `,"value":{"a":{"@path":"$.people"}}}}`, "/v/@flatten", tooLarge},
		"flatten again and again":       {`[` + repeated(`{"@flatten":{"separator":".","value":{"@path":""}}}`, 100) + `]`, "/v/", tooMuch},
		"quotes of quotes":              {encoded(12), "@json", tooMuch},
		"the event again and again":     {`[` + repeated(encoded(1), 100) + `]`, "/v/", tooMuch},
		"decoded again and again":       {`[` + repeated(`{"@json":{"mode":"decode","value":{"@json":{"mode":"encode","value":{"@path":"$.list"}}}}}`, 100) + `]`, "/v/", tooMuch},
		"nulls looked for in copies":    {`{"@excludeWhenNull":{"a":[` + repeated(`{"@path":""}`, 1000) + `]}}`, "/v/@excludeWhenNull", tooLarge},
		"case again and again":          {`[` + repeated(`{"@case":{"operator":"upper","value":{"@path":"$.long"}}}`, 1000) + `]`, "/v/", tooMuch},
		"a template out of the event":   {`[` + repeated(`{"@template":{"@template":"{{open}}{{open}}"}}`, 100) + `]`, "/v/", tooMuch},
		"a path out of the event":       {`[` + repeated(`{"@path":{"@path":"$.long"}}`, 200) + `]`, "/v/", tooMuch},
		"liquid that doubles":           {`{"@liquid":"{% assign a = long %}` + strings.Repeat(`{% assign a = a | append: a %}`, 30) + `"}`, "/v/@liquid", tooMuch},
		"liquid that pushes":            {`{"@liquid":"{% assign a = list %}` + strings.Repeat(`{% assign a = a | push: a %}`, 30) + `"}`, "/v/@liquid", tooMuch},
		"liquid that captures":          {`{"@liquid":"{% capture a %}{{ long }}{% endcapture %}` + strings.Repeat(`{% capture a %}{{ a }}{{ a }}{% endcapture %}`, 20) + `"}`, "/v/@liquid", tooMuch},
		"liquid that joins":             {`{"@liquid":"{{ list | join: long }}"}`, "/v/@liquid", tooLarge},
		"liquid that replaces":          {`{"@liquid":"{{ long | replace: 'a', long }}"}`, "/v/@liquid", tooLarge},
		"liquid range":                  {`{"@liquid":"{{ (1..1000000) | size }}"}`, "/v/@liquid", tooLarge},
		"liquid over and over":          {`[` + repeated(`{"@liquid":"{{ long | strip_html | slugify | normalize_whitespace | size }}"}`, 100) + `]`, "/v/", tooMuch},
		"liquid that compares":          {`[` + repeated(`{"@liquid":"{% if list == list and list == list and list == list %}{% endif %}"}`, 100) + `]`, "/v/", tooMuch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Compile(parsed(t, `{"v":`+c.mapping+`}`))
			require.NoError(t, err)
			w := NewWork()
			_, err = m.applyWithin(parsed(t, event).(*jsonvalue.Object), w)
			require.ErrorContains(t, err, c.reason)
			var failed *RuntimeError
			require.ErrorAs(t, err, &failed)
			require.Contains(t, failed.Path, c.path)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Less(t, len(err.Error()), 1000)
			require.Greater(t, w.now.left, -2*maxWeight, "it went on long after its budget was spent")
		})
	}
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	require.NoError(t, err)
	return v
}

// These look dangerous and are not: they end with a value, in few steps.
func TestApply_LargeEvent_TakesFewSteps(t *testing.T) {
	t.Parallel()
	event := parsed(t, `{"html":"`+strings.Repeat("<script>", 7000)+`","open":"`+strings.Repeat("{", 60_000)+`}","list":[`+repeated(`{"a":{"b":1}}`, 4000)+`]}`).(*jsonvalue.Object)
	for text, most := range map[string]int{
		`{"@liquid":"{{ html | strip_html | size }}"}`:                              300_000,
		`{"@template":{"@template":"{{open}}"}}`:                                    200_000,
		`{"@template":"{{{open}}}"}`:                                                200_000,
		`{"@arrayPath":["$.list",{"x":{"@path":"$.a.b"}}]}`:                         200_000,
		`{"@flatten":{"separator":".","value":{"@path":"$.list"}}}`:                 600_000,
		`{"@path":"$` + strings.Repeat(".html", 1000) + `"}`:                        60_000,
		`{"@liquid":"{{ list | where: list | size }}{{ list[list] }}"}`:             600_000,
		`{"@json":{"mode":"decode","value":"` + strings.Repeat("[", 10_000) + `"}}`: 21_000,
	} {
		m, err := Compile(parsed(t, `{"v":`+text+`}`))
		require.NoError(t, err)
		w := NewWork()
		_, err = m.applyWithin(event, w)
		require.NoError(t, err, text)
		require.LessOrEqual(t, maxEventWork-w.left, most, text)
	}
}

// A mapping that would take all there is must leave something for the others.
func TestApplyWithin_MappingsOfAnEvent_ShareTheWork(t *testing.T) {
	t.Parallel()
	fields := parsed(t, `{"embeddedData":{"x":{"@arrayPath":["$.l",{"a":{"@template":"{{a}}{{a}}{{a}}"}}]}}}`).(*jsonvalue.Object)
	costly, err := ForAction("upsert_contact", fields, true)
	require.NoError(t, err)
	usual, err := ForAction("upsert_contact", nil, true)
	require.NoError(t, err)
	event := parsed(t, `{"userId":"u","l":[`+repeated(`{"a":"`+strings.Repeat("x", 1000)+`"}`, 700)+`]}`).(*jsonvalue.Object)
	w := NewWork()
	for range 5 {
		_, err = usual.ApplyWithin(event, w)
		require.NoError(t, err)
		_, err = costly.ApplyWithin(event, w)
		require.NoError(t, err)
	}
	_, err = costly.ApplyWithin(event, w)
	require.ErrorContains(t, err, tooMuch)
	_, err = costly.Apply(event)
	require.NoError(t, err, "alone it has enough")
}

func TestCompile_LongKeysAboveManyValues_IsRefused(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 1_000_000)
	_, err := Compile(parsed(t, `{"`+key+`":[`+repeated(`{"@template":"{{a}}"}`, 3)+`]}`))
	require.ErrorContains(t, err, "too large: at most 20000 values")
	require.Less(t, len(err.Error()), 1000)
	_, err = Compile(parsed(t, `{"`+strings.Repeat("k", 300)+`":[`+repeated(`{"@template":"{{a}}"}`, 1000)+`]}`))
	require.NoError(t, err)
}

// A text of opening braces and one closing brace was once searched through from
// every one of them.
func TestPlaceholder_IsTheNextOne(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3} {
		open, end := strings.Repeat("{", n), strings.Repeat("}", n)
		expression := regexp.MustCompile(regexp.QuoteMeta(open) + `[^}]+` + end)
		parts := []string{"{", "}", "{{", "}}", "}}}", "x"}
		var try func(s string, k int)
		try = func(s string, k int) {
			if k == 0 {
				start, stop := placeholder(s, 0, n)
				if at := expression.FindStringIndex(s); at == nil {
					require.Equal(t, -1, start, "%q", s)
				} else {
					found := []int{start, stop}
					require.Equal(t, at, found, "%q", s)
				}
				return
			}
			for _, p := range parts {
				try(s+p, k-1)
			}
		}
		for k := range 6 {
			try("", k)
		}
	}
}
