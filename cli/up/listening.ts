import { createSocket } from 'node:dgram'

/** Where other machines find us, when they may. */
export interface Listening {
  /** Address that door and broker listen on; undefined for this machine alone. */
  address: string | undefined
  /** Host name or address by which other machines reach that. */
  publicHost: string | undefined
}

/** As `MANMAN_LISTEN` and `PUBLIC_URL` say; they were checked by the bootstrap. */
export const readListening = async (env: NodeJS.ProcessEnv): Promise<Listening> => {
  const address = env.MANMAN_LISTEN || undefined
  if (address === undefined) return { address, publicHost: undefined }
  const named = env.PUBLIC_URL ? new URL(env.PUBLIC_URL).hostname : undefined
  return { address, publicHost: named ?? (isEverywhere(address) ? await ownAddress() : inUrl(address)) }
}

/** The door's address for other machines; undefined when they are not let in. */
export const publicDoor = ({ publicHost }: Listening, address: string, env: NodeJS.ProcessEnv): string | undefined => {
  if (env.PUBLIC_URL) return env.PUBLIC_URL
  return publicHost && `http://${publicHost}:${new URL(address).port}`
}

const isEverywhere = (address: string): boolean => address === '0.0.0.0' || address === '::'

const inUrl = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** A documentation address (RFC 5737): connecting a datagram socket picks a route and sends nothing. */
const somewhereElse = '203.0.113.1'

/** The address this machine has towards others, which its neighbours reach it by; undefined when it has no way out. */
export const ownAddress = (): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    const answer = (address?: string): void => {
      socket.close()
      resolve(address)
    }
    socket.once('error', () => answer())
    socket.connect(9, somewhereElse, () => answer(socket.address().address))
  })
