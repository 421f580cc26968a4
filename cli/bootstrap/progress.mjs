// Shows steps with their times: on a terminal with a line of what is going on, elsewhere one plain line for each step.
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

/**
 * `step(label, work)` runs `work` and shows how it went; steps may run side by side. `work` gets a function that changes
 * the label, e.g. to add the address once it is known. A step that throws shows as failed, and the error goes on.
 * `note(line)` prints a line between steps. `done()` forgets the steps that still run.
 */
export const makeProgress = (out = process.stdout, env = process.env) => {
  const lively = Boolean(out.isTTY) && env.TERM !== 'dumb'
  const paint = (code, text) => (lively && !env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text)
  const running = new Map()
  let frame = 0
  let timer

  const draw = () => {
    const labels = [...running.values()].map(({ label, at }) => `${label} ${Math.floor((Date.now() - at) / 1000)} s`)
    const width = (out.columns || 80) - 5
    const text = labels.join(' · ')
    out.write(
      `\r\u001b[K  ${paint(36, frames[frame++ % frames.length])} ${text.length > width ? `${text.slice(0, width - 1)}…` : text}`,
    )
  }
  const refresh = () => {
    if (!lively) return
    if (running.size > 0 && !timer) {
      timer = setInterval(draw, 100)
      timer.unref()
    }
    if (running.size > 0) return draw()
    clearInterval(timer)
    timer = undefined
    out.write('\r\u001b[K')
  }
  const print = (line) => {
    out.write(`${lively ? '\r\u001b[K' : ''}${line}\n`)
    if (running.size > 0) refresh()
  }
  const finish = (entry, mark) => {
    if (!running.delete(entry)) return // `done` came first: whatever it ended as, nobody waits for it
    print(`  ${mark} ${entry.label.padEnd(58)} ${paint(2, seconds(Date.now() - entry.at).padStart(8))}`)
    refresh()
  }

  return {
    paint,
    note: print,
    step: async (label, work) => {
      const entry = { label, at: Date.now() }
      running.set(entry, entry)
      refresh()
      try {
        const result = await work((changed) => {
          entry.label = changed
        })
        finish(entry, paint(32, '✔'))
        return result
      } catch (error) {
        finish(entry, paint(31, '✖'))
        throw error
      }
    },
    done: () => {
      running.clear()
      refresh()
    },
  }
}
