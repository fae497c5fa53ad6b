package flow

import (
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/osteele/liquid/filters"
	"github.com/osteele/liquid/render"
	"github.com/osteele/liquid/tags"
	"github.com/osteele/liquid/values"
	"github.com/osteele/tuesday"
	"gopkg.in/yaml.v2"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var (
	errTooLong  = fmt.Errorf("the text grows beyond %d KB", maxText>>10)
	errTooMuch  = fmt.Errorf("its loops make more than %d rounds", maxRounds)
	errNoDate   = errors.New(`not a date; "now" is not known to templates`)
	errIncludes = errors.New("include is not available")
)

// The two languages: the same tags and filters, but in HTML some filters and
// capture give markup that must not be escaped again.
var (
	textLanguage, textRenderers = language(false, nil), newRenderers(false)
	htmlLanguage, htmlRenderers = language(true, nil), newRenderers(true)
)

// markup is text that is HTML already.
type markup string

// language is Liquid without what reaches outside the template (include, the
// time of day) and with filters that cannot grow a text without limit, and whose
// work is charged to the meter; without one it is for reading templates only.
func language(asHTML bool, m *meter) *render.Config {
	cfg := render.NewConfig()
	tags.AddStandardTags(cfg)
	cfg.AddTag("include", func(string) (func(io.Writer, render.Context) error, error) { return nil, errIncludes })
	d := dictionary{&cfg, m}
	filters.AddStandardFilters(d)
	d.AddFilter("capitalize", func(s string) string {
		r, n := utf8.DecodeRuneInString(s)
		return strings.ToUpper(string(r)) + s[n:]
	})
	d.AddFilter("json", func(v any) string { return jsonvalue.Text(fromLiquid(v)) })
	d.AddFilter("inspect", func(v any) string { return jsonvalue.Text(fromLiquid(v)) })
	d.AddFilter("type", func(v any) string { return jsonvalue.TypeName(fromLiquid(v)) })
	d.AddFilter("date", date)
	d.AddFilter("uniq", uniq)
	d.AddFilter("join", func(v any, sep func(string) string) string {
		list, ok := fromLiquid(v).([]any)
		if !ok {
			return outputText(v)
		}
		var parts []string
		for _, e := range list {
			if !jsonvalue.IsNil(e) {
				parts = append(parts, plainText(e))
			}
		}
		return strings.Join(parts, sep(" "))
	})
	d.AddFilter("replace", func(s, old, with string) (string, error) {
		if len(s)+strings.Count(s, old)*len(with) > maxText {
			return "", errTooLong
		}
		return strings.ReplaceAll(s, old, with), nil
	})
	d.AddFilter("truncate", func(s string, length func(int) int, ellipsis func(string) string) string {
		r, end := []rune(s), []rune(ellipsis("..."))
		n := max(0, length(50))
		if len(r) <= n {
			return s
		}
		return string(r[:max(0, n-len(end))]) + string(end)
	})
	d.AddFilter("truncatewords", func(s string, length func(int) int, ellipsis func(string) string) string {
		words, n := strings.Fields(s), max(1, length(15))
		if len(words) <= n {
			return s
		}
		return strings.Join(words[:n], " ") + ellipsis("...")
	})
	if asHTML {
		d.AddFilter("escape", func(v any) markup { return escaped(v) })
		d.AddFilter("escape_once", func(v any) markup { return markup(html.EscapeString(html.UnescapeString(outputText(v)))) })
		d.AddFilter("newline_to_br", func(v any) markup {
			return markup(strings.ReplaceAll(string(escaped(v)), "\n", "<br />\n"))
		})
	}
	return &cfg
}

// escaped is a value as HTML.
func escaped(v any) markup {
	if m, ok := v.(markup); ok {
		return m
	}
	return markup(html.EscapeString(outputText(v)))
}

// date formats a time text or a number of Unix seconds. The times that the
// library reads from the clock are errors here; a text without a zone is UTC.
func date(v any, format func(string) string) (any, error) {
	var t time.Time
	switch v := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		t = v
	case int:
		t = time.Unix(int64(v), 0)
	case float64:
		t = time.UnixMilli(int64(v * 1000))
	case string:
		if strings.TrimSpace(v) == "now" {
			return nil, errNoDate
		}
		var err error
		if t, err = time.Parse(time.RFC3339Nano, v); err != nil {
			if t, err = values.ParseDate(v); err != nil {
				return nil, errNoDate
			}
			if t.Location() == time.Local {
				t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
			}
		}
	default:
		return nil, errNoDate
	}
	return tuesday.Strftime(format("%a, %b %d, %y"), t.UTC())
}

