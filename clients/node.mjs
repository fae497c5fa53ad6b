// Sends each kind of call with @segment/analytics-node and says on standard output,
// as JSON, what the SDK saw and which messages it gave up.
//
//	node node.mjs http://127.0.0.1:8080 <write key>
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const seen = { statuses: [], retries: [], delivered: [], failed: [] }

const analytics = new Analytics({ writeKey, host })
analytics.on('http_request', (request) => seen.retries.push(request.headers['X-Retry-Count'] ?? ''))
analytics.on('http_response', (response) => seen.statuses.push(response.status))
// Without a listener, the SDK logs failures.
analytics.on('error', () => {})
const settled = (err, ctx) =>
  err ? seen.failed.push(String(err.reason?.message ?? err.reason ?? err)) : seen.delivered.push(ctx.event.messageId)

const context = { locale: 'ja-JP', traits: { email: 'hana@example.com' } }
analytics.identify({ userId: 'u', traits: { email: 'hana@example.com', age: 41.5 } }, settled)
analytics.track({ userId: 'u', event: 'Signed Up', properties: { plan: 'プロ' }, context, messageId: 'node-own-id' }, settled)
analytics.page({ anonymousId: 'a', name: 'Home', category: 'Docs' }, settled)
await analytics.flush()

analytics.screen({ anonymousId: 'a', name: 'Start' }, settled)
analytics.group({ userId: 'u', groupId: 'g', traits: { plan: 'pro' } }, settled)
analytics.alias({ userId: 'u', previousId: 'a' }, settled)
await analytics.closeAndFlush()

console.log(JSON.stringify(seen))
