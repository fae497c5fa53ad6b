package fql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLint_OrdinaryFilters_AreSilent(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		everydayFilter,
		`type = "track", event = "Transaction Created"`,
		`type="track"`,
		`(type = "a" or type = "b") and traits.plan = null`,
		`match(event, "Order*") or match(event, "*Completed") or match(event, "*")`,
		`properties.my\ key.\0 = 5 and properties.n <= -5.25 and userId = true`,
		"type = \"track\"\n\tand event != \"X\"",
		`!contains(name, "日本") and context.page.path = "/docs"`,
	} {
		require.Empty(t, Lint(text), text)
	}
}

func TestLint_Surprises(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{ // the constructs found, in order
		`type = "a" and event = "b" or event = "c"`:                    {"and … or"},
		`(type = "a" or type = "b" and name = "c") and userId != null`: {"and … or"},
		`!(type = "track")`:                              {"!("},
		`!type = "track"`:                                {"!type"},
		`type = 'track'`:                                 {"'track'"},
		`type = "track" and anonymousId = "x"`:           {"anonymousId"},
		`Type = "track" or type = "x"`:                   {"Type"},
		`user_id = "u" and type = "x"`:                   {"user_id"},
		`match(event, "Order")`:                          {`"Order"`},
		`match(event, "*a*")`:                            {`"*a*"`},
		`match(event, "Or?er*")`:                         {`"Or?er*"`},
		`contains(event, "a*")`:                          {`"a*"`},
		`properties.n >=10`:                              {">=", "10"},
		`properties.n => 10`:                             {"=>", "10"},
		`properties.n == 10`:                             {"==", "10"},
		`((type = "a") or event = "b")`:                  {"(type"},
		`(type = "a"`:                                    {"(type"},
		`type = "a" and ()`:                              {"()"},
		`type = "a" )`:                                   {")"},
		`(contains(event, "a") or type = "b")`:           {`(contains(event, "a")`, ")"},
		"type = 'a'\r\nand event = \"b\"\r\n":            {"'a'", "CR"},
		"type = \"a\"\r\nand event = \"b\"\r\n":          {"CR"},
		`type = "a" && event = "b"`:                      {"&&"},
		`type = "a" || event = "b"`:                      {"||"},
		`type = “track”`:                                 {"“track”", "”"},
		`properties.日本 = 5`:                              {"日本"},
		`properties.count>5`:                             {">5"},
		`properties.a[0] = 5`:                            {"[0]"},
		`type !="a"`:                                     {`!="a"`},
		`type in ["a", "b"]`:                             {"in"},
		`type = ["a"]`:                                   {"["},
		`type = "a" AND event = "b"`:                     {"AND"},
		`type = "a" or(event = "b")`:                     {"or(event"},
		`not type = "a"`:                                 {"not"},
		`type = "a" and typeof(name) = "string"`:         {"typeof(", "name)"},
		`contains(lowercase(event), "x") and type = "y"`: {"contains(lowercase", `"x"`},
		`contains(type, "x") and event = "y"`:            {"contains(type"},
		`contains(event "x") and type = "y"`:             {"contains(event"},
		`properties.1st = "x"`:                           {"properties.1"},
		`properties.and = "x"`:                           {"properties.and"},
		`properties.a\.b = "x"`:                          {`properties.a\.b`},
		`properties = "x"`:                               {"properties"},
		`type.x = "y"`:                                   {"type.x"},
		`type =`:                                         {"="},
		`type = null`:                                    {"= null"},
		`type = 5`:                                       {"= 5"},
		`name = true`:                                    {"= true"},
		`properties.x != true`:                           {"!= true"},
		`properties.x = TRUE`:                            {"TRUE"},
		`properties.x = -`:                               {"-"},
		`properties.x = 1e3`:                             {"1e3"},
		`properties.x < "abc"`:                           {`< "abc"`},
		`properties.x < "5"`:                             {`< "5"`},
		`event > 5`:                                      {"> 5"},
		`type = "a" and`:                                 {"and"},
		`type = "a", event = "b" or name = "c"`:          {"or"},
		`type = "track"and event = "X"`:                  {`"and event = "`, `"X"`},
		`event = "say \"hi"`:                             {`"say \"`, `"hi"`},
		`event = no`:                                     {"no"},
		`foo = "x"`:                                      {"foo", "foo"},
		``:                                               {"end of text"},
	} {
		var have []string
		for _, f := range Lint(text) {
			have = append(have, f.Construct)
			require.NotEmpty(t, f.Means, text)
		}
		require.Equal(t, want, have, "%q", text)
	}
}

