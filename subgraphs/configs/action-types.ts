import { actionInputTypes } from '../../lib/domain/game-config.ts'
import type { Action, ActionInput } from '../../lib/parameters/actions.ts'
import type { Builder } from '../builder.ts'

/** Console commands with blanks to fill in: as they are shown, and as they are given. */
export const addActions = (builder: Builder) => {
  const Type = builder.enumType('ActionInputType', { values: actionInputTypes })
  const Field = builder.objectRef<ActionInput>('ActionField').implement({
    description: 'A blank of an action.',
    fields: (t) => ({
      name: t.exposeString('name'),
      type: t.expose('type', { type: Type }),
      label: t.exposeString('label', { nullable: true }),
      required: t.exposeBoolean('required'),
      default: t.exposeString('default', { nullable: true }),
      min: t.exposeFloat('min', { nullable: true, description: 'Of the number; for STRING of the length.' }),
      max: t.exposeFloat('max', { nullable: true }),
      options: t.field({ type: ['String'], nullable: true, resolve: ({ options }) => options && [...options] }),
      pattern: t.exposeString('pattern', { nullable: true }),
    }),
  })
  const FieldInput = builder.inputType('ActionFieldInput', {
    fields: (t) => ({
      name: t.string({ required: true }),
      type: t.field({ type: Type, required: true }),
      label: t.string(),
      required: t.boolean({ description: 'True unless told.' }),
      default: t.string(),
      min: t.float({ description: 'Of the number; for STRING of the length.' }),
      max: t.float(),
      options: t.stringList({ description: 'For ENUM.' }),
      pattern: t.string({
        description:
          'RE2 syntax; the whole value must fit. Without one, a STRING must not contain ; or ", which end commands and words.',
      }),
    }),
  })
  return {
    Action: builder.objectRef<Action>('Action').implement({
      description: 'A console command with blanks to fill in, for `runAction`.',
      fields: (t) => ({
        id: t.exposeID('id'),
        name: t.exposeString('name'),
        label: t.exposeString('label'),
        template: t.exposeString('template'),
        inputs: t.expose('inputs', { type: [Field] }),
        confirm: t.exposeString('confirm', { nullable: true, description: 'To be asked before it is run.' }),
      }),
    }),
    Input: builder.inputType('ActionInput', {
      fields: (t) => ({
        name: t.string({ required: true, description: 'Letters, digits, - and _; one that is kept keeps its id.' }),
        label: t.string({ required: true }),
        template: t.string({
          required: true,
          description: 'One line. Knows its inputs, what the platform knows, and the parameters that are no secrets.',
        }),
        inputs: t.field({ type: [FieldInput] }),
        confirm: t.string(),
      }),
    }),
  }
}

export type ActionTypes = ReturnType<typeof addActions>
