import { describe, expect, it } from 'vitest'
import { type StartFailure, translateDockerError } from '../../../../host/docker/errors.ts'
import { makePullTracker, pullFailure } from '../../../../host/docker/pull-progress.ts'
import { portTakenFailure, translateStartError } from '../../../../host/docker/start-failure.ts'
import { NotFound, Unavailable } from '../../../../lib/domain/errors.ts'

const reply = (statusCode: number, message: string) => Object.assign(new Error(message), { statusCode, json: { message } })
const port = (name: string, hostPort: number, protocol: 'TCP' | 'UDP') => ({
  name,
  hostPort,
  protocol,
  containerPort: 1,
  bindAddress: '0.0.0.0',
})
const ports = [port('game', 25565, 'TCP'), port('query', 25565, 'UDP'), port('rcon', 25575, 'TCP')]

describe('a refused start', () => {
  it.each([
    [
      'driver failed programming external connectivity on endpoint x (8d): Error starting userland proxy: listen tcp4 0.0.0.0:25565: bind: address already in use',
      '25565/TCP (game)',
    ],
    [
      'driver failed programming external connectivity on endpoint x (8d): Error starting userland proxy: listen udp4 0.0.0.0:25565: bind: address already in use',
      '25565/UDP (query)',
    ],
    [
      'driver failed programming external connectivity on endpoint x (8d): Bind for 0.0.0.0:25575 failed: port is already allocated',
      '25575/TCP (rcon)',
    ],
    [
      'failed to set up container networking: driver failed programming external connectivity on endpoint x (8d): failed to bind host port for 0.0.0.0:25575:172.20.0.2:7/tcp: address already in use',
      '25575/TCP (rcon)',
    ],
    ['Error starting userland proxy: listen tcp6 [::]:25575: bind: address already in use', '25575/TCP (rcon)'],
  ])('names the port: %s', (message, words) => {
    const failure = translateStartError(reply(500, message), 'c', ports) as StartFailure
    expect(failure).toMatchObject({ reason: 'PORT_TAKEN' })
    expect(failure.message).toContain(words)
  })

  it.each([
    ['BAD_CONFIG', 500, 'OCI runtime create failed: … exec: "/x": stat /x: no such file or directory: unknown'],
    ['BAD_CONFIG', 400, 'invalid mount config for type "bind": bind source path does not exist: /x'],
    ['BAD_CONFIG', 500, 'unable to find user foo: no matching entries in passwd file'],
    ['DISK_FULL', 500, 'mkdir /var/lib/docker/overlay2/x: no space left on device'],
    ['DOCKER_ERROR', 500, 'exec: "docker-init": executable file not found in $PATH'],
  ])('is %s (%i): %s', (reason, status, message) => {
    expect(translateStartError(reply(status, message), 'c', ports)).toMatchObject({ reason })
  })

  it.each([
    [{ name: 'java', pid: 7 }, 'java (process 7) on this machine'],
    [{ name: 'docker-proxy', pid: 7 }, 'a container on this machine that publishes it (docker-proxy, process 7)'],
    [null, 'another program on this machine'],
  ])('says that %j has the port', (owner, words) => {
    const { message } = portTakenFailure(ports[0]!, owner)
    expect(message).toBe(`Port 25565/TCP (game) on 0.0.0.0 is taken by ${words}.`)
  })

  it('may be tried again when it was not the session’s fault', () => {
    expect(translateStartError(reply(500, 'containerd: deadline exceeded'), 'c', ports)).toBeInstanceOf(Unavailable)
    expect(translateStartError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'c', ports)).toBeInstanceOf(Unavailable)
    expect(translateStartError(reply(404, 'No such container: c'), 'c', ports)).toBeInstanceOf(NotFound)
  })
})

describe('Docker’s replies', () => {
  it.each([
    [404, 'NOT_FOUND'],
    [409, 'CONFLICT'],
    [400, 'INVALID_INPUT'],
    [500, 'UNAVAILABLE'],
  ])('with status %i are %s', (status, code) => {
    expect(translateDockerError(reply(status, 'words'), 'container', 'c')).toMatchObject({ code })
  })

  it.each([
    ['ENOENT', 'there is no Docker socket'],
    ['ECONNREFUSED', 'nothing listens on the Docker socket'],
    ['EACCES', 'this process may not open the Docker socket'],
    ['ECONNRESET', 'the connection was lost or it took too long'],
  ])('that do not come (%s) mean that the engine is away: %s', (code, words) => {
    expect(translateDockerError(Object.assign(new Error(code), { code }), 'container', 'c')).toMatchObject({
      code: 'UNAVAILABLE',
      message: `The Docker engine is not available: ${words} (${code}).`,
    })
  })

  it('leave defects and aborts as they are', () => {
    for (const error of [new TypeError('x'), new DOMException('stop', 'AbortError')])
      expect(translateDockerError(error, 'a', 'b')).toBe(error)
  })
})

describe('a pull', () => {
  it.each([
    ['NOT_FOUND', 'there is no such image', 'manifest for game:9 not found: manifest unknown: manifest unknown'],
    [
      'NOT_FOUND',
      'there is no such image, or it needs a login',
      "pull access denied for game, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ],
    [
      'UNAUTHORISED',
      'the registry refuses access',
      'Head "https://r/v2/game/manifests/1": unauthorized: authentication required',
    ],
    ['UNAUTHORISED', 'the registry refuses access', 'Get "https://r/v2/": no basic auth credentials'],
    ['UNREACHABLE', 'the registry can not be reached', 'Get "https://r/v2/": dial tcp: lookup r on 1.1.1.1:53: no such host'],
    [
      'UNREACHABLE',
      'the registry can not be reached',
      'Get "https://r/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    ],
    ['RATE_LIMITED', 'the registry allows no more pulls for now', 'toomanyrequests: You have reached your pull rate limit.'],
    [
      'WRONG_PLATFORM',
      "there is none for this machine's platform",
      'no matching manifest for linux/arm64/v8 in the manifest list entries',
    ],
    ['DISK_FULL', 'the disk is full', 'failed to register layer: write /x: no space left on device'],
    ['OTHER', 'the pull failed', 'something new'],
  ])('that fails is %s, %s: %s', (fault, words, message) => {
    expect(pullFailure('game:9', message)).toMatchObject({
      fault,
      code: 'UNAVAILABLE',
      message: `Image game:9: ${words} (${message}).`,
    })
  })

  it('tells its progress over all layers and never goes back', () => {
    const tracker = makePullTracker('game')
    const take = (line: object) => tracker.take(JSON.stringify(line)).percent
    expect(take({ status: 'Pulling from game' })).toBeNull()
    expect(take({ id: 'a', status: 'Downloading', progressDetail: { current: 50, total: 100 } })).toBe(50)
    expect(take({ id: 'b', status: 'Downloading', progressDetail: { current: 0, total: 300 } })).toBe(50)
    expect(take({ id: 'a', status: 'Download complete' })).toBe(50)
    expect(take({ id: 'b', status: 'Downloading', progressDetail: { current: 200, total: 300 } })).toBe(75)
    expect(take({ id: 'b', status: 'Pull complete' })).toBe(100)
    expect(() => take({ error: 'unauthorized' })).toThrow(/refuses access/)
  })
})
