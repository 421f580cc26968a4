import { readFile } from 'node:fs/promises'
import type { DockerClients } from './client.ts'
import { ask, translateDockerError } from './errors.ts'
import { type Owner, resourceName } from './labels.ts'

/** Runs a program of the agent's own image on the machine's network, where its container can't reach. */
export type MachineHelper = (args: readonly string[]) => Promise<string>

/** Docker mounts these from a directory that has the container's id for its name. */
const ownDirectory = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) /

/** The id of the container this process runs in; null outside of any that Docker has made. */
export const ownContainerId = async (mountInfo = '/proc/self/mountinfo'): Promise<string | null> =>
  ownDirectory.exec(await readFile(mountInfo, 'utf8').catch(() => ''))?.[1] ?? null

/**
 * A container with the right to change the machine's network, and nothing else: it runs `args` with the agent's own image, which
 * is there without a pull, and is gone when the promise resolves with what it wrote. `Unavailable` when it fails.
 */
export const makeMachineHelper =
  (options: { clients: DockerClients; owner: Owner; containerId: string }): MachineHelper =>
  async (args) => {
    const { calls } = options.clients
    const name = `${resourceName(options.owner.environment, options.owner.serverId)}-firewall`
    const remove = (): Promise<unknown> =>
      calls
        .getContainer(name)
        .remove({ force: true, v: true })
        .catch((error) => {
          if ((error as { statusCode?: number }).statusCode !== 404) throw translateDockerError(error, 'container', name)
        })
    return ask('firewall helper', name, async () => {
      const { Image } = await calls.getContainer(options.containerId).inspect()
      // Of an agent that was killed meanwhile.
      await remove()
      const container = await calls.createContainer({
        name,
        Image,
        Entrypoint: [...args],
        Cmd: [],
        User: '0',
        // One stream, without frames.
        Tty: true,
        HostConfig: {
          NetworkMode: 'host',
          CapDrop: ['ALL'],
          // The second for iptables' older way into the kernel.
          CapAdd: ['NET_ADMIN', 'NET_RAW'],
          SecurityOpt: ['no-new-privileges'],
          ReadonlyRootfs: true,
          // For the lock of the same.
          Tmpfs: { '/run': 'rw,nosuid,nodev,noexec,size=1048576' },
          LogConfig: { Type: 'local', Config: {} },
          PidsLimit: 64,
        },
      })
      try {
        await container.start()
        await container.wait()
        return (await container.logs({ stdout: true, stderr: true, follow: false })).toString()
      } finally {
        await remove()
      }
    })
  }
