import type { InputIssue } from '../../lib/domain/errors.ts'
import { type Builder, forMembers } from '../builder.ts'
import type { DeploymentInputs, DeploymentParts } from './deployment-types.ts'
import type { GameConfigParts } from './game-config-part-types.ts'
import type { FilePreview, Preview } from './preview.ts'
import type { ConfigsService } from './service.ts'

interface Types {
  deployment: DeploymentParts
  inputs: DeploymentInputs
  parts: GameConfigParts
}

export const addPreview = (builder: Builder, { deployment, inputs, parts }: Types, service: ConfigsService): void => {
  const Issue = builder.objectRef<InputIssue>('PreviewIssue').implement({
    fields: (t) => ({ path: t.exposeString('path'), message: t.exposeString('message') }),
  })
  const File = builder.objectRef<FilePreview>('FilePreview').implement({
    fields: (t) => ({
      path: t.exposeString('path'),
      exists: t.exposeBoolean('exists'),
      diff: t.exposeString('diff', {
        nullable: true,
        description: 'A unified diff, empty when nothing changes; null when there is too much to be shown. Secrets are hidden.',
      }),
    }),
  })
  const Shown = builder.objectRef<Preview>('DeploymentPreview').implement({
    description: 'What a deployment would run. Nothing of it is kept.',
    fields: (t) => ({
      issues: t.field({
        type: [Issue],
        description: 'What keeps it from being deployed, or its sessions from starting.',
        resolve: ({ issues }) => [...issues],
      }),
      command: t.stringList({
        nullable: true,
        resolve: ({ spec }) => spec.command,
        description: 'Null keeps that of the image.',
      }),
      env: t.field({ type: 'JSON', resolve: ({ spec }) => spec.env }),
      resources: t.field({ type: parts.Resources, resolve: ({ spec }) => spec.resources }),
      ports: t.field({ type: [deployment.Binding], resolve: ({ ports }) => [...ports] }),
      parameters: t.field({ type: [deployment.Value], resolve: ({ parameters }) => [...parameters] }),
      files: t.field({ type: [File], resolve: ({ files }) => [...files] }),
      filesNote: t.exposeString('filesNote', {
        nullable: true,
        description: 'Why the files are not compared with what the game has.',
      }),
    }),
  })
  builder.queryField('previewDeployment', (t) =>
    t.field({
      // By FILES: it reads the game's own files, and what is secret in those nobody can know.
      ...forMembers,
      type: Shown,
      description: 'With a deployment: what it would run with this input instead of its own; values left out stay.',
      args: { input: t.arg({ type: inputs.Create, required: true }), serverGameConfigId: t.arg.id() },
      resolve: (_, { input, serverGameConfigId }, { access }) =>
        service.previewDeployment(input, serverGameConfigId == null ? null : String(serverGameConfigId), access),
    }),
  )
}
