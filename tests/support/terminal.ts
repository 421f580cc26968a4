import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { eventually } from './eventually.ts'

/** The key that a terminal turns into SIGINT for the program in its foreground. */
const controlC = '\x03'

/** A command in a terminal of its own, as a person runs it: what it draws is kept, and Ctrl-C is a key. */
export const openTerminal = (command: string, options: { cwd: string; env: NodeJS.ProcessEnv }) => {
  const child = spawn('script', ['--quiet', '--return', '--command', `stty cols 120 rows 50; ${command}`, '/dev/null'], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let raw = ''
  let exit: number | string | undefined
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (raw += text))
  child.once('exit', (code, signal) => {
    exit = code ?? signal ?? undefined
  })
  // As a terminal shows it: what follows a carriage return stands over what was there.
  const overwritten = (line: string): string => line.replace(/\r+$/, '').split('\r').at(-1)!
  const screen = (): string => stripVTControlCharacters(raw).split('\n').map(overwritten).join('\n')
  const ended = (limitMs?: number) =>
    eventually(() => exit !== undefined, { what: `the end of \`${command}\`; it says\n${screen()}`, limitMs }).then(() => exit)
  return {
    /** All it has shown, without colours. */
    screen,
    /** Waits for a text; fails when the command ends before. */
    shows: async (text: string, limitMs?: number): Promise<void> => {
      const isThere = () => screen().includes(text) || exit !== undefined
      await eventually(isThere, { what: `"${text}" in the terminal`, limitMs }).catch((error: Error) => {
        throw new Error(`${error.message}; it says\n${screen()}`)
      })
      if (!screen().includes(text)) throw new Error(`\`${command}\` ended (${exit}) without "${text}"; it says\n${screen()}`)
    },
    /** Presses Ctrl-C and waits for the end. */
    interrupt: async (limitMs?: number): Promise<void> => {
      child.stdin.write(controlC)
      await ended(limitMs)
    },
    ended,
    /** For a test that failed: ends it whatever it does. */
    kill: async (): Promise<void> => {
      if (exit !== undefined) return
      child.stdin.write(controlC)
      await ended(30_000).catch(() => child.kill('SIGKILL'))
    },
  }
}

export type Terminal = ReturnType<typeof openTerminal>
