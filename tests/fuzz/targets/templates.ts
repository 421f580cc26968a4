import fc from 'fast-check'
import { renderArgs, splitArgs, UnbalancedQuotes } from '../../../lib/domain/argv.ts'
import { isTemplateFault, parseTemplate, renderTemplate, templateFaults, templateNames } from '../../../lib/domain/template.ts'
import { anyText, nearly } from '../mutate.ts'
import { holds, makeTarget, type Outcome, orRefused } from '../target.ts'

const good = fc.constantFrom(
  '--port {{port.game}} --name "{{server.name}}"',
  '\'{{a}}\' "{{b}}" {{a}}{{b}} \\{{a}} x{{ b }}y',
  'say {{a}}; kick {{b}} "for \\"{{a}}\\""',
  '-Xmx{{memoryMb}}M -jar server.jar nogui',
)
const value = fc.oneof(
  anyText,
  fc.constantFrom('', ' ', 'a b', '"', "'", '\\', '{{a}}', '{{b}}', '}}', '$(id)', '`id`', '; stop', '\n'),
)

/** Stands for a value, and is in no template. */
const mark = (name: string): string => `\u{f0000}${name}\u{f0001}`

const input = fc.record({ template: fc.oneof(nearly(good), anyText), values: fc.array(value, { minLength: 1, maxLength: 4 }) })

/** Values are put where their names stand, once: they make no words, end no quotes and name no other value. */
export const templates = makeTarget('templates', input, ({ template, values }): Outcome => {
  if (template.includes('\u{f0000}')) return 'refused'
  const names = [...new Set(templateNames(template))]
  const known = new Map(names.map((name, index) => [name, values[index % values.length]!]))
  const marks = new Map(names.map((name) => [name, mark(name)]))
  const faults = templateFaults(template, new Set(names))
  if (isTemplateFault(parseTemplate(template))) {
    holds(faults.length === 1, 'what is no template has its fault told')
    return 'refused'
  }
  holds(faults.length === 0, 'a template of known names has no faults')
  const filled = (text: string): string =>
    text.replace(/\u{f0000}([^\u{f0001}]*)\u{f0001}/gu, (_, name: string) => known.get(name)!)
  holds(renderTemplate(template, known) === filled(renderTemplate(template, marks)), 'values stand where their names stood')

  const byMarks = orRefused(() => renderArgs(template, marks), [UnbalancedQuotes])
  const byValues = orRefused(() => renderArgs(template, known), [UnbalancedQuotes])
  if (byMarks === 'refused' || byValues === 'refused') {
    holds(byMarks === byValues, 'whether it can be split depends on the template alone')
    return 'refused'
  }
  // An empty value outside of quotes makes no word: only then may there be fewer.
  const words = (all: readonly string[]): string => JSON.stringify(all.filter((word) => word !== ''))
  const expected = byMarks.result.map(filled)
  holds(words(byValues.result) === words(expected), 'each word is as the template has it')
  holds(byValues.result.length <= expected.length, 'values make no words')
  if (![...known.values()].includes('')) holds(byValues.result.length === expected.length, 'no word is lost')
  if (names.length === 0)
    holds(JSON.stringify(splitArgs(template)) === JSON.stringify(byValues.result), 'without names it is only split')
  return 'accepted'
})
