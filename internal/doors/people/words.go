package people

// Message is a page that only says something.
type Message struct{ Title, Text string }

// Words are all texts of the pages in one language.
type Words struct {
	Question, Required, Optional, Send string
	Scale                              [5]string // from worst to best
	AskTitle, AskText, AskButton       string

	OptedOut, Thanks, Already, Closed, Unknown, Broken, TooLong Message
}

var catalogue = map[string]Words{
	"en": {
		Question: "How was your experience?",
		Required: "Please choose one of the five.",
		Optional: "Would you like to tell us more? (optional)",
		Send:     "Send",
		Scale:    [5]string{"Very poor", "Poor", "Fair", "Good", "Very good"},

		AskTitle:  "Stop invitations?",
		AskText:   "You will get no more invitations to give feedback from us.",
		AskButton: "Stop invitations",

		OptedOut: Message{"You are unsubscribed", "We will not invite you again. You can close this page."},
		Thanks:   Message{"Thank you", "Your answer has been sent. You can close this page."},
		Already:  Message{"You have already answered", "Thank you. Your answer has reached us; there is nothing more to do."},
		Closed:   Message{"This survey is closed", "The time to answer is over. Thank you for your interest."},
		Unknown:  Message{"This link does not work", "It may be incomplete or no longer valid. Please open it again from the mail you received."},
		Broken:   Message{"This does not work right now", "Please try again in a few minutes."},
		TooLong:  Message{"Your answer is too long", "Please go back and shorten it."},
	},
	"ja": {
		Question: "ご利用はいかがでしたか？",
		Required: "5つの中から1つお選びください。",
		Optional: "よろしければ、詳しくお聞かせください（任意）",
		Send:     "送信する",
		Scale:    [5]string{"とても悪い", "悪い", "ふつう", "良い", "とても良い"},

		AskTitle:  "ご案内の配信を停止しますか？",
		AskText:   "停止すると、今後アンケートのご案内をお送りしません。",
		AskButton: "配信を停止する",

		OptedOut: Message{"配信を停止しました", "今後、ご案内をお送りすることはありません。このページは閉じていただいて構いません。"},
		Thanks:   Message{"ありがとうございました", "ご回答を送信しました。このページは閉じていただいて構いません。"},
		Already:  Message{"すでにご回答いただいています", "ご協力ありがとうございました。これ以上のお手続きは必要ありません。"},
		Closed:   Message{"このアンケートは終了しました", "回答の受付期間が終わりました。ご関心をお寄せいただき、ありがとうございました。"},
		Unknown:  Message{"このリンクは使えません", "リンクが途中で切れているか、有効ではなくなっています。お届けしたメールからもう一度お開きください。"},
		Broken:   Message{"ただいまご利用いただけません", "数分後にもう一度お試しください。"},
		TooLong:  Message{"ご回答が長すぎます", "前のページに戻り、短くしてからお送りください。"},
	},
}
