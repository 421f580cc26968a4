import { once } from 'node:events'
import { createServer } from 'node:http'

/** Counters and gauges in Prometheus' text format, at `/metrics`. */
export const makeMetrics = async (port) => {
  const counters = new Map()
  const gauges = new Map()

  const render = () => {
    const types = new Map([...counters.keys()].map((series) => [series.split('{')[0], 'counter']))
    for (const name of gauges.keys()) types.set(name, 'gauge')
    const lines = [...types].flatMap(([name, type]) => [
      `# TYPE ${name} ${type}`,
      ...[...counters, ...gauges]
        .filter(([series]) => series.split('{')[0] === name)
        .map(([series, value]) => `${series} ${value}`),
    ])
    return `${lines.join('\n')}\n`
  }

  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(render())
  })
  server.listen(port)
  await once(server, 'listening')
  console.log(`metrics on port ${server.address().port}`)

  return {
    /** `value` must be one of a few, as each becomes a series of its own. */
    count: (name, label, value) => {
      const series = `${name}{${label}="${/^[a-z._-]{1,50}$/.test(value) ? value : 'other'}"}`
      counters.set(series, (counters.get(series) ?? 0) + 1)
    },
    set: (name, value) => gauges.set(name, value),
    close: () => new Promise((resolve) => server.close(resolve) && server.closeAllConnections()),
  }
}
