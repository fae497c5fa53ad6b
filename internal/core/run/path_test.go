package run

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func TestPath_OfAStepAlone_IsItsID(t *testing.T) {
	t.Parallel()
	p, err := ParsePath("ask")
	require.NoError(t, err)
	require.Equal(t, "ask", p.Step())
	require.Equal(t, Path("thank"), p.Beside("thank"))
}

func TestPath_OfAPass_KeepsWhereItIs(t *testing.T) {
	t.Parallel()
	p, err := ParsePath("each#3/both#1/ask")
	require.NoError(t, err)
	require.Equal(t, "ask", p.Step())
	require.Equal(t, Path("each#3/both#1/thank"), p.Beside("thank"))
}

func TestSees_SameAndOuterPasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p, other Path
		sees     bool
	}{
		{"ask", "before", true},
		{"each#3/ask", "before", true},
		{"each#3/ask", "each#3/look", true},
		{"each#3/ask", "each#2/look", false},
		{"each#3/ask", "each#30/look", false},
		{"each#30/ask", "each#3/look", false},
		{"ask", "each#3/look", false},
		{"each#3/both#1/ask", "each#3/look", true},
	} {
		require.Equal(t, c.sees, c.p.Sees(c.other), "%s sees %s", c.p, c.other)
	}
}

func TestParsePath_AnythingElse_IsInvalid(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "/", "ask/", "/ask", "each/ask", "each#0/ask", "each#x/ask", "each#3", "each#3/", "1ask", "each#3//ask", "a b", strings.Repeat("a#1/", 200) + "a"} {
		_, err := ParsePath(text)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%q", text)
	}
}

func FuzzParsePath(f *testing.F) {
	for _, text := range []string{"ask", "each#3/ask", "each#3/both#1/ask", "each#/ask", "#"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			return
		}
		require.Equal(t, text, string(p))
		require.NotEmpty(t, p.Step())
		require.Equal(t, p, p.Beside(p.Step()))
		require.True(t, p.Sees(p))
		again, err := ParsePath(string(p.Beside("x")))
		require.NoError(t, err)
		require.Equal(t, "x", again.Step())
	})
}