// dictionary takes filters, and bounds what they do and give.
type dictionary struct {
	cfg   *render.Config
	meter *meter
}

func (d dictionary) AddFilter(name string, fn any) {
	f := reflect.ValueOf(fn)
	t := f.Type()
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = t.In(i)
	}
	failure := reflect.TypeFor[error]()
	bounded := reflect.FuncOf(in, []reflect.Type{t.Out(0), failure}, t.IsVariadic())
	d.cfg.AddFilter(name, reflect.MakeFunc(bounded, func(args []reflect.Value) []reflect.Value {
		if d.meter != nil {
			n := 1
			for _, a := range args {
				if a.CanInterface() {
					n += reading(a.Interface())
				}
			}
			if err := d.meter.spend(n * max(1, costly[name])); err != nil {
				return []reflect.Value{reflect.Zero(t.Out(0)), reflect.ValueOf(&err).Elem()}
			}
		}
		out := f.Call(args)
		if len(out) == 1 {
			out = append(out, reflect.Zero(failure))
		}
		v := out[0]
		if v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if k := v.Kind(); k == reflect.String || k == reflect.Slice {
			if v.Len() > maxText {
				return []reflect.Value{reflect.Zero(t.Out(0)), reflect.ValueOf(&errTooLong).Elem()}
			}
			if d.meter != nil {
				d.meter.extent = max(d.meter.extent, v.Len())
			}
		}
		return out
	}).Interface())
}

// lazy is a variable that is made a Liquid value when it is first used.
type lazy struct{ get func() any }

// ToLiquid is what the library asks of a drop.
func (l lazy) ToLiquid() any { return l.get() }

// toLiquid makes a Liquid value: whole numbers become integers, so that they
// index and divide as people expect, and objects keep the order of their keys.
func toLiquid(v any) any {
	switch v := present(v).(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int(v)
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = toLiquid(e)
		}
		return out
	case *jsonvalue.Object:
		out := make(yaml.MapSlice, 0, v.Len())
		for k, e := range v.All() {
			out = append(out, yaml.MapItem{Key: k, Value: toLiquid(e)})
		}
		return out
	default:
		return v
	}
}

// fromLiquid is the inverse of toLiquid, for what filters may give too.
func fromLiquid(v any) any {
	switch v := values.ToLiquid(v).(type) {
	case nil, bool, float64, string:
		return v
	case markup:
		return string(v)
	case yaml.MapSlice:
		o := jsonvalue.NewObject(len(v))
		for _, item := range v {
			o.Set(fmt.Sprint(item.Key), fromLiquid(item.Value))
		}
		return o
	case time.Time:
		return v.Format(time.RFC3339)
	default:
		r := reflect.ValueOf(v)
		switch {
		case r.CanInt():
			return float64(r.Int())
		case r.CanFloat():
			return r.Float()
		case r.Kind() == reflect.Slice:
			out := make([]any, r.Len())
			for i := range out {
				out[i] = fromLiquid(r.Index(i).Interface())
			}
			return out
		}
		return fmt.Sprint(v)
	}
}

// outputText is what {{ v }} writes: nothing for null, numbers as JavaScript
// writes them, the elements of an array one after the other, objects as JSON.
func outputText(v any) string { return plainText(fromLiquid(v)) }

func plainText(v any) string {
	switch v := v.(type) {
	case nil, jsonvalue.Undefined:
		return ""
	case string:
		return v
	case float64:
		return jsonvalue.NumberText(v)
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(plainText(e))
		}
		return b.String()
	default:
		return jsonvalue.Text(v)
	}
}
