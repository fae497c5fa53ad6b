package segment

import (
	"bytes"
	"strconv"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// compose writes the event as it is stored.
func (r *request) compose(it item, v [fields][]byte, e Event, givenID bool, t times) []byte {
	out := make([]byte, 0, it.end-it.start+len(r.context)+len(r.integrations)+len(e.MessageID)+220)
	var set [fields][]byte // values to write in place of the item's
	var quoted []byte
	if r.pathType != "" && stringOf(v[fType]) != r.pathType {
		set[fType] = strconv.AppendQuote(nil, r.pathType)
	}
	if !givenID || v[fMessageID][0] != '"' {
		quoted = jsonvalue.Append(nil, e.MessageID)
		set[fMessageID] = quoted
	}
	set[fTimestamp], set[fOriginalTimestamp], set[fReceivedAt], set[fSentAt] = t.raw, t.original, t.received, t.sent
	set[fContext] = beneath(v[fContext], r.context)
	set[fIntegrations] = beneath(v[fIntegrations], r.integrations)

	var written [fields]bool
	out = append(out, '{')
	for k, p := range it.parts {
		f := p.field
		switch {
		case f == other:
			out = append(comma(out), r.body[p.start:p.end]...)
			continue
		case f == fWriteKey, written[f]:
			continue
		case set[f] != nil:
			out = member(out, f, set[f])
		case repeated(it.parts[k+1:], f):
			out = member(out, f, v[f])
		default:
			out = append(comma(out), r.body[p.start:p.end]...)
		}
		written[f] = true
	}
	for f := fType; f < fields; f++ {
		if set[f] != nil && !written[f] {
			out = member(out, f, set[f])
		}
	}
	return append(out, '}')
}

// withoutWriteKey is the item's bytes, rewritten only when a write key is in them.
func (r *request) withoutWriteKey(it item) []byte {
	if !repeated(it.parts, fWriteKey) {
		return r.body[it.start:it.end]
	}
	out := []byte{'{'}
	for _, p := range it.parts {
		if p.field != fWriteKey {
			out = append(comma(out), r.body[p.start:p.end]...)
		}
	}
	return append(out, '}')
}

// repeated reports whether some of the parts are of field f.
func repeated(rest []part, f field) bool {
	for _, p := range rest {
		if p.field == f {
			return true
		}
	}
	return false
}

func comma(out []byte) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	return out
}

func member(out []byte, f field, value []byte) []byte {
	out = append(comma(out), '"')
	out = append(out, fieldNames[f]...)
	out = append(out, '"', ':')
	return append(out, value...)
}

// beneath returns the raw object own with the members of the batch's object
// that own does not have added, or nil when own stays as it is. An item that
// has no such object, or null, gets the batch's.
func beneath(own, shared []byte) []byte {
	if shared == nil {
		return nil
	}
	if own == nil || own[0] == 'n' {
		return shared
	}
	if own[0] != '{' {
		return nil
	}
	var buf [24]pair
	have := pairs(own, buf[:0])
	if len(have) == 0 {
		return shared
	}
	out := make([]byte, 0, len(own)+len(shared))
	out = append(out, own[:have[len(have)-1].end]...)
	added := false
	var more [24]pair
	has := keysOf(have)
	for _, p := range pairs(shared, more[:0]) {
		if !has(p.key) {
			out = append(append(out, ','), shared[p.start:p.end]...)
			added = true
		}
	}
	if !added {
		return nil
	}
	return append(out, '}')
}

// pair is a member of an object: its key, and its bytes from key to value.
type pair struct {
	key        []byte
	start, end int
}

// pairs lists the members of a raw object that the scanner has taken.
func pairs(obj []byte, buf []pair) []pair {
	i, more := jsonvalue.Enter(obj, 0)
	for more {
		start := i
		end, val, _ := name(obj, i)
		key := obj[start+1 : end-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(jsonvalue.Unquote(obj[start:end]))
		}
		i, _ = value(obj, val, 1)
		buf = append(buf, pair{key, start, i})
		i, more, _ = next(obj, i, '}')
	}
	return buf
}

// keysOf tells whether a key is among those of the members. Of many it makes a set:
// a request may hold millions of pairs of an own and a shared key.
func keysOf(ps []pair) func(key []byte) bool {
	if len(ps) <= 64 {
		return func(key []byte) bool {
			for _, p := range ps {
				if bytes.Equal(p.key, key) {
					return true
				}
			}
			return false
		}
	}
	set := make(map[string]bool, len(ps))
	for _, p := range ps {
		set[string(p.key)] = true
	}
	return func(key []byte) bool { return set[string(key)] }
}
