package app

import (
	"bytes"
	"flag"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var keep = flag.String("keep", "", "the release, as v0.2.0, whose histories are written for the replay test of package workflows")

func completed(h *historypb.History) bool {
	return h.Events[len(h.Events)-1].EventType == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
}

func mentions(h *historypb.History, text string) bool { return count(h, text) > 0 }

// count is how many events of a history mention a text.
func count(h *historypb.History, text string) (n int) {
	for _, e := range h.Events {
		wire, _ := proto.Marshal(e)
		if bytes.Contains(wire, []byte(text)) || strings.Contains(e.EventType.String(), text) {
			n++
		}
	}
	return n
}

// named fails when a text names this machine. Only the SDK's own queue of a worker
// may: it is made of the host and a random number.
func named(t *testing.T, what string, m proto.Message) {
	t.Helper()
	host, _ := os.Hostname()
	scrub(proto.Clone(m).ProtoReflect(), func(s string) string {
		require.False(t, s == host || strings.Contains(s, "@"+host), "%s names the machine: %s", what, s)
		return s
	})
}

// scrub changes every text of a message, those inside payloads too.
func scrub(m protoreflect.Message, change func(string) string) {
	one := func(f protoreflect.FieldDescriptor, v protoreflect.Value) (protoreflect.Value, bool) {
		switch f.Kind() {
		case protoreflect.StringKind:
			return protoreflect.ValueOfString(change(v.String())), true
		case protoreflect.BytesKind:
			return protoreflect.ValueOfBytes([]byte(change(string(v.Bytes())))), true
		case protoreflect.MessageKind:
			scrub(v.Message(), change)
		}
		return v, false
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				if e, changed := one(f.MapValue(), e); changed {
					v.Map().Set(k, e)
				}
				return true
			})
		case f.IsList():
			for i := range v.List().Len() {
				if e, changed := one(f, v.List().Get(i)); changed {
					v.List().Set(i, e)
				}
			}
		default:
			if e, changed := one(f, v); changed {
				m.Set(f, e)
			}
		}
		return true
	})
}

// historiesDir has a directory for each release.
const historiesDir = "../../workflows/testdata/histories"

// haystack is a message in every form in which a text could hide in it: its bytes
// on the wire, in which payloads lie decoded, and its JSON.
func haystack(t *testing.T, m proto.Message) []byte {
	t.Helper()
	wire, err := proto.Marshal(m)
	require.NoError(t, err)
	text, err := protojson.Marshal(m)
	require.NoError(t, err)
	return bytes.ToLower(bytes.Join([][]byte{wire, text}, nil))
}

// spellings are the forms in which a text may stand somewhere.
func spellings(word string) []string {
	quoted := strings.Trim(mustJSON(word), `"`)
	ascii := strings.Trim(strconv.QuoteToASCII(word), `"`)
	return []string{strings.ToLower(word), strings.ToLower(quoted), strings.ToLower(ascii), strings.ToLower(url.QueryEscape(word))}
}
