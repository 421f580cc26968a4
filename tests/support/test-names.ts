import { readFileSync } from 'node:fs'
import ts from 'typescript'

/** Calls whose first argument is a name; with one of the others behind a dot, such as `it.skip`, nothing runs. */
const named = new Set(['describe', 'it', 'test'])
const unrun = new Set(['skip', 'todo', 'fails'])

/** `it`, and what stands behind its dots: `it.each([…])` is `['it', 'each']`. */
const wordsOf = (expression: ts.Expression): string[] => {
  if (ts.isIdentifier(expression)) return [expression.text]
  if (ts.isPropertyAccessExpression(expression)) return [...wordsOf(expression.expression), expression.name.text]
  return ts.isCallExpression(expression) || ts.isTaggedTemplateExpression(expression)
    ? wordsOf(ts.isCallExpression(expression) ? expression.expression : expression.tag)
    : []
}

/**
 * The full names of a file's tests, `describe › it`, as they stand in its code: those of `each` with their placeholders.
 * What is skipped is left out, and so is what only a comment or a text speaks of.
 */
export const testNames = (path: string): string[] => {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)
  const names: string[] = []
  const visit = (node: ts.Node, outer: readonly string[]): void => {
    const [word = '', ...further] = ts.isCallExpression(node) ? wordsOf(node.expression) : []
    const title = ts.isCallExpression(node) ? node.arguments[0] : undefined
    if (!named.has(word) || !title || !ts.isStringLiteralLike(title)) {
      ts.forEachChild(node, (child) => visit(child, outer))
      return
    }
    if (further.some((one) => unrun.has(one))) return
    const name = [...outer, title.text]
    if (word !== 'describe') names.push(name.join(' › '))
    ts.forEachChild(node, (child) => visit(child, word === 'describe' ? name : outer))
  }
  visit(source, [])
  return names
}
