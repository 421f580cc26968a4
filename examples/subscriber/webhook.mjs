import { setTimeout as delay } from 'node:timers/promises'

const attempts = 5
const limitMs = 10_000

/**
 * Posts `{ "text": … }`, as Slack, Mattermost and many others take it. What fails is tried 5 times, further and further
 * apart; then it is given up and counted, so that a dead webhook can't hold up everything behind it for ever.
 */
export const makeWebhook = ({ url, stop, metrics }) => {
  const tryOnce = async (text) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
      signal: AbortSignal.any([stop, AbortSignal.timeout(limitMs)]),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`)
  }

  return {
    /** Resolves when it is posted, or given up; rejects when the program stops meanwhile. */
    post: async (text) => {
      if (!url) return
      for (let attempt = 1; attempt <= attempts; attempt++) {
        try {
          await tryOnce(text)
          return metrics.count('manman_webhook_posts_total', 'outcome', 'sent')
        } catch (error) {
          console.error(`webhook, attempt ${attempt}: ${error.message}`)
          if (attempt < attempts) await delay(500 * 2 ** (attempt - 1), undefined, { signal: stop })
        }
      }
      metrics.count('manman_webhook_posts_total', 'outcome', 'given_up')
    },
  }
}
