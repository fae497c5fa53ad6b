package mapping_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

const docs = "../../../docs/mappings.md"

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(docs)
	require.NoError(t, err)
	return string(text)
}

// claims reads the blocks of a kind: what stands at the margin, over several lines
// perhaps, and the indented lines said of it, which begin with a word.
func claims(text, kind string, say func(subject, word, rest string)) {
	for _, block := range strings.Split(text, "\n```"+kind+"\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		subject, told := "", true
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			word, rest, _ := strings.Cut(strings.TrimPrefix(line, "  "), " ")
			switch {
			case line == "":
			case !claimWords[word]:
				if told {
					subject, told = "", false
				}
				subject += line + "\n"
			default:
				told = true
				say(subject, word, strings.TrimSpace(rest))
			}
		}
	}
}

var claimWords = map[string]bool{"event": true, "gives": true, "refused": true, "fails": true, "account": true, "directory": true, "rejected": true}

// TestDocs_Mappings_ExamplesHold runs the mapping blocks: the mapping of one field,
// and what it gives (nothing: the field is left out), or why it is refused or
// fails. It is about the event at the head of the page or the one told before.
func TestDocs_Mappings_ExamplesHold(t *testing.T) {
	t.Parallel()
	text := readDocs(t)
	_, head, _ := strings.Cut(text, "\n```json\n")
	head, _, _ = strings.Cut(head, "\n```")
	pageEvent := object(t, head)
	event, of, ran := pageEvent, "", 0
	claims(text, "mapping", func(subject, word, rest string) {
		if subject != of {
			event, of = pageEvent, subject
		}
		ran++
		m, err := mapping.Compile(object(t, `{"field":`+subject+`}`))
		if word == "refused" {
			require.Error(t, err, subject)
			require.Contains(t, err.Error(), rest, subject)
			return
		}
		require.NoError(t, err, subject)
		if word == "event" {
			event = object(t, rest)
			return
		}
		out, err := m.Apply(event)
		if word == "fails" {
			var runtime *mapping.RuntimeError
			require.ErrorAs(t, err, &runtime, subject)
			require.Contains(t, err.Error(), rest, subject)
			return
		}
		require.Equal(t, "gives", word)
		require.NoError(t, err, subject)
		have := out.(*jsonvalue.Object)
		if rest == "nothing" {
			require.False(t, have.Has("field"), "%s gives %s", subject, jsonvalue.Text(have.Get("field")))
			return
		}
		require.Equal(t, jsonvalue.Text(value(t, rest)), jsonvalue.Text(have.Get("field")), subject)
	})
	require.Greater(t, ran, 45)
}

// TestDocs_Actions_ExamplesHold runs the action blocks: an action, its fields, an
// event, and the payload for a Qualtrics account and for the built-in directory.
func TestDocs_Actions_ExamplesHold(t *testing.T) {
	t.Parallel()
	ran := 0
	var event *jsonvalue.Object
	claims(readDocs(t), "action", func(subject, word, rest string) {
		ran++
		if word == "event" {
			event = object(t, rest)
			return
		}
		action, fields, _ := strings.Cut(subject, " ")
		m, err := mapping.ForAction(action, object(t, fields), word == "directory")
		require.NoError(t, err, subject)
		out, err := m.Apply(event)
		if reason, rejected := strings.CutPrefix(rest, "rejected: "); rejected {
			require.EqualError(t, err, reason, subject)
			return
		}
		require.NoError(t, err, subject)
		require.Equal(t, jsonvalue.Text(value(t, rest)), jsonvalue.Text(out), subject)
	})
	require.Greater(t, ran, 8)
}

var fieldRow = regexp.MustCompile("^\\| `(\\w+)` \\| (\\w+) \\| (.*?) \\| (.*) \\|$")

// TestDocs_Actions_TablesAreTheFields holds the tables of the actions' fields:
// names, types, order, what is required, and the defaults.
func TestDocs_Actions_TablesAreTheFields(t *testing.T) {
	t.Parallel()
	for action, title := range map[string]string{
		"upsert_contact": "### upsert_contact", "upsert_transaction": "### upsert_transaction", "start_workflow": "### start_workflow",
	} {
		_, part, found := strings.Cut(readDocs(t), title)
		require.True(t, found, title)
		part, _, _ = strings.Cut(part, "\n#")
		var rows [][]string
		for line := range strings.Lines(part) {
			if m := fieldRow.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				rows = append(rows, m[1:])
			}
		}
		fields := mapping.ActionFields(action)
		require.Len(t, rows, len(fields), action)
		for i, f := range fields {
			required := ""
			switch {
			case f.Required && (f.Name == "directoryId" || f.Name == "mailingListId" || f.Name == "workflowUrl"):
				required = "at an account"
			case f.Required:
				required = "yes"
			}
			require.Equal(t, []string{f.Name, string(f.Type), required, defaultText(f.Default)}, rows[i], action)
		}
	}
}

// defaultText is a default as the tables write it.
func defaultText(v any) string {
	o, ok := v.(*jsonvalue.Object)
	switch {
	case v == nil:
		return ""
	case !ok:
		return "`" + jsonvalue.Text(v) + "`"
	case o.Has("@path"):
		return "`" + o.Get("@path").(string) + "`"
	case o.Has("@if"):
		branches := o.Get("@if").(*jsonvalue.Object)
		return defaultText(branches.Get("then")) + ", else " + defaultText(branches.Get("else"))
	}
	names := make([]string, 0, o.Len())
	for k, v := range o.All() {
		names = append(names, k)
		if defaultText(v) != "`$."+k+"`" {
			panic(k)
		}
	}
	return "`" + strings.Join(names, "`, `") + "` of the event"
}

// TestDocs_Differences_AreAllListed holds the list of what the Qualtrics connector
// does otherwise.
func TestDocs_Differences_AreAllListed(t *testing.T) {
	t.Parallel()
	text := readDocs(t)
	for _, d := range qualtrics.Differences() {
		require.Contains(t, text, "| `"+d.ID+"` | "+d.Segment+" | "+d.Here+" |")
	}
}
