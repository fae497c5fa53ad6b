package wire

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzSegment_StaysOne(f *testing.F) {
	for _, s := range []string{"POOL_1", "..", "%2e%2e", "a/b", "a?b", "a#b", "é", " "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		s, err := segment(id)
		if err != nil {
			return
		}
		u, err := url.Parse("https://h/a/" + s + "/b")
		require.NoError(t, err)
		require.Equal(t, "/a/"+id+"/b", u.Path)
		require.Len(t, strings.Split(u.EscapedPath(), "/"), 4)
		require.Empty(t, u.RawQuery)
	})
}
