import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Conflict } from '../lib/domain/errors.ts'
import { fileDiff, secretToken } from '../lib/files/diff.ts'
import type { ReplyResult, Request } from '../lib/messages/requests.ts'
import { volumeMounts } from './docker/volumes.ts'
import { FilesFailure } from './files/errors.ts'
import { previewFiles } from './files/write.ts'
import { filesOf, openSpecSecrets } from './secrets.ts'

type PreviewRequest = Extract<Request, { kind: 'files.preview' }>

/**
 * What the next start of a deployment would change in its files, secrets hidden. Nothing is written. Throws `Conflict` with
 * what would keep that start from writing them.
 */
export const makeFilesPreview =
  (options: { dataDir: string; environment: string; privateKey: string }) =>
  async ({ serverGameConfigId, spec }: PreviewRequest): Promise<ReplyResult<'files.preview'>> => {
    const { dataDir, environment, privateKey } = options
    const secrets = openSpecSecrets(privateKey, serverGameConfigId, spec)
    const [own] = volumeMounts({ dataDir, environment, sgcId: serverGameConfigId, spec: { volumePath: '/', volumes: [] } })
    const volumeDir = own?.hostPath ?? join(dataDir, serverGameConfigId)
    if (!existsSync(volumeDir)) return { files: null }
    try {
      const tokens = new Map([...secrets.values.keys()].map((name) => [name, secretToken]))
      const files = await previewFiles({ volumeDir, ...filesOf(spec, tokens) })
      const texts = [...secrets.values.values()]
      return {
        files: files.map(({ path, before, after }) => ({
          path,
          exists: before !== null,
          diff: fileDiff(path, before, after, texts),
        })),
      }
    } catch (error) {
      if (error instanceof FilesFailure) throw new Conflict(error.message, { cause: error })
      throw error
    }
  }