func TestLint_Finding_SaysPlaceMeaningAndRewrite(t *testing.T) {
	t.Parallel()
	require.Equal(t, []Finding{{
		Pos: 23, Line: 2, Column: 12, Construct: `'日本'`,
		Means:   "this is destination-filter FQL; as a trigger it means: the text with its single quotes, which equals only data that has them",
		Rewrite: `"日本"`,
		Fixed:   "type = \"é\"\nand name = \"日本\"",
	}}, Lint("type = \"é\"\nand name = '日本'"))
}

// fixes are texts, their finding's rewritten text and what that means, written out.
var fixes = []struct{ text, fixed, means string }{
	{`type = 'track'`, `type = "track"`, `type = "track"`},
	{`type == "track"`, `type =  "track"`, `type = "track"`},
	{`properties.n >=10`, `properties.n >= 10`, `properties.n >= 10`},
	{`properties.n => 10`, `properties.n >=  10`, `properties.n >= 10`},
	{`properties.n =< 10`, `properties.n <=  10`, `properties.n <= 10`},
	{`type !="a" and name !="b"`, `type != "a" and name != "b"`, `type != "a" and name != "b"`},
	{`type = "a && b" && event = "c" && name = "d"`, `type = "a && b"  and  event = "c"  and  name = "d"`, `type = "a && b" and event = "c" and name = "d"`},
	{`type = "a" || event = "b"`, `type = "a"  or  event = "b"`, `type = "a" or event = "b"`},
	{"type = \"a\"\r\nand event = \"b\"\r\n", "type = \"a\"\nand event = \"b\"\n", `type = "a" and event = "b"`},
	{`type = “track”`, `type = "track"`, `type = "track"`},
	{`properties.日本 = 5`, `properties.\日\本 = 5`, `properties.\日\本 = 5`},
	{`properties.count>5`, `properties.count >5`, `properties.count > 5`},
	{`properties.a[0] = 5 and properties.b[12] = 5`, `properties.a.\0 = 5 and properties.b.\12 = 5`, `properties.a.\0 = 5 and properties.b.\12 = 5`},
	{`properties.1st = "x"`, `properties.\1st = "x"`, `properties.\1st = "x"`},
	{`properties.arr.0 = "x"`, `properties.arr.\0 = "x"`, `properties.arr.\0 = "x"`},
	{`properties.and = "x"`, `properties.\and = "x"`, `properties.\and = "x"`},
	{`contains(properties.null , "x")`, `contains(properties.\null , "x")`, `contains(properties.\null, "x")`},
	{`type = "a" and event = "b" or event = "c"`, `(type = "a" and event = "b") or event = "c"`, `(type = "a" and event = "b") or event = "c"`},
	{`type = "a" or event = "b" and name = "c" or userId = "d"`, `type = "a" or (event = "b" and name = "c") or userId = "d"`, `type = "a" or (event = "b" and name = "c") or userId = "d"`},
	{`!(type = "track")`, `type != "track"`, `type != "track"`},
	{`!(type = "a" or userId = null) and name = "b"`, `(type != "a" and userId != null) and name = "b"`, `(type != "a" and userId != null) and name = "b"`},
	{`!type = "track"`, `type != "track"`, `type != "track"`},
	{`!properties.a.b = true`, `properties.a.b = false`, `properties.a.b = false`},
	{`not type = "track"`, `type != "track"`, `type != "track"`},
	{`type = "a" AND event = "b"`, `type = "a" and event = "b"`, `type = "a" and event = "b"`},
	{`type = "a" or(event = "b")`, `type = "a" or (event = "b")`, `type = "a" or event = "b"`},
	{`type = "track"and event = "X"`, `type = "track" and event = "X"`, `type = "track" and event = "X"`},
	{`type = "a" )`, `type = "a" `, `type = "a"`},
	{`Type = "track"`, `type = "track"`, `type = "track"`},
	{`user_id = "u"`, `userId = "u"`, `userId = "u"`},
	{`type in ["a", 'b']`, `(type = "a" or type = "b")`, `type = "a" or type = "b"`},
	{`properties.n in [1]`, `properties.n = 1`, `properties.n = 1`},
	{`match(event, "Order")`, `event = "Order"`, `event = "Order"`},
	{`!match(event, "Order")`, `event != "Order"`, `event != "Order"`},
	{`match(properties.my\ x, "*a*")`, `contains(properties.my\ x, "a")`, `contains(properties.my\ x, "a")`},
	{`type = 5`, `type = "5"`, `type = "5"`},
	{`userId != 42`, `userId != "42"`, `userId != "42"`},
	{`name = true`, `name = "true"`, `name = "true"`},
	{`properties.x != true`, `properties.x = false`, `properties.x = false`},
	{`properties.x = TRUE`, `properties.x = true`, `properties.x = true`},
	{`properties.x = 1e3`, `properties.x = 1000`, `properties.x = 1000`},
	{`properties.x < "5"`, `properties.x < 5`, `properties.x < 5`},
	{`properties.x >= true`, `properties.x >= 1`, `properties.x >= 1`},
	{`event = no`, `event = "no"`, `event = "no"`},
}

