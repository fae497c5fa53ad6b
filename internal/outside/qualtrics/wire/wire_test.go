package wire_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

func TestRead_WhatHasAnotherShape_IsZero(t *testing.T) {
	t.Parallel()
	var a wire.Answer[wire.Page[wire.Found]]
	require.NoError(t, wire.Read([]byte(`{
		"result":{"elements":[5,{"id":"CID_1","embeddedData":7,"externalDataReference":5,"firstName":{},"email":"a@example.com"}],"nextPage":{}},
		"meta":{"requestId":12,"notice":[],"error":{"errorCode":404,"errorMessage":"no"}}}`), &a))
	require.Equal(t, []wire.Found{{}, {ID: "CID_1", ExtRef: "5", Email: "a@example.com"}}, a.Result.Elements)
	require.Equal(t, wire.Text("12"), a.Meta.RequestID)
	require.Equal(t, wire.Problem{Code: "404", Message: "no"}, a.Meta.Error)
	require.NoError(t, wire.Read([]byte(`[1]`), &a))
	require.Error(t, wire.Read([]byte(`{"result":`), &a))
}

func TestPage_WithoutElements_IsNotEmpty(t *testing.T) {
	t.Parallel()
	for text, there := range map[string]bool{`{}`: false, `{"elements":null}`: false, `{"elements":"x"}`: false, `{"elements":[]}`: true} {
		var p wire.Page[wire.Directory]
		require.NoError(t, wire.Read([]byte(text), &p))
		require.Equal(t, there, p.Elements != nil, text)
	}
}

func TestWrite_WhatIsNotSaid_IsLeftOut(t *testing.T) {
	t.Parallel()
	no := false
	data := jsonvalue.NewObject(1)
	data.Set("plan", "pro")
	at := time.Date(2026, 1, 2, 4, 5, 6, 789e6, time.FixedZone("", 3600))
	for want, v := range map[string]any{
		`{}`: wire.Contact{},
		`{"email":"a@example.com","unsubscribed":false,"embeddedData":{"plan":"pro"}}`: wire.Contact{Email: "a@example.com", Unsubscribed: &no, EmbeddedData: wire.Values{Object: data}},
		`{"embeddedData":{}}`:                     wire.Contact{EmbeddedData: wire.Values{Object: jsonvalue.NewObject(0)}},
		`{"surveyId":"SV_1","type":"Individual"}`: wire.SurveyLink{SurveyID: "SV_1", Type: wire.Individual},
		`{"elements":[],"nextPage":null}`:         wire.Page[wire.Directory]{Elements: []wire.Directory{}},
		`{"messageText":"<b>&"}`:                  wire.Message{Text: "<b>&"},
		`"2026-01-02 03:05:06"`:                   wire.Date{Time: at},
		`"2026-01-02T03:05:06Z"`:                  wire.Instant{Time: at},
		`{"contactId":"","contactLookupId":"","status":"Opened","openedAt":"2026-01-02 03:05:06"}`: wire.Invited{Status: wire.StatusOpened, OpenedAt: wire.Date{Time: at}},
	} {
		text, err := wire.Write(v)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}

func TestDates_AreReadInBothWays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		`"2026-01-02 03:04:05"`: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T04:04:05+01:00"`: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		`null`: {}, `""`: {}, `5`: {}, `"soon"`: {},
	} {
		var d wire.Date
		var i wire.Instant
		require.NoError(t, json.Unmarshal([]byte(text), &d))
		require.NoError(t, json.Unmarshal([]byte(text), &i))
		require.Equal(t, want, d.Time, text)
		require.Equal(t, want, i.Time, text)
	}
}
