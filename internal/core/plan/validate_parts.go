package plan

import (
	"slices"
	"strings"
)

func (v *validator) sources() {
	v.names("sources", "source", v.named.sources)
	keys := map[Secret]string{}
	for i, s := range v.plan.Sources {
		at := element("sources", i)
		for j, k := range s.WriteKeys {
			at := element(child(at, "write_keys"), j)
			v.secret(at, k)
			if other, ok := keys[k]; ok && k != "" {
				v.add(at, "%s has the same write key: which source an event belongs to must be clear", other)
				continue
			}
			keys[k] = at
		}
		for j, k := range s.WebhookSecrets {
			v.secret(element(child(at, "webhook_secrets"), j), k)
		}
		if s.Deletes != "" {
			v.one(child(at, "deletes"), s.Deletes, "ignore", "erase")
		}
	}
}

// attributes are what a merge rule may name, beside embedded_data.<key>.
var attributes = []string{"ext_ref", "email", "phone", "first_name", "last_name"}

func (v *validator) directories() {
	v.names("directories", "directory", v.named.directories)
	standard := -1
	for i, d := range v.plan.Directories {
		at := element("directories", i)
		if d.Default {
			if standard >= 0 {
				v.add(child(at, "default"), "%s is the default directory already", element("directories", standard))
			} else {
				standard = i
			}
		}
		v.mergeRules(child(at, "merge_rules"), d.MergeRules)
		lists := map[string]bool{}
		for j, l := range d.MailingLists {
			at := element(child(at, "mailing_lists"), j)
			v.name(at, l)
			if lists[l] && l != "" {
				v.add(at, "the mailing list %q is there twice", l)
			}
			lists[l] = true
		}
		if d.PhoneRegion != "" && !regionCode.MatchString(d.PhoneRegion) {
			v.add(child(at, "phone_region"), "%q is no region: want two capital letters such as JP", clip(d.PhoneRegion))
		}
		if f := d.Frequency; f != nil {
			at := child(child(at, "frequency"), "per_contact")
			if f.PerContact.Messages < 1 {
				v.add(child(at, "messages"), "want 1 or more, found %d", f.PerContact.Messages)
			}
			if f.PerContact.Per <= 0 {
				v.add(child(at, "per"), "want a duration such as 30d")
			}
		}
	}
	if standard < 0 && len(v.plan.Directories) > 1 {
		v.add("directories", "one of several directories must have default: true")
	}
}

func (v *validator) mergeRules(at string, rules [][]string) {
	seen := map[string]int{}
	for i, rule := range rules {
		at := element(at, i)
		if len(rule) == 0 {
			v.add(at, "a rule needs at least one attribute")
		}
		inRule := map[string]bool{}
		for j, a := range rule {
			at := element(at, j)
			key, embedded := strings.CutPrefix(a, "embedded_data.")
			switch {
			case strings.Contains(a, "+"):
				v.add(at, "%q: a key with + cannot be merged by", clip(a))
			case embedded && key != "", slices.Contains(attributes, a):
			default:
				v.add(at, "%q is no attribute to merge by: want %s or embedded_data.<key>%s",
					clip(a), strings.Join(attributes, ", "), near(a, attributes))
			}
			if inRule[a] {
				v.add(at, "%q is there twice", clip(a))
			}
			inRule[a] = true
		}
		id := strings.Join(slices.Sorted(slices.Values(rule)), "\x00")
		if j, ok := seen[id]; ok {
			v.add(at, "the same rule as number %d", j+1)
		} else {
			seen[id] = i
		}
	}
}

