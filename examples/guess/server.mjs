// A small game for the tour: players connect (`nc localhost PORT`) and guess a number between 1 and 100. The operator has
// a console: `say TEXT`, `players`, `quit`. Wins are kept in the volume, so they outlive the session.
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const port = 7777
const file = '/data/game/wins.json'
const players = new Map()
let wins = readWins()
let secret = draw()
let joined = 0

function draw() {
  return 1 + Math.floor(Math.random() * 100)
}

function readWins() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return 0 // the first session of this deployment
  }
}

const tell = (text) => {
  for (const socket of players.values()) socket.write(`${text}\n`)
}

const guess = (name, socket, text) => {
  const number = Number(text)
  if (!Number.isInteger(number)) return socket.write('a number, please\n')
  console.log(`${name} guesses ${number}`)
  if (number !== secret) return socket.write(number < secret ? 'higher\n' : 'lower\n')
  writeFileSync(file, JSON.stringify(++wins))
  console.log(`${name} wins, ${wins} games won so far`)
  tell(`${name} wins: it was ${number}. A new number is drawn.`)
  secret = draw()
}

const server = createServer((socket) => {
  const name = `player ${++joined}`
  players.set(name, socket)
  console.log(`${name} joins`)
  socket.write('Guess my number, 1 to 100.\n')
  socket.on('error', () => undefined) // 'close' follows, and says all there is to say
  socket.on('close', () => {
    players.delete(name)
    console.log(`${name} leaves`)
  })
  createInterface({ input: socket }).on('line', (line) => guess(name, socket, line))
})

const end = () => {
  tell('The server closes. Bye!')
  console.log('bye')
  process.exit(0)
}

const commands = {
  say: (text) => {
    tell(text)
    console.log(`[server] ${text}`)
  },
  players: () => console.log(`${players.size} playing`),
  quit: end,
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [, word, rest] = /^(\S*)\s?(.*)$/.exec(line)
  if (Object.hasOwn(commands, word)) commands[word](rest)
  else console.error(`no such command: ${word}`)
})
process.on('SIGTERM', end)
server.listen(port, () => console.log(`Ready: guess a number on port ${port}. Games won so far: ${wins}`))
