import { open } from 'node:fs/promises'

const remembered = 100_000

/**
 * A file of one event a line. `append` resolves once the line is on disk for good. Opened again after a crash, it knows the
 * ids of its last 100,000 events; a line that was only half written is cut off.
 */
export const openAudit = async (path) => {
  const file = await open(path, 'a+')
  const ids = new Set()
  const remember = (id) => {
    ids.add(id)
    if (ids.size > remembered) ids.delete(ids.values().next().value)
  }
  await file.truncate(await readLines(file, (line) => remember(JSON.parse(line).id)))
  return {
    has: (id) => ids.has(id),
    append: async (event) => {
      await file.appendFile(`${JSON.stringify(event)}\n`)
      await file.datasync()
      remember(event.id)
    },
    close: () => file.close(),
  }
}

/** Calls `onLine` for each whole line; answers how many bytes those are. */
const readLines = async (file, onLine) => {
  let whole = 0
  let rest = Buffer.alloc(0)
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      onLine(rest.subarray(0, end).toString())
      whole += end + 1
      rest = rest.subarray(end + 1)
    }
  }
  return whole
}
