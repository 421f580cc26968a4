import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FilesFailure } from '../../../../host/files/errors.ts'
import { previewFiles, writeFiles } from '../../../../host/files/write.ts'
import type { ConfigFile } from '../../../../lib/domain/game-config.ts'

let root: string
let volumeDir: string
const outside = (name: string): string => path.join(root, name)
const inside = (name: string): string => path.join(volumeDir, name)

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'manman-files-'))
  volumeDir = path.join(root, 'volume')
  mkdirSync(volumeDir)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const values = new Map([['port', { text: '25565', kind: 'number' as const }]])
const properties = (name: string): ConfigFile => ({ path: name, strategy: 'PROPERTIES', content: 'port={{port}}' })
const replace = (name: string): ConfigFile => ({ path: name, strategy: 'REPLACE', content: 'port {{port}}\n' })
const isRoot = process.getuid?.() === 0
const owner = isRoot ? { uid: 4321, gid: 4322 } : null
const write = (...files: ConfigFile[]): Promise<void> => writeFiles({ volumeDir, files, values, owner })

const failure = async (work: Promise<unknown>): Promise<FilesFailure> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FilesFailure)
  return error as FilesFailure
}

test('makes directories and files, with their modes and owner', async () => {
  await write(properties('a/b/server.properties'))
  expect(readFileSync(inside('a/b/server.properties'), 'utf8')).toBe('port=25565')
  expect(statSync(inside('a/b/server.properties')).mode & 0o7777).toBe(0o644)
  expect(statSync(inside('a/b')).mode & 0o7777).toBe(0o755)
  expect(readdirSync(inside('a/b'))).toEqual(['server.properties'])
  if (owner === null) return
  for (const name of ['a', 'a/b', 'a/b/server.properties']) {
    expect([statSync(inside(name)).uid, statSync(inside(name)).gid]).toEqual([4321, 4322])
  }
})

test('keeps the mode of a file and what else stands in it', async () => {
  writeFileSync(inside('p'), '# mine\r\nport=1\r\nmotd=hi')
  chmodSync(inside('p'), 0o640)
  await write(properties('p'))
  expect(readFileSync(inside('p'), 'utf8')).toBe('# mine\r\nport=25565\r\nmotd=hi')
  expect(statSync(inside('p')).mode & 0o7777).toBe(0o640)
})

test('a file that is right already is not written again', async () => {
  await write(properties('p'), replace('r'))
  const before = ['p', 'r'].map((name) => statSync(inside(name)))
  await write(properties('p'), replace('r'))
  const after = ['p', 'r'].map((name) => statSync(inside(name)))
  expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(before.map(({ ino, mtimeMs }) => [ino, mtimeMs]))
})

test('a file that stands in the list twice gets both', async () => {
  const more: ConfigFile = { path: 'p', strategy: 'PROPERTIES', content: 'motd=hi' }
  await write(properties('p'), more)
  expect(readFileSync(inside('p'), 'utf8').split('\n')).toEqual(['port=25565', 'motd=hi'])
})

test('a preview shows before and after, and writes nothing', async () => {
  writeFileSync(inside('p'), 'port=1\n')
  expect(await previewFiles({ volumeDir, files: [properties('p'), replace('d/r')], values })).toEqual([
    { path: 'p', before: 'port=1\n', after: 'port=25565\n' },
    { path: 'd/r', before: null, after: 'port 25565\n' },
  ])
  expect(readdirSync(volumeDir)).toEqual(['p'])
  expect(readFileSync(inside('p'), 'utf8')).toBe('port=1\n')
})

test.each([
  ['../out', 'leads out of its directory'],
  ['a/../../out', 'leads out of its directory'],
  ['/etc/out', 'is not relative to the volume'],
  ['', 'is not a path of a file'],
  ['a//b', 'is not a path of a file'],
  ['a/', 'is not a path of a file'],
  ['./a', 'is not a path of a file'],
  ['a\0b', 'is not a path of a file'],
])('the path %j is refused', async (name, words) => {
  expect((await failure(write(replace(name)))).message).toContain(words)
  expect(readdirSync(root)).toEqual(['volume'])
  expect(readdirSync(volumeDir)).toEqual([])
})

const makeSocket = async (name: string): Promise<void> => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(name, done))
  // A server that closes takes its socket along: the name stays by another one.
  renameSync(name, `${name}.kept`)
  await new Promise((done) => server.close(done))
  renameSync(`${name}.kept`, name)
}

const inPlaceOfFile: Record<string, [make: () => void | Promise<void>, words: string]> = {
  'a link to a file': [() => symlinkSync(outside('secret'), inside('f')), 'f is a symbolic link where a file must be'],
  'a link to nothing': [() => symlinkSync(outside('nothing'), inside('f')), 'f is a symbolic link where a file must be'],
  'a link to itself': [() => symlinkSync('f', inside('f')), 'f is a symbolic link where a file must be'],
  'a fifo': [() => void execFileSync('mkfifo', [inside('f')]), 'f is a fifo where a file must be'],
  'a directory': [() => void mkdirSync(inside('f')), 'f is a directory where a file must be'],
  'a socket': [() => makeSocket(inside('f')), 'f is a socket where a file must be'],
  'a hard link': [() => linkSync(outside('secret'), inside('f')), 'f has further names'],
}