func TestLint_Fixed_MeansWhatItSays(t *testing.T) {
	t.Parallel()
	for _, f := range fixes {
		found := Lint(f.text)
		require.NotEmpty(t, found, f.text)
		require.Equal(t, f.fixed, found[0].Fixed, f.text)
		require.Equal(t, f.means, mustCompile(t, f.fixed).Tree().String(), f.text)
		require.Empty(t, Lint(f.fixed), f.text)
	}
}

// Whatever surprises come together: a fixed text is valid, one finding of its kind
// is gone, and fixing comes to an end.
func TestLint_Fixed_IsValidAndHasOneFindingLess(t *testing.T) {
	t.Parallel()
	for i := range fixes {
		for j := range fixes {
			join := []string{" and ", " or ", ", ", "\r\nand "}[(i+j)%4]
			text := fixes[i].text + join + fixes[j].text
			for rounds := 0; ; rounds++ {
				require.Less(t, rounds, 20, "%q", text)
				found := Lint(text)
				next := ""
				for _, f := range found {
					if f.Fixed == "" {
						continue
					}
					_, err := Compile(f.Fixed)
					require.NoError(t, err, "%q", f.Fixed)
					require.Less(t, count(Lint(f.Fixed), f.Construct, f.Means), count(found, f.Construct, f.Means), "%q: %s\n%q", text, f.Construct, f.Fixed)
					next = f.Fixed
				}
				if next == "" {
					break
				}
				text = next
			}
		}
	}
}

func count(found []Finding, construct, means string) (n int) {
	for _, f := range found {
		if f.Construct == construct && f.Means == means {
			n++
		}
	}
	return n
}

// The larger language of destination filters is told by its name.
func TestLint_DestinationFilterFQL_IsRecognised(t *testing.T) {
	t.Parallel()
	for text, construct := range map[string]string{
		`type in ['a', 'b']`:                                 "in",
		`!(type = "a")`:                                      "!(",
		`!type = "a"`:                                        "!type",
		`type = 'a'`:                                         "'a'",
		`type = ["a"]`:                                       "[",
		`type = "a" and lowercase(event) = "b"`:              "lowercase(",
		`type = "a" and uppercase(event) = "B"`:              "uppercase(",
		`type = "a" and snakecase(event) = "b"`:              "snakecase(",
		`type = "a" and kebabcase(event) = "b"`:              "kebabcase(",
		`type = "a" and titlecase(event) = "B"`:              "titlecase(",
		`type = "a" and typeof(event) = "string"`:            "typeof(",
		`type = "a" and length(event) > 3`:                   "length(",
		`type = "a" and bool(properties.x)`:                  "bool(",
		`type = "a" and string(properties.x) = "1"`:          "string(",
		`type = "a" and number(properties.x) = 1`:            "number(",
		`type = "a" and contains(lowercase(event), "order")`: "contains(lowercase",
		`match(event, "Ord?r*")`:                             `"Ord?r*"`,
		`match(event, "Ord[ea]r*")`:                          `"Ord[ea]r*"`,
		`match(event, "a*b")`:                                `"a*b"`,
		`match(event, "Order")`:                              `"Order"`,
	} {
		told := false
		for _, f := range Lint(text) {
			told = told || f.Construct == construct && strings.HasPrefix(f.Means, "this is destination-filter FQL; as a trigger it means: ")
		}
		require.True(t, told, "%s: %v", text, Lint(text))
	}
}
