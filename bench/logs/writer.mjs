// The game of this benchmark, inside its container. `pace RATE SECONDS` writes so many lines a second, rate 0 as many as go;
// as words it is started with, or typed. A line tells its number and when it was written, on the machine's steady clock;
// `done {…}` tells how it went, with the longest time that one write took.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const padding = 'the quick brown fox jumps over the lazy dog, and again.'
const linesAtOnce = 64
const alarm = new Int32Array(new SharedArrayBuffer(4))
let number = 0

const write = (text) => {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(1, rest))
}

const writeLines = (count) => {
  const at = process.hrtime.bigint()
  let text = ''
  for (let i = 0; i < count; i++) text += `w ${++number} ${at} ${padding}\n`
  write(text)
  return Number(process.hrtime.bigint() - at) / 1e6
}

const pace = (rate, seconds) => {
  const first = number
  const beganAt = performance.now()
  let stallMs = 0
  let stallAtSeconds = 0
  for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - beganAt) {
    const due = rate === 0 ? linesAtOnce : Math.floor((elapsedMs * rate) / 1000) - (number - first)
    if (due <= 0) {
      Atomics.wait(alarm, 0, 0, 1)
      continue
    }
    const tookMs = writeLines(Math.min(due, linesAtOnce))
    if (tookMs > stallMs) {
      stallMs = tookMs
      stallAtSeconds = elapsedMs / 1000
    }
  }
  const took = (performance.now() - beganAt) / 1000
  const at = Number(process.hrtime.bigint())
  write(`done ${JSON.stringify({ lines: number - first, seconds: took, stallMs, stallAtSeconds, at })}\n`)
}

const obey = (line) => {
  const [word, ...numbers] = line.split(' ')
  if (word === 'pace') pace(...numbers.map(Number))
}

createInterface({ input: process.stdin }).on('line', obey)
write('ready\n')
const words = process.argv.slice(1)
if (words.length > 0) obey(words.join(' '))