test.each(Object.entries(inPlaceOfFile))('%s is refused by name, and what it leads to stays', async (_, [make, words]) => {
  writeFileSync(outside('secret'), 'port=secret')
  await make()
  for (const file of [properties('f'), replace('f')]) {
    const error = await failure(write(file))
    expect(error.message).toContain(words)
    expect(error.message).not.toContain('secret')
    await failure(previewFiles({ volumeDir, files: [file], values }))
  }
  expect(readFileSync(outside('secret'), 'utf8')).toBe('port=secret')
  expect(existsSync(outside('nothing'))).toBe(false)
})

test.runIf(isRoot)('a device is refused by name', async () => {
  execFileSync('mknod', [inside('f'), 'c', '1', '3'])
  expect((await failure(write(replace('f')))).message).toContain('f is a device where a file must be')
  expect(lstatSync(inside('f')).isCharacterDevice()).toBe(true)
})

test('a link where a directory must be is refused, wherever it leads', async () => {
  mkdirSync(outside('other'))
  mkdirSync(inside('real'))
  symlinkSync(outside('other'), inside('out'))
  symlinkSync('real', inside('in'))
  symlinkSync('/nowhere', inside('dangling'))
  writeFileSync(inside('file'), '')
  const error = await failure(
    write(replace('out/f'), replace('in/f'), replace('dangling/f'), replace('file/f'), replace('out/a/b')),
  )
  expect(error.faults).toEqual([
    { path: 'out/f', message: 'out is a symbolic link where a directory must be' },
    { path: 'in/f', message: 'in is a symbolic link where a directory must be' },
    { path: 'dangling/f', message: 'dangling is a symbolic link where a directory must be' },
    { path: 'file/f', message: 'file is a file where a directory must be' },
    { path: 'out/a/b', message: 'out is a symbolic link where a directory must be' },
  ])
  expect(readdirSync(outside('other'))).toEqual([])
  expect(readdirSync(inside('real'))).toEqual([])
})

test('the volume must be a directory itself', async () => {
  symlinkSync(volumeDir, outside('link'))
  const options = { files: [replace('f')], values, owner: null }
  expect((await failure(writeFiles({ ...options, volumeDir: outside('link') }))).message).toMatch(
    /link (is no directory|is a symbolic link)/,
  )
  expect((await failure(writeFiles({ ...options, volumeDir: outside('gone') }))).message).toContain('gone is not there')
})

test('whatever a game swaps while files are written, nothing outside is touched', async () => {
  mkdirSync(outside('other'))
  writeFileSync(outside('other/f'), 'port=secret')
  mkdirSync(inside('d'))
  const swaps = Array.from({ length: 150 }, async (_, turn) => {
    const result = write({ path: 'd/f', strategy: 'PROPERTIES', content: `port={{port}}\nturn=${turn}` }).catch(
      (error: unknown) => {
        if (!(error instanceof FilesFailure)) throw error
      },
    )
    // The directory becomes a link to elsewhere and a directory again, at every step of the writing.
    for (let step = 0; step < 6; step++) {
      await new Promise((done) => setImmediate(done))
      rmSync(inside('d'), { recursive: true, force: true })
      if (step % 2 === 0) symlinkSync(outside('other'), inside('d'))
      else mkdirSync(inside('d'))
    }
    await result
  })
  await Promise.all(swaps)
  expect(readdirSync(outside('other'))).toEqual(['f'])
  expect(readFileSync(outside('other/f'), 'utf8')).toBe('port=secret')
})

test('every fault of all files is told at once, and then nothing is written', async () => {
  writeFileSync(inside('bad.json'), '{\n"a": \n')
  symlinkSync('x', inside('link'))
  const json: ConfigFile = { path: 'bad.json', strategy: 'JSON', content: '{"a": 1}' }
  const error = await failure(write(replace('good'), json, replace('link'), replace('../x')))
  expect(error.reason).toBe('BAD_CONFIG')
  expect(error.faults.map((fault) => fault.path)).toEqual(['bad.json', 'link', '../x'])
  expect(error.faults[0]!.message).toMatch(/^bad\.json, line \d+: is not JSON/)
  expect(existsSync(inside('good'))).toBe(false)
})

test('files that are too large or no text are refused', async () => {
  writeFileSync(inside('large'), 'x'.repeat(101))
  writeFileSync(inside('binary'), Buffer.from([0x61, 0xff, 0xfe, 0x80]))
  const ini: ConfigFile = { path: 'binary', strategy: 'INI', content: 'a=1' }
  const files = [replace('large'), ini, { ...replace('new'), content: 'y'.repeat(101) }]
  const error = await failure(writeFiles({ volumeDir, files, values, owner, maxBytes: 100 }))
  expect(error.faults.map(({ message }) => message)).toEqual([
    'large is larger than 100 bytes',
    'binary is not in UTF-8',
    'new becomes larger than 100 bytes',
  ])
})

