import { Worker, type WorkerOptions } from 'node:worker_threads'
import type { ConfigFile } from '../../lib/domain/game-config.ts'
import { type FileValue, renderFile } from '../../lib/files/files.ts'
import { codeOf, Refused } from './errors.ts'

/** What a thread is asked; it answers with a `Rendered`. */
export interface RenderTask {
  file: ConfigFile
  values: ReadonlyMap<string, FileValue>
  current: string | null
}

export type Rendered = { text: string } | { refused: string }

// Parsers take up to three seconds for a megabyte, during which a thread does nothing else.
const maxInline = 64 * 1024
const maxMemoryMb = 1024

/** A thread doesn't take over from its process how TypeScript is read, so one that runs from source is told. */
const startThread = (options: WorkerOptions): Worker => {
  if (import.meta.filename.endsWith('.js')) return new Worker(new URL('./render-thread.js', import.meta.url), options)
  const file = JSON.stringify(new URL('./render-thread.ts', import.meta.url))
  return new Worker(`import('tsx/esm/api').then(({ tsImport }) => tsImport(${file}, ${file}))`, { ...options, eval: true })
}

/**
 * `renderFile`, and for a large file in a thread of its own, so that this one goes on. Throws `Refused` for what can't be
 * rendered, and for what takes longer than `timeoutMs` or more than a gigabyte of memory.
 */
export const render = (task: RenderTask, timeoutMs: number): Promise<string> | string => {
  const { file, values, current } = task
  const inline = file.strategy === 'REPLACE' || Math.max(file.content.length, current?.length ?? 0) <= maxInline
  return inline ? renderFile(file, values, current) : renderInThread(task, timeoutMs)
}

const renderInThread = async (task: RenderTask, timeoutMs: number): Promise<string> => {
  const { path } = task.file
  const worker = startThread({ workerData: task, resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } })
  try {
    const rendered = await new Promise<Rendered>((resolve, reject) => {
      const tooSlow = `${path} is too large: its settings are not made after ${timeoutMs / 1000} s`
      const timer = setTimeout(() => reject(new Refused(tooSlow)), timeoutMs)
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => {
        clearTimeout(timer)
        reject(new Error(`the thread for ${path} ended with ${code} and said nothing`))
      })
    })
    if ('text' in rendered) return rendered.text
    throw new Refused(rendered.refused)
  } catch (error) {
    if (codeOf(error) !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    throw new Refused(`${path} is too large: its settings can't be made in ${maxMemoryMb} MB of memory`)
  } finally {
    await worker.terminate()
  }
}
