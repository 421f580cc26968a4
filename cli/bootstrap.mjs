#!/usr/bin/env node
// The one way in: `node cli/bootstrap.mjs up | test | setup | <any manman command>`.
// It runs before anything is installed and on any Node, so this file has no imports and no syntax newer than its message.
const version = process.versions.node.split('.').map(Number)

if (version[0] < 14 || (version[0] === 14 && version[1] < 18)) {
  console.error(`ManMan needs Node.js 20.18 or newer, this is ${process.versions.node}: see https://nodejs.org/en/download`)
  process.exit(78)
}

import('./bootstrap/run.mjs')
  .then((bootstrap) => bootstrap.run(process.argv))
  .catch((error) => {
    console.error(`ManMan could not start: ${error instanceof Error ? error.message : error}`)
    if (process.env.LOG_LEVEL === 'debug') console.error(error)
    process.exit(1)
  })
