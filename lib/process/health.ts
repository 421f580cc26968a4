import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

/** Names what a deployable needs, and whether each is there now: `true`, or a sentence saying what is missing. */
export type Readiness = Record<string, () => true | string | Promise<true | string>>

export interface ReadinessReport {
  ready: boolean
  checks: Record<string, string>
}

/** Asks every check; one that throws counts as missing, with its message. */
export const checkReadiness = async (readiness: Readiness): Promise<ReadinessReport> => {
  const entries = await Promise.all(
    Object.entries(readiness).map(async ([name, check]): Promise<[string, string]> => {
      try {
        const answer = await check()
        return [name, answer === true ? 'ok' : answer]
      } catch (error) {
        return [name, error instanceof Error ? error.message : String(error)]
      }
    }),
  )
  return { ready: entries.every(([, answer]) => answer === 'ok'), checks: Object.fromEntries(entries) }
}

/**
 * `/healthz` (200 while the process lives), `/readyz` (200, or 503 naming what is missing) and `/metrics` for deployables
 * that have no HTTP server of their own. Port 0 picks a free one.
 */
export const serveHealth = async (options: { host: string; port: number; readiness: Readiness; metrics: Metrics }) => {
  const answers: Record<string, (response: ServerResponse) => Promise<void>> = {
    '/healthz': async (response) => answerReport(response, { ready: true, checks: {} }),
    '/readyz': async (response) => answerReport(response, await checkReadiness(options.readiness)),
    '/metrics': async (response) => {
      const { contentType, text } = await options.metrics.render()
      response.writeHead(200, { 'content-type': contentType }).end(text)
    },
  }
  const server = createServer(async (request, response) => {
    const answer = answers[request.url?.split('?')[0] ?? '']
    if (answer) await answer(response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const answerReport = (response: ServerResponse, report: ReadinessReport): void => {
  response.writeHead(report.ready ? 200 : 503, { 'content-type': 'application/json' })
  response.end(JSON.stringify(report))
}
