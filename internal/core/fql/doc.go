// Package fql is the filter language of mappings: the small dialect that
// Segment's actions destinations use for their triggers.
//
//	f, err := fql.Compile(`type = "track" and event = "Order Completed"`)
//	ok, err := f.Match(event)
//
// It reads and judges text exactly as Segment's published packages do, odd
// corners included, because people paste filters that already work there: no
// precedence between and/or, an ignored !(…), strings without escapes. What
// will surprise a reader is told by [Lint]; what a filter really does with one
// event is told by [Filter.Explain].
//
// It is not the larger filter language of Segment's Public API and destination
// filters, and not the condition language of workflows. It has no clock and no
// state: the same text and event always give the same answer.
package fql
