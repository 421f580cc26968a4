import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { run } from './docker-cli.ts'

/** A registry with one image nobody has yet, served over Docker's own protocol (Docker asks 127.0.0.1 over plain HTTP). */
export interface TestRegistry {
  ref: string
  /** How often the image's layer was fetched. */
  layerFetches(): number
  /** While set, layers come in steps of 64 KiB with this pause between them. */
  pauseMs: number
  /** While set, everything needs a login. */
  locked: boolean
  /** Resolves once a client has begun to fetch the layer. */
  fetching: Promise<void>
  close(): Promise<void>
}

interface Blob {
  digest: string
  bytes: Buffer
}

const step = 64 * 1024
const types = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const blob = (bytes: Buffer): Blob => ({ digest: sha256(bytes), bytes })

/** A layer of random bytes, which no engine has and which do not compress. */
const makeImage = async (layerBytes: number) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'registry-'))
  try {
    await writeFile(path.join(directory, 'data'), randomBytes(layerBytes))
    await run('tar', ['-C', directory, '-cf', path.join(directory, 'layer.tar'), 'data'])
    const tar = await readFile(path.join(directory, 'layer.tar'))
    const layer = blob(gzipSync(tar, { level: 1 }))
    const config = blob(
      Buffer.from(
        JSON.stringify({
          architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
          os: 'linux',
          config: { Cmd: ['/data'], User: '1234' },
          rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
        }),
      ),
    )
    const manifest = blob(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: types.manifest,
          config: { mediaType: types.config, size: config.bytes.length, digest: config.digest },
          layers: [{ mediaType: types.layer, size: layer.bytes.length, digest: layer.digest }],
        }),
      ),
    )
    return { layer, config, manifest }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

export const openRegistry = async (options: { layerBytes: number }): Promise<TestRegistry> => {
  const image = await makeImage(options.layerBytes)
  let fetches = 0
  let markFetching = (): void => undefined
  const fetching = new Promise<void>((resolve) => {
    markFetching = resolve
  })

  const sendSlowly = async (response: ServerResponse, bytes: Buffer): Promise<void> => {
    for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
      response.write(bytes.subarray(at, at + step))
      if (registry.pauseMs > 0) await delay(registry.pauseMs)
    }
    response.end()
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? ''
    if (registry.locked) {
      response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Basic realm="test"' })
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }))
      return
    }
    if (url === '/v2/') return void response.end('{}')
    const isManifest = url.startsWith('/v2/game/manifests/') && (url.endsWith('/latest') || url.endsWith(image.manifest.digest))
    const found = isManifest ? image.manifest : [image.layer, image.config].find((one) => url.endsWith(one.digest))
    if (found === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
      return
    }
    response.writeHead(200, {
      'content-type': isManifest ? types.manifest : 'application/octet-stream',
      'content-length': found.bytes.length,
      'docker-content-digest': found.digest,
    })
    if (request.method === 'HEAD') return void response.end()
    if (found === image.layer) {
      fetches++
      markFetching()
    }
    await sendSlowly(response, found.bytes)
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const registry: TestRegistry = {
    ref: `127.0.0.1:${port}/game:latest`,
    layerFetches: () => fetches,
    pauseMs: 0,
    locked: false,
    fetching,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await run('docker', ['image', 'rm', '--force', registry.ref]).catch(() => undefined) // never pulled
    },
  }
  return registry
}
