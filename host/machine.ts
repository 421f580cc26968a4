import { readFile, stat } from 'node:fs/promises'

const bootIdPath = '/proc/sys/kernel/random/boot_id'
/** Written by dockerd at each start; absent where the agent runs in a container, or Docker is rootless. */
const pidFile = '/var/run/docker.pid'

/**
 * Names this boot of the machine and this run of its Docker engine: equal as long as both go on. The engine shows by its
 * socket, which it makes anew at each start, and by its pid file, where systemd keeps the socket.
 */
export const readMachine = async (dockerSocket: string): Promise<string> => {
  const [boot, socket, pid] = await Promise.all([
    readFile(bootIdPath, 'utf8').catch(() => ''),
    stat(dockerSocket).catch(() => undefined),
    stat(pidFile).catch(() => undefined),
  ])
  return [boot.trim(), socket?.ino, socket?.ctimeMs, pid?.mtimeMs].join(' ')
}
