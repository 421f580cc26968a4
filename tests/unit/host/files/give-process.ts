// Writes a file for another user without root's rights, and prints how that fails.
import { writeFiles } from '../../../../host/files/write.ts'

const [volumeDir = ''] = process.argv.slice(2)
if (process.getuid?.() === 0) {
  process.setgroups?.([])
  process.setgid?.(65534)
  process.setuid?.(65534)
}
await writeFiles({
  volumeDir,
  files: [{ path: 'f', strategy: 'REPLACE', content: 'x' }],
  values: new Map(),
  owner: { uid: 1, gid: 1 },
}).catch((error: Error) => console.log(error.message))
