import { describe, expect, it } from 'vitest'
import { makeSettings } from '../../../cli/services/rabbitmq-config.ts'
import { publicDoor, readListening } from '../../../cli/up/listening.ts'

const state = { amqpPort: 5_000, distributionPort: 1, epmdPort: 2, managementPort: 3, password: 'p' }
const listenersOf = (listen?: string): string[] =>
  makeSettings({ ...state, listen })
    .split('\n')
    .filter((line) => line.startsWith('listeners.'))

describe('MANMAN_LISTEN', () => {
  it('opens the broker beyond loopback, which always has it', () => {
    expect(listenersOf()).toEqual(['listeners.tcp.1 = 127.0.0.1:5000'])
    expect(listenersOf('192.0.2.7')).toEqual(['listeners.tcp.1 = 127.0.0.1:5000', 'listeners.tcp.2 = 192.0.2.7:5000'])
    expect(listenersOf('0.0.0.0')).toEqual(['listeners.tcp.1 = 0.0.0.0:5000'])
  })

  it('names what other machines are told: the host of PUBLIC_URL, else the address itself', async () => {
    const address = 'http://127.0.0.1:4000'
    expect(await readListening({})).toEqual({ address: undefined, publicHost: undefined })
    const alone = await readListening({ MANMAN_LISTEN: '192.0.2.7' })
    expect(alone).toEqual({ address: '192.0.2.7', publicHost: '192.0.2.7' })
    expect(publicDoor(alone, address, {})).toBe('http://192.0.2.7:4000')
    const env = { MANMAN_LISTEN: '0.0.0.0', PUBLIC_URL: 'https://games.example' }
    expect(await readListening(env)).toEqual({ address: '0.0.0.0', publicHost: 'games.example' })
    expect(publicDoor(await readListening(env), address, env)).toBe('https://games.example')
    expect((await readListening({ MANMAN_LISTEN: '2001:db8::1' })).publicHost).toBe('[2001:db8::1]')
  })
})
