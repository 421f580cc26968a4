/** Eggs of our own making, one of each format. */

const variables = [
  {
    name: 'World',
    description: 'The folder that holds\r\nthe world.',
    env_variable: 'WORLD',
    default_value: 'island',
    user_viewable: true,
    user_editable: true,
    rules: 'required|string|max:20',
  },
  {
    name: 'Slots',
    description: '',
    env_variable: 'SLOTS',
    default_value: '16',
    user_viewable: true,
    user_editable: false,
    rules: 'required|integer|between:1,64',
  },
  {
    name: 'Query',
    description: 'A further port.',
    env_variable: 'QUERY_PORT',
    default_value: '27016',
    user_viewable: true,
    user_editable: false,
    rules: 'required|integer|between:1024,65535',
  },
]

const script = '#!/bin/bash\r\ncurl -o game.tgz "https://games.example/${WORLD}"\r\necho "{{done}}"\r\n'

const find = {
  'server-port': '{{server.build.default.port}}',
  motd: 'Welcome to {{server.build.env.WORLD}}',
  'max-players': '{{env.SLOTS}}',
}

/** As Pterodactyl 0.7 writes it: one image, nested JSON as text. */
export const ptdlV1 = {
  _comment: 'made by hand',
  meta: { version: 'PTDL_v1' },
  exported_at: '2020-01-01T00:00:00+00:00',
  name: 'Island',
  author: 'someone@games.example',
  description: 'A game about islands.',
  image: 'games.example/island:1',
  startup: './island --port {{SERVER_PORT}} --world {{WORLD}}',
  config: {
    files: JSON.stringify({ 'server.properties': { parser: 'properties', find } }),
    startup: JSON.stringify({ done: 'Island is up (', userInteraction: [] }),
    logs: JSON.stringify({ custom: false, location: 'logs/latest.log' }),
    stop: 'stop',
  },
  scripts: { installation: { script, container: 'games.example/installer:1', entrypoint: 'bash' } },
  variables,
}

const { image: _, ...rest } = ptdlV1

export const ptdlV2 = {
  ...rest,
  meta: { version: 'PTDL_v2', update_url: null },
  features: null,
  docker_images: { 'Island 2': 'games.example/island:2', 'Island 1': 'games.example/island:1' },
  file_denylist: [],
  config: { ...ptdlV1.config, logs: '[]', stop: '^C' },
}

/** As Pelican writes it: rules are lists. */
export const plcnV1 = {
  ...ptdlV2,
  meta: { version: 'PLCN_v1', update_url: null },
  uuid: '7a0dd6cb-1111-4222-8333-444455556666',
  tags: ['island'],
  docker_images: { Island: 'games.example/island:2' },
  variables: variables.map((variable, sort) => ({ ...variable, rules: variable.rules.split('|'), sort })),
}

/** Pelican's YAML: nothing is JSON in text any more, and command lines have names. */
export const plcnV3 = `
_comment: 'made by hand'
meta:
  version: PLCN_v3
  update_url: null
name: Island
author: someone@games.example
uuid: 7a0dd6cb-1111-4222-8333-444455556666
description: A game about islands.
icon: null
tags:
  - island
features: {  }
docker_images:
  Island: 'games.example/island:2'
file_denylist: {  }
startup_commands:
  Default: './island --port {{SERVER_PORT}} --world {{WORLD}}'
config:
  files:
    server.properties:
      parser: properties
      find:
        server-port: '{{server.allocations.default.port}}'
        motd: 'Welcome to {{server.environment.WORLD}}'
        max-players: '{{server.environment.SLOTS}}'
  startup:
    done:
      - 'Island is up ('
      - 'regex:^Ready in \\d+ s$'
    strip_ansi: false
  logs: {  }
  stop: ^C
scripts:
  installation:
    script: |-
      #!/bin/bash
      echo "{{done}}"
    container: 'games.example/installer:1'
    entrypoint: /bin/bash
variables:
  -
    name: World
    description: ''
    env_variable: WORLD
    default_value: island
    user_viewable: true
    user_editable: true
    rules:
      - required
      - string
      - 'max:20'
    sort: 1
  -
    name: Slots
    description: ''
    env_variable: SLOTS
    default_value: 16
    user_viewable: true
    user_editable: false
    rules:
      - required
      - integer
      - 'between:1,64'
    sort: 2
`
