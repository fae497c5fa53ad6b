package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

//go:embed templates
var templateFiles embed.FS

// Page is what a template gets: the reader's view, and the data of this page.
type Page[T any] struct {
	*View
	Title string
	Data  T
}

// renderer holds a parsed set per page: layout, partials and the page's own file.
type renderer struct {
	sets  map[string]*template.Template
	words map[string]*catalogue
	pool  sync.Pool
}

// partPrefix begins the names of blocks that may be asked for alone.
const partPrefix = "part-"

func newRenderer() (*renderer, error) {
	words, err := loadCatalogues()
	if err != nil {
		return nil, err
	}
	r := &renderer{sets: map[string]*template.Template{}, words: words}
	r.pool.New = func() any { return new(bytes.Buffer) }

	funcs := template.FuncMap{"asset": assetPath}
	shared, err := template.New("").Funcs(funcs).Option("missingkey=error").
		ParseFS(templateFiles, "templates/layout.html", "templates/partials.html")
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{"views", "help"} {
		files, err := fs.Glob(templateFiles, "templates/"+dir+"/*.html")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			set, err := template.Must(shared.Clone()).ParseFS(templateFiles, file)
			if err != nil {
				return nil, fmt.Errorf("console: %w", err)
			}
			r.sets[viewName(file)] = set
		}
	}
	return r, nil
}

func viewName(file string) string {
	name := strings.TrimSuffix(path.Base(file), ".html")
	if path.Base(path.Dir(file)) == "help" {
		return "help/" + name
	}
	return name
}

// render executes a page, or one part of it, into a buffer and hands the bytes to
// use only when all of it succeeded: nobody gets half a page.
func (r *renderer) render(view, part string, page any, use func([]byte)) error {
	set := r.sets[view]
	if set == nil {
		return fmt.Errorf("console: no view %q", view)
	}
	name := "layout"
	if part != "" {
		name = partPrefix + part
	}
	buf := r.pool.Get().(*bytes.Buffer)
	buf.Reset()
	defer r.pool.Put(buf)
	if err := set.ExecuteTemplate(buf, name, page); err != nil {
		return fmt.Errorf("console: view %q: %w", view, err)
	}
	use(buf.Bytes())
	return nil
}

// has reports whether a view can answer with this part alone.
func (r *renderer) has(view, part string) bool {
	set := r.sets[view]
	return set != nil && part != "" && set.Lookup(partPrefix+part) != nil
}

// show answers with a page, or with the one part that the request's X-Part asks
// for: same handler, same data.
func show[T any](r *request, view, title string, data T) error {
	return showStatus(r, fiber.StatusOK, view, title, data)
}

func showStatus[T any](r *request, status int, view, title string, data T) error {
	part := r.Get("X-Part")
	if !r.console.renderer.has(view, part) {
		part = ""
	}
	page := &Page[T]{View: r.view, Title: title, Data: data}
	return r.console.renderer.render(view, part, page, func(b []byte) {
		r.Status(status)
		r.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		r.Set("Content-Language", r.view.Lang)
		if part != "" {
			r.Set("X-Title", url.PathEscape(title+" – Segue"))
		}
		r.Response().SetBody(b) // copies
	})
}
