package mapping_test

import (
	"testing"

	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// averageEvent is of the size and shape that browsers send.
const averageEvent = `{"type":"identify","userId":"u-28f1","anonymousId":"5f3a9e28-9246-4151-894d-d4b8e810fbea","messageId":"ajs-next-1722-64611e69",
	"channel":"client","timestamp":"2025-05-06T07:08:09.123Z","originalTimestamp":"2025-05-06T07:08:09.100Z","sentAt":"2025-05-06T07:08:10.123Z",
	"receivedAt":"2025-05-06T07:08:11.123Z","version":2,"integrations":{"All":true},"event":"Order Completed",
	"context":{"library":{"name":"analytics.js","version":"next-1.70.0"},"locale":"de-DE","ip":"203.0.113.9","timezone":"Europe/Berlin",
		"page":{"path":"/","referrer":"https://www.example.org/","search":"?q=x","title":"Home","url":"https://shop.example.com/"},
		"campaign":{"name":"spring","source":"newsletter","medium":"email"},"userAgent":"Mozilla/5.0"},
	"traits":{"email":"ann@example.com","phone":"+493012345","firstName":"Ann","lastName":"Lee","language":"DE","plan":"pro","age":37,
		"qualtricsMailingListId":"CG_1","address":{"city":"Berlin","zip":"10115"}},
	"properties":{"order_id":"507f","total":12.5,"currency":"EUR","products":[{"sku":"s1","price":1},{"sku":"s2","price":2.25}]}}`

func BenchmarkActionMapping_Apply(b *testing.B) {
	event := object(b, averageEvent)
	for _, action := range []string{plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow} {
		a, err := mapping.ForAction(action, nil, true)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(action, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Apply(event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMapping_Liquid(b *testing.B) {
	event := object(b, averageEvent)
	m, err := mapping.Compile(value(b, `{"v":{"@liquid":"{{ event | default: type | upcase }}|{{ traits.firstName | default: \"friend\" }}"}}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Apply(event); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForAction(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mapping.ForAction(plan.UpsertContact, nil, true); err != nil {
			b.Fatal(err)
		}
	}
}
