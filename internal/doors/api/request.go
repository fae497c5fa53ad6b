package api

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
)

const (
	maxFilterBody = 64 << 10
	maxPlanBody   = 2 * plan.MaxSize // the plan as JSON text, and its secrets
)

// readFilter reads a list request: the query of a GET, the JSON body of a POST.
// What it does not know is an error that names it.
func readFilter[F any](c *fiber.Ctx) (f F, p ops.Paging, err error) {
	values, err := filterValues(c)
	if err != nil {
		return f, p, err
	}
	fields := fieldsOf(reflect.ValueOf(&f).Elem())
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := values[name]
		switch name {
		case "cursor":
			p.Cursor = text
		case "limit":
			if p.Limit, err = strconv.Atoi(text); err != nil || p.Limit < 1 {
				return f, p, fault.Field("limit", "want a number from 1 to %d; found %q", ops.MaxLimit, text)
			}
		default:
			v, ok := fields[name]
			if !ok {
				return f, p, unknown(name, fields)
			}
			if err := set(v, name, text); err != nil {
				return f, p, err
			}
		}
	}
	return f, p, nil
}

func unknown(name string, fields map[string]reflect.Value) error {
	known := append(slices.Sorted(maps.Keys(fields)), "cursor", "limit")
	return fault.Field(name, "unknown filter; there are %s", strings.Join(known, ", "))
}

// filterValues are the filters of a request by name, each once and copied.
func filterValues(c *fiber.Ctx) (map[string]string, error) {
	values := map[string]string{}
	var twice error
	c.Request().URI().QueryArgs().VisitAll(func(k, v []byte) {
		if _, ok := values[string(k)]; ok && twice == nil {
			twice = fault.Field(string(k), "given more than once")
		}
		values[string(k)] = string(v)
	})
	if twice != nil || c.Method() != fiber.MethodPost {
		return values, twice
	}
	if len(values) > 0 {
		return nil, fault.New(fault.Invalid, "a search takes its filters in the body, not in the query")
	}
	body, err := kit.ReadBody(c, maxFilterBody)
	if err != nil || len(body) == 0 {
		return values, err
	}
	var given map[string]any
	if err := kit.Decode(body, &given); err != nil {
		return nil, err
	}
	for name, v := range given {
		switch v := v.(type) {
		case string:
			values[name] = v
		case json.Number:
			values[name] = v.String()
		case nil: // as if it were not there
		default:
			return nil, fault.Field(name, "want a text")
		}
	}
	return values, nil
}

// fieldsOf are a filter's fields by their query names.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value, v.NumField())
	for i := range v.NumField() {
		fields[v.Type().Field(i).Tag.Get("query")] = v.Field(i)
	}
	return fields
}

// set puts a text into a filter's field: a text, or an instant.
func set(v reflect.Value, name, text string) error {
	if v.Kind() == reflect.String {
		if strings.ContainsRune(text, 0) {
			return fault.Field(name, "must not have a zero byte")
		}
		v.SetString(text)
		return nil
	}
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fault.Field(name, "want a time like 2026-03-01T12:00:00Z; found %q", text)
	}
	v.Set(reflect.ValueOf(&t))
	return nil
}

// readPlan reads the body of the calls about plans.
func readPlan(c *fiber.Ctx) (in ops.PlanInput, err error) {
	body, err := kit.ReadBody(c, maxPlanBody)
	if err != nil {
		return in, err
	}
	var given struct {
		ops.PlanInput
		Plan *string `json:"plan"`
	}
	if err := kit.Decode(body, &given); err != nil {
		return in, err
	}
	if given.Plan == nil {
		return in, fault.Field("plan", "want the plan's YAML")
	}
	in = given.PlanInput
	in.Plan = *given.Plan
	return in, nil
}
