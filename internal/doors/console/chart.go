package console

import (
	"net/url"
	"time"

	"github.com/segue-xm/segue/internal/ops"
)

// Chart is the picture of the last hour: a stacked bar a minute. The template
// draws it with SVG attributes only, which the content policy allows, and colours
// it by class, so that both themes use the same picture.
type Chart struct {
	Width, Height int
	Bars          []Bar
	Lines         []int // y of the horizontal rules
	Top           string
	Middle        string
	Ticks         []string // times below, first to last
	Rows          []ChartRow
	Summary       string
}

// Bar is one minute. Segments go up from the ground: processed, waiting, failed.
type Bar struct {
	X, W     int
	Segments []Segment
	Link     string
	Title    string
}

// Segment is one part of a bar.
type Segment struct {
	Class string
	Y, H  int
}

// ChartRow is a minute as text.
type ChartRow struct {
	At                         Stamp
	Link                       string
	Processed, Waiting, Failed int
}

const (
	barPitch    = 10
	barWidth    = 8
	chartHeight = 120
	minSegment  = 2 // what is not zero is seen, however little it is
)

func (v *View) chart(minutes []ops.Minute) Chart {
	c := Chart{Width: max(1, len(minutes)) * barPitch, Height: chartHeight, Lines: []int{0, chartHeight / 2}}
	highest, processed, failed, waiting := 0, 0, 0, 0
	for _, m := range minutes {
		highest = max(highest, m.Processed+m.Failed+m.Waiting)
		processed, failed, waiting = processed+m.Processed, failed+m.Failed, waiting+m.Waiting
	}
	c.Summary = v.T("home.chart_summary", v.Num(processed), v.Num(failed), v.Num(waiting))
	top := roundUp(highest)
	c.Top, c.Middle = v.Num(top), v.Num(top/2)
	for i, m := range minutes {
		link := address("/events", url.Values{"since": {utc(m.Start)}, "until": {utc(m.Start.Add(time.Minute))}})
		b := Bar{X: i*barPitch + (barPitch-barWidth)/2, W: barWidth, Link: link,
			Title: v.T("home.bar_title", v.Short(m.Start), m.Processed, m.Failed, m.Waiting)}
		y := chartHeight
		for _, s := range []struct {
			class string
			n     int
		}{{"bar-processed", m.Processed}, {"bar-waiting", m.Waiting}, {"bar-failed", m.Failed}} {
			if s.n == 0 {
				continue
			}
			h := max(minSegment, s.n*chartHeight/top)
			h = min(h, y)
			y -= h
			b.Segments = append(b.Segments, Segment{Class: s.class, Y: y, H: h})
		}
		c.Bars = append(c.Bars, b)
		if i%15 == 0 || i == len(minutes)-1 {
			c.Ticks = append(c.Ticks, v.Short(m.Start))
		}
	}
	for i := len(minutes) - 1; i >= 0; i-- {
		m := minutes[i]
		c.Rows = append(c.Rows, ChartRow{At: v.Clock(m.Start), Link: c.Bars[i].Link, Processed: m.Processed, Waiting: m.Waiting, Failed: m.Failed})
	}
	return c
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// tops are where an axis may end, times a power of ten.
var tops = []int{10, 12, 16, 20, 24, 30, 40, 50, 60, 80}

// roundUp is the least even axis end that holds n.
func roundUp(n int) int {
	for top := 2; top < tops[0]; top += 2 {
		if top >= n {
			return top
		}
	}
	for unit := 1; ; unit *= 10 {
		for _, top := range tops {
			if top*unit >= n {
				return top * unit
			}
		}
	}
}
