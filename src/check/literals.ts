import type { Exp } from '../syntax/ast.js'
import type { CheckedProgram } from './types.js'
import { expressionsOf, partsOf, scriptOf, statementsIn } from './walk.js'

/**
 * The texts that a program writes out, without what it hands to models as prompts, in the order in which they stand there; a text with
 * values in it gives its parts. Files that it uses are not looked at.
 */
export function literalTexts(checked: CheckedProgram): string[] {
  const { main, symbols } = checked
  const items = main.program.items
  const bodies = items.flatMap((item) => (item.kind === 'FnDecl' ? item.body.statements : []))
  const defaults = items.flatMap((item) => (item.kind === 'ParamDecl' && item.default ? [item.default] : []))
  const pending: Exp[] = [...defaults, ...[...statementsIn([...scriptOf(checked), ...bodies])].flatMap(expressionsOf)].reverse()
  const texts = new Set<string>()
  for (let exp = pending.pop(); exp; exp = pending.pop()) {
    if (exp.kind === 'String') for (const part of exp.parts) if (typeof part === 'string' && part !== '') texts.add(part)
    if (exp.kind === 'Call' && exp.callee.kind === 'Name' && symbols.get(exp.callee)?.kind === 'model') continue
    pending.push(...[...partsOf(exp)].reverse())
  }
  return [...texts]
}
