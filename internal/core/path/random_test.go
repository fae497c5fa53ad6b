package path

import (
	"fmt"
	"math/rand"
	"strings"
)

// maker makes paths and documents that meet one another often.
type maker struct{ *rand.Rand }

func (m maker) of(list ...string) string { return list[m.Intn(len(list))] }

func (m maker) path() string { return "$" + m.segments(4, 2) }

// straight makes a path of names and indexes.
func (m maker) straight() string {
	var b strings.Builder
	b.WriteByte('$')
	for range m.Intn(4) {
		b.WriteString(m.of(".a", ".b", "['c d']", "[0]", "[1]", "[-1]", "[7]", "['']", "['0']", ".é"))
	}
	return b.String()
}

func (m maker) segments(most, deep int) string {
	var b strings.Builder
	for range m.Intn(most) + 1 {
		switch n := m.Intn(12); {
		case n < 5:
			b.WriteString(m.of(".a", ".b", "['c d']", "[0]", "[-1]", ".é"))
		case n < 7:
			b.WriteString(m.of(".*", "[*]", "..a", "..*", "..[0]", "..['a','b']"))
		case n < 8:
			b.WriteString(m.of("['a','b']", "[0,1]", "[1,'a']", "[*,0]"))
		case n < 10:
			b.WriteString(m.of("[1:]", "[:1]", "[::2]", "[::-1]", "[-2:]", "[:-1]", "[5:1:-1]", "[::0]", "[-9:9]"))
		case deep > 0:
			b.WriteString(m.of("[?", "[?", "..[?") + m.condition(deep-1, 2) + "]")
		}
	}
	return b.String()
}

func (m maker) condition(deep, terms int) string {
	switch n := m.Intn(10); {
	case n < 2 && terms > 0:
		return m.condition(deep, terms-1) + m.of(" && ", " || ") + m.condition(deep, terms-1)
	case n < 3 && terms > 0:
		return m.of("", "!") + "(" + m.condition(deep, terms-1) + ")"
	case n < 4:
		return m.of("", "!") + m.of("@", "$", "@") + m.segments(2, deep)
	case n < 5:
		return m.of("", "!") + m.of("match", "search") + "(" + m.operand() + ", " + m.of("'a.*'", "'[a-c]b?'", "'^a|b$'", "@.a", "'x{2,}'", "'\\\\d'") + ")"
	}
	return m.operand() + " " + m.of("==", "!=", "<", "<=", ">", ">=") + " " + m.operand()
}

func (m maker) operand() string {
	switch n := m.Intn(8); {
	case n < 3:
		return m.of("@", "@.a", "@.b", "@[0]", "$.a", "@['a'].b", "@.a[-1]")
	case n < 4:
		return m.of("length(@)", "length(@.a)", "count(@.*)", "count(@..a)", "value(@..a)", "length(value(@.*))", "length('é')")
	}
	return m.of("1", "2", "-1", "0", "1.5", "1e0", "'a'", "'ab'", "'é'", "''", "true", "false", "null")
}

// document makes JSON of some depth.
func (m maker) document(deep int) string {
	if deep == 0 || m.Intn(5) == 0 {
		return m.of("1", "2", "1.5", "0", "-1", `"a"`, `"ab"`, `"é"`, `""`, "true", "false", "null", `"aab"`)
	}
	var parts []string
	if m.Intn(2) == 0 {
		for range m.Intn(4) {
			parts = append(parts, m.document(deep-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	for _, k := range []string{"a", "b", "c d", "0", "é", ""} {
		if m.Intn(5) < 2 {
			parts = append(parts, fmt.Sprintf("%q:%s", k, m.document(deep-1)))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}
