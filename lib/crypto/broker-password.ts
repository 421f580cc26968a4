import { createHash, randomBytes } from 'node:crypto'

const passwordBytes = 32
const saltBytes = 4

/**
 * A password nobody has had before, and what RabbitMQ keeps of it (https://www.rabbitmq.com/docs/passwords): four bytes of
 * salt and SHA-256 over salt and password, as base64. Nobody guesses 32 random bytes from that.
 */
export const makeBrokerPassword = (): { password: string; hash: string } => {
  const password = randomBytes(passwordBytes).toString('base64url')
  const salt = randomBytes(saltBytes)
  const digest = createHash('sha256').update(salt).update(password).digest()
  return { password, hash: Buffer.concat([salt, digest]).toString('base64') }
}
