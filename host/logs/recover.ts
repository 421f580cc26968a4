import { truncate, unlink } from 'node:fs/promises'
import { type ResumePoint, startOfLog } from './cursor.ts'
import { closedSegment, listSegments, type Segment, scanSegment } from './segments.ts'

export interface Recovered {
  segments: Segment[]
  resume: ResumePoint
}

/**
 * The segments of `dir` up to the last record that was written whole. With `repair`, a torn rest is cut off on disk, as
 * whoever appends must; without, the files stay as they are. Reads the last file only.
 */
export const recoverSegments = async (dir: string, options: { repair: boolean }): Promise<Recovered> => {
  const files = await listSegments(dir)
  for (let file = files.at(-1); file !== undefined; file = files.at(-1)) {
    const scan = await scanSegment(file)
    if (scan !== null) {
      if (options.repair && scan.fileSize > scan.segment.size) await truncate(file.path, scan.segment.size)
      const closed = await Promise.all(files.slice(0, -1).map((one, i) => closedSegment(one, files[i + 1]!)))
      return { segments: [...closed, scan.segment], resume: scan.resume }
    }
    if (options.repair) await unlink(file.path)
    files.pop()
  }
  return { segments: [], resume: startOfLog }
}
