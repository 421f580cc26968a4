// The thread that `render` starts for one large file.
import { parentPort, workerData } from 'node:worker_threads'
import { ManManError } from '../../lib/domain/errors.ts'
import { renderFile } from '../../lib/files/files.ts'
import type { Rendered, RenderTask } from './render.ts'

const run = ({ file, values, current }: RenderTask): Rendered => {
  try {
    return { text: renderFile(file, values, current) }
  } catch (error) {
    // Everything else is a defect, and thrown on.
    if (error instanceof ManManError) return { refused: error.message }
    throw error
  }
}

parentPort!.postMessage(run(workerData as RenderTask))
