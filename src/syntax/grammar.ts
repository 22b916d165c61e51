import { existsSync, readFileSync } from 'node:fs'
import * as ohm from 'ohm-js'

/** The grammar's text, from the package root: two folders up from both src/syntax and dist/syntax. */
export const grammarText = readFileSync(new URL('../../grammar/smc.ohm', import.meta.url), 'utf8')

/** Exported by ohm for grammars that were compiled before; its types do not say so. */
const { makeRecipe: fromRecipe } = ohm as unknown as { makeRecipe(recipe: unknown): ohm.Grammar }

export const grammar = built() ?? ohm.grammar(grammarText)

/** The grammar as `npm run build` left it beside this file (scripts/recipe.mjs), if it was made of the same text. */
function built(): ohm.Grammar | undefined {
  const place = new URL('./smc.recipe.json', import.meta.url)
  if (!existsSync(place)) return undefined
  return compiled(readFileSync(place, 'utf8'))
}

/** A grammar out of the JSON that scripts/recipe.mjs writes; undefined when it was made of another text. */
export function compiled(json: string): ohm.Grammar | undefined {
  const { text, recipe } = JSON.parse(json)
  return text === grammarText ? fromRecipe(recipe) : undefined
}
