package fql

import (
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
		`properties.1st = "x"`:                           {"properties.1", "1st"},
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
		Means:   "single quotes are part of the text: it equals only data that has them",
		Rewrite: `"日本"`,
	}}, Lint("type = \"é\"\nand name = '日本'"))
}
