package wire

import (
	"net/url"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Base is what all paths are below.
const Base = "/API/v3"

// The paths, in the notation of net/http's patterns.
const (
	PathWhoami              = "/whoami"
	PathDirectories         = "/directories"
	PathContacts            = "/directories/{directory}/contacts"
	PathContact             = "/directories/{directory}/contacts/{contact}"
	PathContactSearch       = "/directories/{directory}/contacts/search"
	PathContactTransactions = "/directories/{directory}/contacts/{contact}/transactions"
	PathTransactions        = "/directories/{directory}/transactions"
	PathListContacts        = "/directories/{directory}/mailinglists/{list}/contacts"
	PathDistributions       = "/distributions"
	PathDistribution        = "/distributions/{distribution}"
	PathHistory             = "/distributions/{distribution}/history"
	PathReminders           = "/distributions/{distribution}/reminders"
	PathThankYous           = "/distributions/{distribution}/thankyous"
)

// Fill is a path with ids in the places of its names, checked and escaped. An id
// that could leave its place is Invalid.
func Fill(path string, ids ...string) (string, error) {
	var b strings.Builder
	for {
		before, rest, hole := strings.Cut(path, "{")
		b.WriteString(before)
		if !hole {
			return b.String(), nil
		}
		id, err := segment(ids[0])
		if err != nil {
			return "", err
		}
		b.WriteString(id)
		_, path, _ = strings.Cut(rest, "}")
		ids = ids[1:]
	}
}

// segment is an id as one segment of a path. Escaping alone is not enough: some
// servers take %2F and .. for what they stand for.
func segment(id string) (string, error) {
	if id == "" || strings.Trim(id, ".") == "" || strings.ContainsAny(id, `/\`) || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "%.100q is no id of Qualtrics", id)
	}
	return url.PathEscape(id), nil
}
