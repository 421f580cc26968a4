/** Who owns files: numbers, as inside the container so on the machine. */
export interface FileOwner {
  uid: number
  gid: number
}

const rows = (text: string): string[][] => text.split('\n').map((line) => line.split(':'))

const number = (text: string | undefined): number | null => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null)

/** The owner that `user` names without the image's files: root, or `uid:gid`; null for everything else. */
export const ownerByNumbers = (user: string): FileOwner | null => {
  if (user === '') return { uid: 0, gid: 0 }
  const match = /^(\d+):(\d+)$/.exec(user)
  return match === null ? null : { uid: Number(match[1]), gid: Number(match[2]) }
}

/**
 * The owner that `user` (`name`, `uid`, `name:group`, `uid:gid`; empty for root) means in an image with these
 * /etc/passwd and /etc/group, by Docker's rules: a user without a group gets its own from passwd, group 0 when it is not
 * there. Null when a name is not known, which Docker refuses too.
 */
export const resolveOwner = (user: string, files: { passwd: string; group: string }): FileOwner | null => {
  const [name = '', group] = user.split(':')
  const account = rows(files.passwd).find((row) => row[0] === name || (row[2] === name && number(name) !== null))
  const uid = name === '' ? 0 : (number(name) ?? number(account?.[2]))
  if (uid === null) return null
  if (!group) return { uid, gid: name === '' ? 0 : (number(account?.[3]) ?? 0) }
  const gid = number(group) ?? number(rows(files.group).find((row) => row[0] === group)?.[2])
  return gid === null ? null : { uid, gid }
}
