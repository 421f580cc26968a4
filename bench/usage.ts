import type { MeasuredProcess } from './measured-process.ts'

const lookEveryMs = 250

/** What a program uses from now on: cores over the whole time, and the most memory that was seen. */
export const startUsage = (program: MeasuredProcess) => {
  const beganAt = performance.now()
  const cpuBefore = program.cpuSeconds()
  let maxRssBytes = program.rssBytes()
  const look = (): void => {
    try {
      maxRssBytes = Math.max(maxRssBytes, program.rssBytes())
    } catch {
      clearInterval(timer) // it has ended: whoever asks for its CPU time hears of it
    }
  }
  const timer = setInterval(look, lookEveryMs)
  return () => {
    clearInterval(timer)
    look()
    const cpuSeconds = program.cpuSeconds() - cpuBefore
    return { cpuSeconds, cores: cpuSeconds / ((performance.now() - beganAt) / 1_000), maxRssBytes }
  }
}
