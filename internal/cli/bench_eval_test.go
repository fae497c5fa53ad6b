package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func BenchmarkEvalFilter(b *testing.B) {
	text, err := os.ReadFile(filepath.Join(os.Getenv("SEGUE_CONFORMANCE"), "fql.jsonl"))
	if err != nil {
		b.Skip(err)
	}
	text = bytes.Repeat(text, 10)
	b.SetBytes(int64(len(text)))
	for range b.N {
		_ = Run([]string{"eval", "filter"}, Program{In: bytes.NewReader(text), Out: io.Discard, Environ: []string{}})
	}
}
