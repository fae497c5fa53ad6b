package plan

import (
	"fmt"
	"strings"
)

// didYouMean names the candidate closest to word, or else lists them all:
// "; did you mean …?" or "; known are …".
func didYouMean(word string, candidates []string) string {
	best, least := "", max(2, len(word)/3)+1
	if len(word) <= 40 {
		for _, c := range candidates {
			if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
				best, least = c, d
			}
		}
	}
	switch {
	case best != "" && least < len(best):
		return fmt.Sprintf("; did you mean %q?", best)
	case len(candidates) == 0:
		return "; there is none"
	case len(candidates) > 12:
		return fmt.Sprintf("; known are %s and %d more", strings.Join(candidates[:12], ", "), len(candidates)-12)
	}
	return "; known are " + strings.Join(candidates, ", ")
}

// distance is the least number of letters to insert, delete, replace or swap
// with their neighbour to make b of a.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before := make([]int, len(t)+1)
	prev := make([]int, len(t)+1)
	cur := make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range s {
		cur[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			cur[j+1] = min(cur[j]+1, prev[j+1]+1, prev[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				cur[j+1] = min(cur[j+1], before[j-1]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(t)]
}
