import { makeBrokerPassword } from '../crypto/broker-password.ts'
import { seal } from '../crypto/sealed-box.ts'
import { type BrokerCredentials, credentialsContext } from '../messages/commands.ts'
import { hostUser } from '../messages/routing.ts'

/** New credentials for a host: what the broker keeps of the password, and all of it in a box that the host alone opens. */
export const offerCredentials = (serverId: string, publicKey: string) => {
  const { password, hash } = makeBrokerPassword()
  return {
    passwordHash: hash,
    seal: (generation: number): string => {
      const credentials: BrokerCredentials = { username: hostUser(serverId, generation), password }
      return seal(publicKey, JSON.stringify(credentials), credentialsContext(serverId))
    },
  }
}
