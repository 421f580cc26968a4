import { readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'

/** A program of this machine. */
export interface Program {
  name: string
  pid: number
}

const hasSocket = async (fds: string, target: string): Promise<boolean> => {
  for (const fd of await readdir(fds)) {
    // Closed in between, as files are.
    if ((await readlink(path.join(fds, fd)).catch(() => '')) === target) return true
  }
  return false
}

/**
 * The program that has the socket; null when it ended in between, or is one this process may not look into (another user's,
 * or outside of the container it runs in).
 */
export const socketOwner = async (inode: number, proc = '/proc'): Promise<Program | null> => {
  const target = `socket:[${inode}]`
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const has = await hasSocket(path.join(proc, pid, 'fd'), target).catch(() => false) // ended, or not ours to look into
    if (has) return { name: (await readFile(path.join(proc, pid, 'comm'), 'utf8').catch(() => '?')).trim(), pid: Number(pid) }
  }
  return null
}
