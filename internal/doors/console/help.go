package console

import "strings"

// HelpView is a page of help: the topics, and on the index marks and words.
type HelpView struct {
	Topics []Topic
	Marks  []Mark
	Keys   []KeyHelp
	Words  []Word
}

// Topic is one help page.
type Topic struct {
	Path, Title, Text string
	Current           bool
}

// KeyHelp is one key and what it does.
type KeyHelp struct {
	Keys []string
	Text string
}

// Word is one word of the domain.
type Word struct{ Name, Text string }

// topics have a template a language: help/<topic>.<lang>.html.
var topics = []string{"fql", "jsonpath", "cel", "segment"}

var helpWords = []string{"source", "event", "destination", "mapping", "delivery", "contact", "transaction", "workflow", "step", "run", "distribution", "invitation"}

func (v *View) topics(current string) []Topic {
	all := make([]Topic, len(topics))
	for i, t := range topics {
		all[i] = Topic{Path: "/help/" + t, Title: v.T("help." + t), Text: v.T("help." + t + "_text"), Current: t == current}
	}
	return all
}

// KeyList is what each key does, for the help page and the list behind "?".
func (v *View) KeyList() []KeyHelp {
	list := []KeyHelp{
		{[]string{"/"}, v.T("keys.find")},
		{[]string{"j", "k"}, v.T("keys.rows")},
		{[]string{"Enter"}, v.T("keys.open")},
		{[]string{"c"}, v.T("keys.copy")},
		{[]string{"f"}, v.T("keys.filter")},
		{[]string{"n"}, v.T("keys.newer")},
		{[]string{"p"}, v.T("keys.pause")},
		{[]string{"r"}, v.T("keys.refresh")},
		{[]string{"t"}, v.T("keys.tree")},
		{[]string{"?"}, v.T("keys.list")},
	}
	for _, n := range navigation {
		if n.key != "?" {
			list = append(list, KeyHelp{[]string{"g", n.key}, v.T(n.text)})
		}
	}
	return list
}

func (c *Console) helpIndex(r *request) error {
	v := r.view
	data := HelpView{Topics: v.topics(""), Keys: v.KeyList()}
	for _, code := range []string{"done", "pending", "retrying", "held", "rejected", "not_matched", "invalid"} {
		data.Marks = append(data.Marks, v.Status(code))
	}
	for _, w := range helpWords {
		data.Words = append(data.Words, Word{Name: v.T("word." + w), Text: v.T("word." + w + "_text")})
	}
	return show(r, "help", v.T("nav.help"), data)
}

func (c *Console) help(r *request) error {
	topic := strings.Clone(r.Params("topic"))
	view := "help/" + topic + "." + r.view.Lang
	if c.renderer.sets[view] == nil {
		return errNoPage
	}
	return show(r, view, r.view.T("help."+topic), HelpView{Topics: r.view.topics(topic)})
}
