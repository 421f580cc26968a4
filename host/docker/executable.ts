import path from 'node:path'
import type { ContainerFiles } from './container-files.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const anyExecute = 0o111
const maxLinks = 10

/** Where the program `name` may be, in the order in which it is looked for. */
export const candidatePaths = (name: string, options: { workingDir: string; env: readonly string[] }): string[] => {
  if (name.includes('/')) return [path.posix.resolve(options.workingDir || '/', name)]
  const search = options.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) || defaultPath
  return search.split(':').map((dir) => path.posix.resolve(options.workingDir || '/', dir, name))
}

/**
 * Why the container's program can't be run, in the operator's words; null when it can. With an init process Docker
 * starts a container whose program is missing, and it ends with 127: so it is looked for before.
 */
export const executableFault = async (
  files: ContainerFiles,
  container: { id: string; program: string; workingDir: string; env: readonly string[] },
): Promise<string | null> => {
  const { id, program } = container
  if (program === '') return 'The image has no command, and none is configured.'
  let notExecutable: string | null = null
  for (const candidate of candidatePaths(program, container)) {
    const stat = await follow(files, id, candidate)
    if (stat === null || stat.isDirectory) continue
    if ((stat.mode & anyExecute) !== 0 || stat.isSymlink) return null
    notExecutable ??= candidate
  }
  if (notExecutable !== null) return `The program ${notExecutable} is not executable.`
  return `There is no program ${program} in the image.`
}

/** The file at the end of a chain of links; a chain that is too long, or leads into a link again, stays a link. */
const follow = async (files: ContainerFiles, id: string, start: string) => {
  let at = start
  let stat = await files.stat(id, at)
  for (let links = 0; stat?.isSymlink && stat.linkTarget !== '' && links < maxLinks; links++) {
    at = path.posix.resolve(path.posix.dirname(at), stat.linkTarget)
    stat = await files.stat(id, at)
  }
  return stat
}
