package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/ops"
)

// describe writes the OpenAPI description of routes: their paths, filters and
// bodies, and the shapes of what they answer, read from the types themselves.
func describe(routes []route) []byte {
	d := describer{schemas: map[string]any{}}
	paths := map[string]map[string]any{}
	for _, r := range routes {
		path := "/api" + strings.ReplaceAll(r.path, ":id", "{id}")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.method)] = d.operation(r)
	}
	paths["/api/openapi.json"] = map[string]any{"get": map[string]any{
		"summary": "This description", "operationId": "get_openapi", "security": []any{},
		"responses": map[string]any{"200": content("application/json", "The description", map[string]any{"type": "object"})},
	}}
	problem := d.schema(reflect.TypeFor[ops.Problem]())
	b, err := json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Segue", "version": "1",
			"description": "What Segue knows and does. Lists are newest first; next, where there is one, is taken back as cursor. " +
				"Directories, sources, workflows and the like are named by name or id. A page can be short, even empty, and still have a next one.",
		},
		"paths": paths,
		"components": map[string]any{
			"schemas":         d.schemas,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
			"responses":       map[string]any{"Problem": content("application/problem+json", "What went wrong (RFC 9457)", problem)},
		},
		"security": []any{map[string]any{"token": []any{}}},
	}, "", " ")
	if err != nil {
		panic("api: " + err.Error()) // texts and maps of them
	}
	return b
}

func content(mime, description string, schema any) map[string]any {
	return map[string]any{"description": description, "content": map[string]any{mime: map[string]any{"schema": schema}}}
}

type describer struct{ schemas map[string]any }

func (d *describer) operation(r route) map[string]any {
	op := map[string]any{"summary": r.summary, "operationId": operationID(r)}
	var parameters []any
	if strings.Contains(r.path, ":id") {
		parameters = append(parameters, map[string]any{"name": "id", "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
	}
	switch {
	case r.body != nil:
		op["requestBody"] = required(d.schema(reflect.TypeOf(r.body)))
	case r.list != "" && r.method == "POST":
		op["requestBody"] = map[string]any{"content": map[string]any{"application/json": map[string]any{"schema": d.filter(r.filter)}}}
	case r.list != "":
		properties := d.filter(r.filter)["properties"].(map[string]any)
		for _, name := range parameterNames(r.filter) {
			parameters = append(parameters, map[string]any{"name": name, "in": "query", "schema": properties[name]})
		}
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	code := "200"
	if r.accepted {
		code = "202"
	}
	op["responses"] = map[string]any{code: d.answer(r), "default": map[string]any{"$ref": "#/components/responses/Problem"}}
	return op
}

func required(schema any) map[string]any {
	return map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": schema}}}
}

// operationID is the method and the path as one word.
func operationID(r route) string {
	return strings.ToLower(r.method) + strings.NewReplacer("/:id", "_one", "/", "_", ".", "_").Replace(r.path)
}

func (d *describer) answer(r route) map[string]any {
	switch {
	case r.answer == nil:
		return content("application/yaml", "The plan", map[string]any{"type": "string"})
	case r.list == "":
		return content("application/json", "Done", d.schema(reflect.TypeOf(r.answer)))
	}
	return content("application/json", "One page", map[string]any{
		"type": "object", "required": []string{r.list},
		"properties": map[string]any{
			r.list: map[string]any{"type": "array", "items": d.schema(reflect.TypeOf(r.answer))},
			"next": map[string]any{"type": "string", "description": "the cursor of the next page; missing on the last one"},
		},
	})
}

// parameterNames are the parameters of a list in order.
func parameterNames(filter any) []string {
	t := reflect.TypeOf(filter)
	var out []string
	for i := range t.NumField() {
		out = append(out, t.Field(i).Tag.Get("query"))
	}
	return append(out, "cursor", "limit")
}

func (d *describer) filter(filter any) map[string]any {
	t := reflect.TypeOf(filter)
	properties := map[string]any{
		"cursor": map[string]any{"type": "string"},
		"limit":  map[string]any{"type": "integer", "minimum": 1, "maximum": ops.MaxLimit, "default": ops.DefaultLimit},
	}
	for i := range t.NumField() {
		s := maps.Clone(d.schema(t.Field(i).Type))
		if doc := t.Field(i).Tag.Get("doc"); doc != "" {
			s["description"] = doc
		}
		properties[t.Field(i).Tag.Get("query")] = s
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

// known are the types whose JSON is not that of their Go kind.
var known = map[reflect.Type]map[string]any{
	reflect.TypeFor[id.ID]():            {"type": "string", "description": "an id: 12 letters and digits, or empty"},
	reflect.TypeFor[time.Time]():        {"type": "string", "format": "date-time"},
	reflect.TypeFor[time.Duration]():    {"type": "integer", "description": "nanoseconds"},
	reflect.TypeFor[jsonvalue.Object](): {"type": "object"},
}

// schema is the JSON shape of a type. Structs are described once, by name.
func (d *describer) schema(t reflect.Type) map[string]any {
	if s, ok := known[t]; ok {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Interface:
		return map[string]any{}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		return d.object(t)
	}
	panic(fmt.Sprintf("api: no description of %s", t))
}

func (d *describer) object(t reflect.Type) map[string]any {
	name := t.Name()
	if _, pkg, core := strings.Cut(t.PkgPath(), "/core/"); core {
		name = strings.ToUpper(pkg[:1]) + pkg[1:] + name // plan.Change is not ops.Change
	}
	ref := map[string]any{"$ref": "#/components/schemas/" + name}
	if _, ok := d.schemas[name]; ok {
		return ref
	}
	properties, must := map[string]any{}, []string{}
	d.schemas[name] = nil // in case it holds itself
	for i := range t.NumField() {
		key, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if key == "" || key == "-" {
			continue
		}
		properties[key] = d.schema(t.Field(i).Type)
		if t.Field(i).Tag.Get("null") == "true" {
			properties[key] = map[string]any{"anyOf": []any{properties[key], map[string]any{"type": "null"}}}
		}
		if option == "" {
			must = append(must, key)
		}
	}
	d.schemas[name] = map[string]any{"type": "object", "required": must, "properties": properties}
	return ref
}
