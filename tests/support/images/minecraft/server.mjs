// A Minecraft server for tests: reads server.properties in its working directory, keeps its world beside it, prints `Done!`
// when players can join, takes commands (`say hi`, `stop`) from stdin, and ends with 0 by `stop`, SIGTERM and SIGINT.
import { readFileSync } from 'node:fs'
import squid from 'flying-squid'

const difficulties = ['peaceful', 'easy', 'normal', 'hard']

const properties = Object.fromEntries(
  readFileSync('server.properties', 'utf8')
    .split('\n')
    .filter((line) => line.includes('=') && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
)

const server = squid.createMCServer({
  version: '1.20.2',
  port: 25565,
  motd: properties.motd,
  'max-players': Number(properties['max-players']),
  difficulty: difficulties.indexOf(properties.difficulty),
  gameMode: 1,
  'online-mode': false,
  worldFolder: 'world',
  generation: { name: 'superflat', options: {} },
  'view-distance': 2,
  'everybody-op': false,
  'max-entities': 10,
  'player-list-text': { header: { text: '' }, footer: { text: '' } },
  kickTimeout: 10_000,
  plugins: {},
  modpe: false,
  logging: false,
})
// Its own writes codes that move a cursor.
server.log = (message) => console.log(message)

const stop = async () => {
  await server.quit('Server closed')
  process.exit(0)
}

server.once('ready', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.removeAllListeners(signal) // its own ends with 143
    process.once(signal, stop)
  }
  console.log('Done! For help, type "help"')
})
