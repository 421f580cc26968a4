import { probeDatabase } from '../../lib/db/probe.ts'
import { probeBroker } from '../../lib/rabbit/probe.ts'
import { makeS3Store, type S3Options } from '../../lib/storage/s3.ts'

// Says as JSON what becomes of each service, in a process that trusts what its environment says.
const services = JSON.parse(process.argv[2]!) as { name: string; kind: string; url: string; s3: S3Options }[]
const look: Record<string, (url: string, s3: S3Options) => Promise<string>> = {
  broker: async (url) => (await probeBroker(url))?.message ?? 'ok',
  database: async (url) => (await probeDatabase(url))?.message ?? 'ok',
  store: async (url, s3) => {
    const store = makeS3Store({ ...s3, endpoint: url })
    const answer = await store.ready()
    store.close()
    return answer === true ? 'ok' : answer
  },
}
const answers = await Promise.all(services.map(async ({ name, kind, url, s3 }) => [name, await look[kind]!(url, s3)]))
console.log(JSON.stringify(Object.fromEntries(answers)))