test('REPLACE takes the place of what is no text; PROPERTIES keep their Latin-1, INI their UTF-16', async () => {
  writeFileSync(inside('r'), Buffer.from([0xff, 0x80]))
  writeFileSync(inside('p'), Buffer.from('name=J\xf6rg\nport=1\n', 'latin1'))
  writeFileSync(inside('u.ini'), Buffer.from('\ufeff[s]\r\nname=Jörg\r\nport=1\r\n', 'utf16le'))
  await write(replace('r'), properties('p'), { path: 'u.ini', strategy: 'INI', content: '[s]\nport={{port}}' })
  expect(readFileSync(inside('r'), 'utf8')).toBe('port 25565\n')
  expect(readFileSync(inside('p'), 'latin1')).toBe('name=J\xf6rg\nport=25565\n')
  expect(readFileSync(inside('u.ini'), 'utf16le')).toBe('\ufeff[s]\r\nname=Jörg\r\nport=25565\r\n')
})

test.runIf(isRoot)('without an owner a file keeps the one it had', async () => {
  await write(properties('p'))
  await writeFiles({ volumeDir, files: [{ ...properties('p'), content: 'port=2' }], values, owner: null })
  expect([statSync(inside('p')).uid, statSync(inside('p')).gid]).toEqual([4321, 4322])
})

test('an owner that this process may not give files to is told as such', async () => {
  // Run by a child without root's rights, or by this very process when it has none.
  const script = path.resolve('tests/unit/host/files/give-process.ts')
  chmodSync(root, 0o777)
  chmodSync(volumeDir, 0o777)
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, volumeDir], { encoding: 'utf8' })
  expect(output).toContain("f can't be given to user 1:1: this process is not root")
  expect(readdirSync(volumeDir)).toEqual([])
})

test('what a crash in the middle of a write has left is swept, and nothing else', async () => {
  const left = '.manman-6f1f2c1e-1111-4222-8333-444455556666.tmp'
  const link = '.manman-6f1f2c1e-1111-4222-8333-444455557777.tmp'
  for (const directory of ['a', 'b']) {
    mkdirSync(inside(directory))
    writeFileSync(inside(`${directory}/${left}`), 'half')
  }
  writeFileSync(inside('a/.manman-mine.tmp'), 'x')
  writeFileSync(outside('secret'), 'secret')
  symlinkSync(outside('secret'), inside(`a/${link}`))
  await write(properties('a/p'))
  expect(readdirSync(inside('a')).sort()).toEqual([link, '.manman-mine.tmp', 'p'].sort())
  expect(readdirSync(inside('b'))).toEqual([left])
  expect(readFileSync(outside('secret'), 'utf8')).toBe('secret')
})

test('a file in which no line is to be set is not made, so that the game can write its own', async () => {
  const lines: ConfigFile = { path: 'f', strategy: 'LINES', content: '{"port ": {"line": "port {{port}}", "append": false}}' }
  await write(lines, { ...replace('marker'), content: '' })
  expect(readdirSync(volumeDir)).toEqual(['marker'])
  writeFileSync(inside('f'), 'name x\nport 1\n')
  await write(lines)
  expect(readFileSync(inside('f'), 'utf8')).toBe('name x\nport 25565\n')
})

const large = (lines: number): string => Array.from({ length: lines }, (_, index) => `key${index}: ${index}\n`).join('')
const yaml: ConfigFile = { path: 'large.yaml', strategy: 'YAML', content: 'key5: "{{port}}"' }

test('a large file is rendered beside the agent, which goes on meanwhile', async () => {
  const before = large(20_000)
  writeFileSync(inside('large.yaml'), before)
  let turns = 0
  let done = false
  const work = write(yaml).finally(() => {
    done = true
  })
  while (!done) {
    turns++
    await new Promise((next) => setImmediate(next))
  }
  await work
  expect(readFileSync(inside('large.yaml'), 'utf8')).toBe(before.replace('key5: 5\n', 'key5: 25565\n'))
  // In one thread there were a handful, for the reading and the writing.
  expect(turns).toBeGreaterThan(100)
})

test('a large file that is broken, or takes too long, is refused by name', async () => {
  writeFileSync(inside('large.yaml'), `${large(20_000)}: : "\n`)
  expect((await failure(write(yaml))).message).toMatch(/large\.yaml, line 2000\d: is not YAML/)
  writeFileSync(inside('large.yaml'), large(20_000))
  const error = await failure(writeFiles({ volumeDir, files: [yaml], values, owner, timeoutMs: 1 }))
  expect(error.faults).toEqual([
    { path: 'large.yaml', message: 'large.yaml is too large: its settings are not made after 0.001 s' },
  ])
  expect(readFileSync(inside('large.yaml'), 'utf8')).toBe(large(20_000))
})
