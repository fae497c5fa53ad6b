package store

import "strings"

// oneOf is the condition that a status is one of a list, for a WHERE behind the
// name of its column. The lists are those of core, whose words are letters and
// underscores: no update moves a status where its table does not let it.
func oneOf[S ~string](list []S) string {
	if len(list) == 0 {
		return "IN (NULL)" // never true
	}
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = "'" + string(s) + "'"
	}
	return "IN (" + strings.Join(quoted, ", ") + ")"
}