func (v *validator) destinations() {
	v.names("destinations", "destination", v.named.destinations)
	for i, d := range v.plan.Destinations {
		at := element("destinations", i)
		if !v.one(child(at, "type"), d.Type, TypeDirectory, TypeQualtrics) {
			continue
		}
		if d.Type == TypeDirectory {
			v.exists(child(at, "directory"), "directory", d.Directory, v.named.directories)
			v.unwanted(at, "for type directory", map[string]bool{"datacenter": d.Datacenter != "", "api_token": d.APIToken != "", "workflow_hosts": len(d.WorkflowHosts) > 0})
			continue
		}
		v.unwanted(at, "for type qualtrics; its mappings name the directory", map[string]bool{"directory": d.Directory != ""})
		if d.Datacenter != "" && !datacenterID.MatchString(d.Datacenter) {
			v.add(child(at, "datacenter"), "%q is no data center id: want letters, digits and -, such as fra1", clip(d.Datacenter))
		}
		if d.APIToken == "" {
			v.add(child(at, "api_token"), "is required for type qualtrics")
		} else {
			v.secret(child(at, "api_token"), d.APIToken)
		}
		for j, h := range d.WorkflowHosts {
			if !workflowHost.MatchString(h) {
				v.add(element(child(at, "workflow_hosts"), j), "%q is no host: want hooks.example.com, hooks.example.com:8443 or http://hooks.example.com", clip(h))
			}
		}
	}
}

func (v *validator) mappings() {
	v.names("mappings", "mapping", v.named.mappings)
	for i, m := range v.plan.Mappings {
		at := element("mappings", i)
		v.exists(child(at, "source"), "source", m.Source, v.named.sources)
		known := v.exists(child(at, "destination"), "destination", m.Destination, v.named.destinations)
		if m.When != nil {
			v.check(child(at, "when"), v.checks.Filter, *m.When)
		}
		if !v.one(child(at, "action"), m.Action, UpsertContact, UpsertTransaction, StartWorkflow) || !known {
			continue
		}
		builtIn := v.types[m.Destination] == TypeDirectory
		if m.Action == StartWorkflow {
			v.unwanted(at, "for start_workflow, which writes no contact", map[string]bool{"mode": m.Mode != "", "may_resubscribe": m.MayResubscribe})
		} else if m.Mode != "" {
			v.one(child(at, "mode"), m.Mode, ModeUpsert, ModeUpdateOnly, ModeCreateOnly)
		}
		switch workflow := child(at, "workflow"); {
		case m.Action == StartWorkflow && builtIn:
			v.exists(workflow, "workflow", m.Workflow, v.named.workflows)
		case m.Workflow != "" && m.Action == StartWorkflow:
			v.add(workflow, "means nothing for a destination of type qualtrics: map fields.workflowUrl")
		case m.Workflow != "":
			v.add(workflow, "means nothing for %s, only for start_workflow", m.Action)
		}
		if v.checks.Mapping != nil {
			v.addError(child(at, "fields"), v.checks.Mapping(m.Action, m.Fields, builtIn))
		}
	}
}

func (v *validator) surveys() {
	v.names("surveys", "survey", v.named.surveys)
	for i, s := range v.plan.Surveys {
		at := element("surveys", i)
		if s.Secret != "" {
			v.secret(child(at, "secret"), s.Secret)
		}
		if s.URL != "" {
			at := child(at, "url")
			if !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://") && !strings.HasPrefix(s.URL, "{{") {
				v.add(at, "%q is no web address: want https://…", clip(s.URL))
			}
			v.check(at, v.checks.Template, s.URL)
			if len(s.Question) > 0 {
				v.add(child(parent(at), "question"), "means nothing beside a url: it is for the built-in survey")
			}
		}
		for _, lang := range sortedLanguages(s.Question) {
			at := member(child(at, "question"), lang)
			if !languageCode.MatchString(lang) {
				v.add(at, "%q is no language: want a tag such as en or pt-BR", clip(lang))
			}
			if strings.TrimSpace(s.Question[lang]) == "" {
				v.add(at, "is empty")
			}
		}
	}
}

func sortedLanguages(q map[string]string) []string {
	langs := make([]string, 0, len(q))
	for l := range q {
		langs = append(langs, l)
	}
	slices.Sort(langs)
	return langs
}
