package liquid

import (
	"maps"
	"slices"
)

// FilterNames are the names of all filters, sorted.
func FilterNames() []string { return slices.Sorted(maps.Keys(filters)) }
