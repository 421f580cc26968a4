import type { InstallDraft } from '../domain/game-config.ts'
import { isImageReference } from '../domain/images.ts'
import type { Report } from './report.ts'
import type { Egg } from './source.ts'

const at = 'scripts.installation'
/** Of our own checks: Linux takes no argument of a program that is much longer. */
const maxScriptBytes = 100_000
/** Programs that take a script as an argument. */
const takesScript = /^([\w.-]*\/)*(ash|bash|dash|ksh|sh|zsh|python\d?(\.\d+)?)$/

/** What scripts need that install packages and give files away, as root; the least of what Docker gives by itself. */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETGID', 'SETUID']

/** The container that runs once before the first start. The script is kept word for word: its braces are its own. */
export const readInstall = (scripts: Egg['scripts'], report: Report): InstallDraft | null => {
  const { script: written, container, entrypoint } = scripts?.installation ?? {}
  const script = (written ?? '').replaceAll('\r\n', '\n')
  if (script.trim() === '') return null
  const image = (container ?? '').trim()
  const program = (entrypoint ?? '').trim() || 'bash'
  if (!isImageReference(image)) return left('container', 'it is no image reference', report)
  if (!takesScript.test(program)) return left('entrypoint', 'it is no shell that takes a script as an argument', report)
  if (Buffer.byteLength(script) > maxScriptBytes) return left('script', 'it is longer than 100,000 bytes', report)
  if (/\0|\p{Cs}/u.test(script)) return left('script', 'it has a NUL character, or half of one', report)
  return { image, script, entrypoint: [program, '-c'], volumePath: '/mnt/server', capabilities }
}

const left = (field: string, reason: string, report: Report): null => {
  report(`${at}.${field}`, `${reason}; nothing is installed`)
  return null
}
